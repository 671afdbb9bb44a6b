"""Pictures written to files, never over another file unless that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from sam3_onnx._support.checks import require_flag, require_path
from sam3_onnx._support.files import write_atomically
from sam3_onnx.errors import OptionError, OutputExistsError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["require_target", "write_picture", "write_png"]

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


def write_png(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB as PNG, in one step.

    Raises:
        OSError: As `write_atomically`.
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    write_atomically(path, encoded.tobytes())


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB in the format of the path's ending, in one step.

    Raises:
        OptionError: The format cannot hold a picture of this size.
        OSError: As `write_atomically`.
    """
    try:
        is_encoded, encoded = cv2.imencode(path.suffix.lower(), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        height, width = image.shape[:2]
        expected = f"a file in a format that holds {width} x {height} pixels, such as .png"
        raise OptionError("path", expected=expected, got=str(path))
    write_atomically(path, encoded.tobytes())


def require_target(path: object, *, overwrite: object, endings: Collection[str] = _ENDINGS) -> Path:
    """Lets a path pass at which a picture may be written.

    Args:
        path: Where to write.
        overwrite: Whether a file that is there may be replaced.
        endings: Those that the file may have.

    Raises:
        OptionError: It is no path, has another ending, is a folder, or its folder is not there; or `overwrite` is no
            flag.
        OutputExistsError: There is a file, and it may not be replaced.
    """
    require_flag("overwrite", overwrite)
    target = require_path("path", path)
    if target.suffix.lower() not in endings:
        raise OptionError("path", expected=f"a file that ends in {', '.join(endings)}", got=str(target))
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise OptionError("path", expected="a file in a folder that is there", got=str(target))
    if target.exists() and not overwrite:
        raise OutputExistsError(target, remedy="Pass overwrite=True to replace it, or name another file.")
    return target
