"""Frames of a source that is read from its beginning to its end, in any order that is asked for.

A frame is found by counting, never by seeking: numbers of frames that files state, and places that decoders jump to,
are wrong for some kinds of files. Counting decodes what lies before, which takes little beside a model's seconds for a
frame.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Protocol

from sam3_onnx._support.forking import keep_for_ever, renew_in_children
from sam3_onnx.errors import FrameIndexError, FrameSizeError, SessionForkedError, VideoOpenError, VideoWarning
from sam3_onnx.images.frames.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CountedFrames", "Reader"]

_TOLERANCE = 1.5
"""Of the longest time between two frames: the last frame is shown for about as long as others."""
_SHORTEST = 0.02
"""Seconds between two frames where there is only one."""

_FORKED = "Open it in the process that reads it."
_BACK = "Pass the path of a video, a folder, or a list of arrays, whose frames can be read again."


class Reader(Protocol):
    """Reads frames one after another."""

    @property
    def stated(self) -> int | None:
        """Number of frames that the source says it has; None if it does not."""
        ...

    @property
    def duration(self) -> float | None:
        """Seconds that the source says it takes, the last frame's own among them; None if it does not."""
        ...

    @property
    def survives_fork(self) -> bool:
        """Whether it can be read in the child of a fork; what has threads or a device cannot."""
        ...

    def take(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Returns the time in seconds and the picture (H, W, 3) uint8 RGB of the next frame; None at the end."""
        ...

    def skip(self) -> float | None:
        """Leaves the next frame out; returns its time in seconds, None at the end."""
        ...

    def close(self) -> None:
        """Closes what is read from."""
        ...


class CountedFrames:
    """Frames by their numbers, each counted from the beginning."""

    def __init__(self, name: str, reader: Callable[[], Reader], *, can_go_back: bool, empty: str) -> None:
        """Opens the source and reads its first frame.

        Args:
            name: What messages call it.
            reader: Opens the source at its beginning.
            can_go_back: Whether it can be opened again.
            empty: What to do if there is no frame, for messages.

        Raises:
            VideoOpenError: It cannot be opened, or has no frame.
        """
        self.name, self.can_go_back = name, can_go_back
        self._opened, opened = reader, reader()
        self._reader: Reader | None = opened
        self.stated, self._duration = opened.stated, opened.duration
        first = opened.take()
        if first is None:
            opened.close()
            raise VideoOpenError(name, reason="it opens, but gives no frame", remedy=empty)
        self.size = (first[1].shape[0], first[1].shape[1])
        self._last = Frame(0, *first)
        self._next = 1
        self._end: int | None = None
        self._time, self._longest = first[0], 0.0
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Leaves the reader to the parent, in the child of a fork; a file is opened again when it is read there."""
        if self._reader is not None and not self._reader.survives_fork:
            keep_for_ever(self._reader)
            self._reader = None

    def __iter__(self) -> Iterator[Frame]:
        index = 0 if self.can_go_back else self._last.index
        while (frame := self._at(index)) is not None:
            yield frame
            index += 1

    def read(self, index: int) -> Frame:
        """Reads one frame; see `FrameSource.read`."""
        frame = self._at(index) if index >= 0 else None
        if frame is None:
            there = f"0 to {self._end - 1}" if self._end else "0 or more"
            remedy = "Frames are counted from 0." if self._end is None else f"It has {self._end} frames."
            raise FrameIndexError(self.name, index, expected=there, remedy=remedy)
        return frame

    def close(self) -> None:
        """Closes the source."""
        if self._reader is not None:
            self._reader.close()

    def _at(self, index: int) -> Frame | None:
        """Returns the frame of a number, None behind the end."""
        if self._end is not None and index >= self._end:
            return None
        if index == self._last.index:
            return self._last
        reader = self._reader
        if reader is None or index < self._next:
            reader = self._rewound(index)
        while self._next < index:
            time = reader.skip()
            if time is None:
                self._note_end()
                return None
            self._count(time)
        taken = reader.take()
        if taken is None:
            self._note_end()
            return None
        self._last = Frame(self._next, *taken)
        self._count(self._last.time)
        height, width, _ = self._last.image.shape
        if (height, width) != self.size:
            raise FrameSizeError(self.name, self._last.index, expected=self.size, got=(height, width))
        return self._last

    def _count(self, time: float) -> None:
        """Notes that a frame went by."""
        if self._next:
            self._longest = max(self._longest, time - self._time)
        self._time = time
        self._next += 1

    def _rewound(self, index: int) -> Reader:
        if not self.can_go_back:
            if self._reader is None:
                raise SessionForkedError(reason=f"{self.name} cannot be read: the parent reads it", remedy=_FORKED)
            raise FrameIndexError(self.name, index, expected=f"{self._last.index} or more", remedy=_BACK)
        self.close()
        self._reader, self._next = self._opened(), 0
        return self._reader

    def _note_end(self) -> None:
        """Notes how many frames there are, and warns once if the source said that it is longer."""
        if self._end is not None:
            return
        self._end = self._next
        duration = self._duration
        if duration is not None and duration - self._time > _TOLERANCE * max(self._longest, _SHORTEST):
            warnings.warn(
                f"{self.name} says that it takes {duration:.2f} s, and its last frame that can be read, number "
                f"{self._end - 1}, is at {self._time:.2f} s. It is damaged or cut off, or what it says is wrong.",
                VideoWarning,
                stacklevel=4,
            )
