"""A file for memories of frames that are not at hand any more, so that any frame can be corrected later."""

from __future__ import annotations

import tempfile
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sam3_onnx.errors import VideoWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEFAULT_SHELF_BYTES", "FileShelf", "TrackShelf"]

DEFAULT_SHELF_BYTES = 4 << 30
"""Enough for 6,000 frames of one object at full size."""


class FileShelf:
    """One temporary file with a record for each memory; the system deletes it with the process.

    A memory is larger than all else that is kept of a frame, and needed only if somebody goes back. If the file is full
    or cannot be written, the oldest memories are lost; a warning says so once.
    """

    def __init__(self, budget: int | None = None) -> None:
        """Creates no file yet.

        Args:
            budget: Bytes that the file may have at most; None for DEFAULT_SHELF_BYTES.
        """
        self._budget = DEFAULT_SHELF_BYTES if budget is None else budget
        self._file: Any = None
        self._places: dict[tuple[int, int], int] = {}
        self._free: list[int] = []
        self._shape: tuple[int, ...] = ()
        self._warned = False

    def put(self, track: int, frame: int, memory: NDArray[np.float16]) -> None:
        """Keeps the memory (D, h, w) of an object on a frame, in place of an older one."""
        key = track, frame
        place = self._places.pop(key, None)
        if place is None:
            place = self._place(memory.nbytes)
        if place is None:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="sam3_onnx_video_")  # noqa: SIM115 - closed by `close`
            self._file.seek(place)
            self._file.write(np.ascontiguousarray(memory).data)
            self._file.flush()
        except OSError as error:
            self._free.append(place)
            self._warn(f"cannot be kept in a temporary file ({error.strerror or error})")
            return
        self._places[key], self._shape = place, memory.shape

    def get(self, track: int, frame: int) -> NDArray[np.float16] | None:
        """Returns the memory of an object on a frame; None if it is not there."""
        place = self._places.get((track, frame))
        if place is None:
            return None
        self._file.seek(place)
        data = self._file.read(int(np.prod(self._shape)) * np.dtype(np.float16).itemsize)
        return np.frombuffer(data, np.float16).reshape(self._shape)

    def of(self, track: int) -> TrackShelf:
        """Returns the part of the file that belongs to one object."""
        return TrackShelf(self, track)

    def drop(self, track: int) -> None:
        """Forgets an object."""
        for key in [key for key in self._places if key[0] == track]:
            self._free.append(self._places.pop(key))

    def close(self) -> None:
        """Deletes the file."""
        self._places.clear()
        if self._file is not None:
            self._file.close()

    def _place(self, size: int) -> int | None:
        """Returns where a record goes: a free place, a new one, or that of the oldest; None if there is no room."""
        if self._free:
            return self._free.pop()
        end = len(self._places) * size
        if end + size <= self._budget:
            return end
        self._warn(f"need more than the {self._budget} bytes that they may have")
        return self._places.pop(next(iter(self._places))) if self._places else None

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"The memories of a video {reason}: the oldest are lost. Objects are followed as before; to correct "
                "one on an early frame, its propagation has to begin anew on a frame on which it was pointed at.",
                VideoWarning,
                stacklevel=2,
            )


class TrackShelf:
    """The part of a file that belongs to one object."""

    def __init__(self, shelf: FileShelf, track: int) -> None:
        self._shelf, self._track = shelf, track

    def put(self, frame: int, memory: NDArray[np.float16]) -> None:
        """Keeps the memory of a frame."""
        self._shelf.put(self._track, frame, memory)

    def get(self, frame: int) -> NDArray[np.float16] | None:
        """Returns the memory of a frame; None if it is not there."""
        return self._shelf.get(self._track, frame)
