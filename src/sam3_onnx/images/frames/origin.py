"""Source of a frame that can be read again, so that results can be drawn on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx.errors import PictureError, PictureGoneError, VideoError
from sam3_onnx.images.origins import NoOrigin

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FrameOrigin"]


@dataclass(frozen=True, eq=False)
class FrameOrigin:
    """One frame of a video that is open."""

    name: str
    """What messages call the video."""
    index: int
    """Number of the frame."""
    reader: Callable[[int], NDArray[np.uint8]] = field(repr=False)
    """Reads the frame of a number."""

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright."""
        try:
            return self.reader(self.index)
        except (VideoError, PictureError) as error:
            raise PictureGoneError(f"{self} cannot be read any more ({error})") from error

    def __str__(self) -> str:
        return f"frame {self.index} of {self.name}"

    def __reduce__(self) -> tuple[type[NoOrigin], tuple[str]]:
        return NoOrigin, ("frames of a video are not sent along with their result",)
