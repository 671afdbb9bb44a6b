"""Pictures written to files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from sam3_onnx._support.files import write_atomically

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["write_png"]


def write_png(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Writes a picture (H, W, 3) uint8 RGB as PNG, in one step.

    Raises:
        OSError: As `write_atomically`.
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    write_atomically(path, encoded.tobytes())
