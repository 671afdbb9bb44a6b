"""Video files, read by PyAV (extra `video`): more kinds than OpenCV reads, and damage is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sam3_onnx.errors import VideoDamagedError, VideoOpenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PyAvReader"]

_QUARTER = 90


class PyAvReader:
    """A video file."""

    survives_fork = False

    def __init__(self, path: str) -> None:
        """Opens it.

        Raises:
            VideoOpenError: FFmpeg cannot, or it holds no video.
        """
        import av  # noqa: PLC0415 - an optional extra

        self._path, self._frames, self._error = path, 0, av.FFmpegError
        remedy = "Check that it is a video, and that it is whole."
        try:
            self._container: Any = av.open(path)
        except av.FFmpegError as error:
            raise VideoOpenError(path, reason=f"FFmpeg says: {error.strerror}", remedy=remedy) from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoOpenError(path, reason="there is no picture in it", remedy=remedy)
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self.stated: int | None = stream.frames or None
        # in millionths of a second; it counts from the first frame, which need not be at 0
        self.duration = self._container.duration / 1e6 if self._container.duration else None
        self._decoded: Iterator[Any] = self._container.decode(stream)
        self._first: float | None = None

    def take(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Returns time and picture of the next frame; None at the end.

        Raises:
            VideoDamagedError: The file is damaged here.
        """
        frame = self._next()
        if frame is None:
            return None
        upright = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / _QUARTER) % 4)
        return self._time(frame), np.ascontiguousarray(upright)

    def skip(self) -> float | None:
        """Leaves the next frame out; returns its time, None at the end.

        Raises:
            VideoDamagedError: The file is damaged here.
        """
        frame = self._next()
        return None if frame is None else self._time(frame)

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def _next(self) -> Any:  # noqa: ANN401 - PyAV is no dependency of the type checker
        try:
            frame = next(self._decoded, None)
        except self._error as error:
            raise VideoDamagedError(self._path, frames=self._frames, reason=str(error.strerror)) from error
        self._frames += frame is not None
        return frame

    def _time(self, frame: Any) -> float:  # noqa: ANN401
        """Returns seconds from the first frame, as players count them."""
        at = float(frame.time) if frame.time is not None else 0.0
        self._first = at if self._first is None else self._first
        return at - self._first
