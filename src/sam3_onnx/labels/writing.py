"""Atomic writing of label files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.files import write_atomically
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import (
    LabelFileDamagedError,
    LabelFilePermissionError,
    LabelFolderMissingError,
    OptionError,
)
from sam3_onnx.labels.label_file import LabelFile, require_image_size, require_shapes
from sam3_onnx.labels.losses import warn_of_losses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sam3_onnx.labels.label_file import PictureFormat
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import Shape

__all__ = ["content_of", "encode_and_put", "label_file", "put", "require_folder", "rewrite", "write_label_file"]


def put(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a label file atomically: it is complete, or the older file is unchanged.

    Raises:
        LabelFilePermissionError: There is no permission to write to the folder or to replace the older file.
        OSError: The folder is missing, or the disk is full.
    """
    _put(Path(path), content, None)


def rewrite(path: str | os.PathLike[str], edit: Callable[[bytes | None], bytes | None]) -> None:
    """Edits a label file atomically, without losing changes that another program saves at the same time.

    The file is read again just before it is replaced. If it has changed since `edit` was called, `edit` is called again
    with the new content. Missing folders are created.

    Args:
        path: The label file.
        edit: Returns the new content for the old content, which is None if there is no file; returns None to leave the
            file unchanged. It may be called several times.

    Raises:
        LabelFileDamagedError: The file cannot be read: it is a folder or a broken link, or there is no permission.
        LabelFilePermissionError: There is no permission to write to the folder or to replace the file.
        LabelFolderMissingError: There is a file in place of a folder.
        OSError: The disk is full.
    """
    target = Path(path)
    is_done = False
    while not is_done:
        before = content_of(target)
        after = edit(before)
        if after is None:
            return
        _make_folder(target)
        is_done = _put(target, after, lambda before=before: content_of(target) == before)  # type: ignore[misc]


def _put(target: Path, content: bytes, is_wanted: Callable[[], bool] | None) -> bool:
    if target.exists() and not os.access(target, os.W_OK):  # to replace it, permission for the folder would be enough
        raise LabelFilePermissionError(target, reason="a file that is write-protected")
    try:
        return write_atomically(target, content, is_wanted=is_wanted)
    except PermissionError as error:
        raise LabelFilePermissionError(target, reason=str(error)) from error


def content_of(target: Path) -> bytes | None:
    """Returns the bytes of a label file, or None if there is no file.

    Raises:
        LabelFileDamagedError: The file cannot be read: it is a folder or a broken link, or there is no permission.
    """
    try:
        if target.is_file():
            return target.read_bytes()
        is_other = target.exists() or target.is_symlink()
    except FileNotFoundError:  # the file was deleted in the meantime
        return None
    except OSError as error:
        raise LabelFileDamagedError(target, expected="a readable file", reason=str(error)) from error
    if is_other:
        reason = "a broken link" if target.is_symlink() else "a folder, or something else that is not a file"
        raise LabelFileDamagedError(target, expected="a file", reason=reason)
    return None


def _make_folder(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise LabelFilePermissionError(target, reason=str(error)) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise LabelFolderMissingError(target) from error


def require_folder(path: str | os.PathLike[str]) -> None:
    """Checks that the folder of a path exists.

    Raises:
        LabelFolderMissingError: It does not exist.
    """
    target = require_path("path", path)
    if not target.parent.is_dir():
        raise LabelFolderMissingError(target)


def label_file(
    shapes: Sequence[Shape] | LabelFile, image_path: str | None, image_size: tuple[int, int] | None
) -> LabelFile:
    """Returns a `LabelFile` unchanged, or a new one for shapes of a picture.

    Raises:
        OptionError: The argument is not shapes; path and size of the picture are missing; or they are passed with a
            `LabelFile`.
    """
    known = image_path is not None or image_size is not None
    if isinstance(shapes, LabelFile):
        if known:
            raise OptionError("image_path and image_size", expected="left out with a LabelFile", got=image_path)
        return shapes
    if not isinstance(image_path, str | None):
        raise OptionError("image_path", expected="the path of the picture, a string", got=image_path)
    if image_path is None or image_size is None:
        got = (image_path, image_size)
        raise OptionError("image_path and image_size", expected="passed together with shapes", got=got)
    given = require_shapes(shapes)
    return LabelFile(given, image_path, require_image_size(given, image_size))


@known_keywords()
def write_label_file(path: str | os.PathLike[str], file: LabelFile, picture_format: PictureFormat) -> tuple[Loss, ...]:
    """Writes the label file of one picture in any format with one label file for each picture.

    Returns:
        Losses: what the file cannot store.

    Raises:
        LabelError: The same errors as for `PictureFormat.encode`; or there is no permission to write the file, or its
            folder does not exist.
        OptionError: `file` is not a `LabelFile`.
        OSError: The file cannot be written.

    Warns:
        LabelLossWarning: The file cannot store everything.
    """
    given: object = file
    if not isinstance(given, LabelFile):
        remedy = 'For a result, pass LabelFile(tuple(result.shapes("polygon")), image_path, result.size).'
        raise OptionError("file", expected="a LabelFile", got=type(given).__name__, remedy=remedy)
    losses = encode_and_put(path, file, picture_format)
    warn_of_losses(path, losses)
    return losses


def encode_and_put(path: str | os.PathLike[str], file: LabelFile, picture_format: PictureFormat) -> tuple[Loss, ...]:
    """Writes a label file like `write_label_file`, but without a warning."""
    require_folder(path)
    content, losses = picture_format.encode(file)
    put(path, content)
    return losses
