"""Label files written into their place, each in one step."""

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
    """Writes a label file in one step: it is whole, or the older file is as it was.

    Raises:
        LabelFilePermissionError: The folder or an older file may not be written to.
        OSError: The folder is missing, or the disk is full.
    """
    _put(Path(path), content, None)


def rewrite(path: str | os.PathLike[str], edit: Callable[[bytes | None], bytes | None]) -> None:
    """Changes a label file in one step, and never what another program saved meanwhile.

    The file is read once more when the new content is about to take its place. If it is not what the new content was
    made from, the change is made again from what is there now. Folders that are missing are made.

    Args:
        path: The label file.
        edit: Makes the new content from the old, which is None if there is no file; returns None to leave the file
            as it is. It may be called several times.

    Raises:
        LabelFileDamagedError: What is there cannot be read: a folder, a link that leads nowhere, a lack of permission.
        LabelFilePermissionError: The folder or the file may not be written to.
        LabelFolderMissingError: There is a file where a folder has to be.
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
    if target.exists() and not os.access(target, os.W_OK):  # replacing it would need the folder's permission only
        raise LabelFilePermissionError(target, reason="a file that is write-protected")
    try:
        return write_atomically(target, content, is_wanted=is_wanted)
    except PermissionError as error:
        raise LabelFilePermissionError(target, reason=str(error)) from error


def content_of(target: Path) -> bytes | None:
    """Returns the bytes of a label file, None if there is none.

    Raises:
        LabelFileDamagedError: What is there cannot be read: a folder, a link that leads nowhere, a lack of permission.
    """
    try:
        if target.is_file():
            return target.read_bytes()
        is_other = target.exists() or target.is_symlink()
    except FileNotFoundError:  # it went between the two looks at it
        return None
    except OSError as error:
        raise LabelFileDamagedError(target, expected="a file that may be read", reason=str(error)) from error
    if is_other:
        reason = "a link that leads nowhere" if target.is_symlink() else "a folder, or something else of that name"
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
    """Lets a path pass whose folder is there.

    Raises:
        LabelFolderMissingError: It is not.
    """
    target = require_path("path", path)
    if not target.parent.is_dir():
        raise LabelFolderMissingError(target)


def label_file(
    shapes: Sequence[Shape] | LabelFile, image_path: str | None, image_size: tuple[int, int] | None
) -> LabelFile:
    """Returns a file as it was read, or a new one for a picture.

    Raises:
        OptionError: What is no shapes, or shapes without the picture's path and size, or a file with them.
    """
    known = image_path is not None or image_size is not None
    if isinstance(shapes, LabelFile):
        if known:
            raise OptionError("image_path and image_size", expected="left out with a LabelFile", got=image_path)
        return shapes
    if not isinstance(image_path, str | None):
        raise OptionError("image_path", expected="the picture's path, a string", got=image_path)
    if image_path is None or image_size is None:
        got = (image_path, image_size)
        raise OptionError("image_path and image_size", expected="given with shapes that are no LabelFile", got=got)
    given = require_shapes(shapes)
    return LabelFile(given, image_path, require_image_size(given, image_size))


@known_keywords()
def write_label_file(path: str | os.PathLike[str], file: LabelFile, picture_format: PictureFormat) -> tuple[Loss, ...]:
    """Writes the label file of one picture in any format that has such files.

    Returns:
        What the file does not say.

    Raises:
        LabelError: As `PictureFormat.encode`, the file may not be written, or its folder is not there.
        OptionError: What is no `LabelFile`.
        OSError: The file cannot be written.

    Warns:
        LabelLossWarning: The file does not say all.
    """
    given: object = file
    if not isinstance(given, LabelFile):
        remedy = 'Pass LabelFile(tuple(result.shapes("polygon")), image_path, result.size) of a result.'
        raise OptionError("file", expected="a LabelFile", got=type(given).__name__, remedy=remedy)
    losses = encode_and_put(path, file, picture_format)
    warn_of_losses(path, losses)
    return losses


def encode_and_put(path: str | os.PathLike[str], file: LabelFile, picture_format: PictureFormat) -> tuple[Loss, ...]:
    """Writes a label file as `write_label_file` does, and warns of nothing."""
    require_folder(path)
    content, losses = picture_format.encode(file)
    put(path, content)
    return losses
