"""`Frame`, one picture of a video, and `FrameSource`, the protocol of sources of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Frame", "FrameSource"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video."""

    index: int
    """Index of the frame, counted from 0."""
    time: float
    """Time in seconds from the beginning, from the file; the intervals between frames may differ."""
    image: NDArray[np.uint8]
    """Picture as (H, W, 3) uint8 RGB, upright."""


class FrameSource(Protocol):
    """A video file, a folder of pictures, arrays, or a camera; use it in one thread only."""

    @property
    def name(self) -> str:
        """Name of the source in messages."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of all frames in pixels."""
        ...

    @property
    def stated(self) -> int | None:
        """Number of frames according to the source, which may be wrong; None if it does not say."""
        ...

    @property
    def can_go_back(self) -> bool:
        """Whether earlier frames can be read again; False for a camera and an iterator."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields all frames from the first one; for a camera or an iterator, from the next one."""
        ...

    def read(self, index: int) -> Frame:
        """Reads one frame.

        Raises:
            FrameIndexError: There is no frame with this index, or it can no longer be read.
            FrameSizeError: The frame has another size than the first one.
            VideoDamagedError: The file is damaged before the frame.
        """
        ...

    def close(self) -> None:
        """Closes the file or the camera."""
        ...
