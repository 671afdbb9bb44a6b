"""One frame, and the protocol of what frames come from."""

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
    """Number of the frame, from 0."""
    time: float
    """Seconds from the beginning, as the file says them: frames need not be equally far apart."""
    image: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, upright."""


class FrameSource(Protocol):
    """A video file, a folder of pictures, arrays, or a camera. It is not for several threads at once."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of all frames in pixels."""
        ...

    @property
    def stated(self) -> int | None:
        """Number of frames that the source says it has; None if it does not. Files may be wrong about it."""
        ...

    @property
    def can_go_back(self) -> bool:
        """Whether an earlier frame can be read again; not of a camera, nor of an iterator."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Reads all frames from the first one on; those of a camera or an iterator from the next one on."""
        ...

    def read(self, index: int) -> Frame:
        """Reads one frame.

        Raises:
            FrameIndexError: There is none of that number, or it went by.
            FrameSizeError: It has another size than the first one.
            VideoDamagedError: The file is damaged before it.
        """
        ...

    def close(self) -> None:
        """Closes the file or the camera."""
        ...
