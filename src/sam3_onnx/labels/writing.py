"""Label files written into their place, each in one step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.files import write_atomically
from sam3_onnx.errors import LabelFilePermissionError, LabelFolderMissingError, OptionError
from sam3_onnx.labels.label_file import LabelFile, require_shapes
from sam3_onnx.labels.losses import warn_of_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.labels.label_file import PictureFormat
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import Shape

__all__ = ["encode_and_put", "label_file", "put", "require_folder", "write_label_file"]


def put(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a label file in one step: it is whole, or the older file is as it was.

    Raises:
        LabelFilePermissionError: The folder or an older file may not be written to.
        OSError: The folder is missing, or the disk is full.
    """
    target = Path(path)
    if target.exists() and not os.access(target, os.W_OK):  # replacing it would need the folder's permission only
        raise LabelFilePermissionError(target, reason="a file that is write-protected")
    try:
        write_atomically(target, content)
    except PermissionError as error:
        raise LabelFilePermissionError(target, reason=str(error)) from error


def require_folder(path: str | os.PathLike[str]) -> None:
    """Lets a path pass whose folder is there.

    Raises:
        LabelFolderMissingError: It is not.
    """
    target = Path(path)
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
    if image_path is None or image_size is None:
        got = (image_path, image_size)
        raise OptionError("image_path and image_size", expected="given with shapes that are no LabelFile", got=got)
    return LabelFile(require_shapes(shapes), image_path, image_size)


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
