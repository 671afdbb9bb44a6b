"""Pictures encoded as a video file: by PyAV in H.264 where the extra `video` is installed, otherwise by OpenCV."""

from __future__ import annotations

import contextlib
import importlib.util
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import cv2
import numpy as np

from sam3_onnx.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CODECS", "VideoBackend", "VideoEncoder", "video_encoder"]

VideoBackend: TypeAlias = Literal["auto", "opencv", "pyav"]
"""What writes a video: "auto" for PyAV if it is installed, otherwise OpenCV."""
CODECS: Mapping[str, tuple[str, str]] = {
    ".mp4": ("mp4v", "libx264"),
    ".webm": ("VP80", "libvpx"),
    ".avi": ("MJPG", "mjpeg"),
}
"""By the ending of a file: OpenCV's code of the codec, and FFmpeg's name of it. OpenCV has no H.264; browsers may not
play what it writes as .mp4, but play .webm."""
_PIXELS = {"mjpeg": "yuvj420p"}
_TICKS = 90_000
"""Parts of a second in which times are kept, as of MPEG."""


class VideoEncoder(Protocol):
    """A video file that grows."""

    def add(self, image: NDArray[np.uint8], time: float) -> None:
        """Adds a picture (H, W, 3) uint8 RGB, H and W even, seen from some second on."""
        ...

    def close(self) -> None:
        """Completes the file."""
        ...


def video_encoder(path: Path, size: tuple[int, int], fps: float, backend: VideoBackend) -> VideoEncoder:
    """Begins a video file.

    Args:
        path: It ends in one of `CODECS`.
        size: (height, width), both even.
        fps: Pictures in a second.
        backend: What writes it.

    Raises:
        MissingExtraError: PyAV is asked for and not installed.
        OSError: The file cannot be written.
    """
    is_there = importlib.util.find_spec("av") is not None
    if backend == "pyav" and not is_there:
        raise MissingExtraError(feature="Writing videos with PyAV", package="av", extra="video")
    opencv_code, name = CODECS[path.suffix.lower()]
    if backend == "opencv" or not is_there:
        return _OpenCvEncoder(path, size, fps, opencv_code)
    return _PyAvEncoder(path, size, fps, name)


class _OpenCvEncoder:
    """A file written by OpenCV: all pictures are seen for the same time."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, code: str) -> None:
        height, width = size
        fourcc = cv2.VideoWriter.fourcc(code[0], code[1], code[2], code[3])
        self._path, self._frames = path, 0
        self._writer = cv2.VideoWriter(str(path), fourcc, fps, (width, height))
        if not self._writer.isOpened():
            raise OSError(f"OpenCV cannot write the video {path} with the codec {code}")

    def add(self, image: NDArray[np.uint8], time: float) -> None:
        """See `VideoEncoder`; the time is not kept."""
        del time
        self._writer.write(np.ascontiguousarray(image[..., ::-1]))
        self._frames += 1

    def close(self) -> None:
        """Completes the file, and counts its frames: OpenCV says nothing of a full disk.

        Raises:
            OSError: Frames are missing.
        """
        self._writer.release()
        written, capture = 0, cv2.VideoCapture(str(self._path))
        while capture.grab():
            written += 1
        capture.release()
        if written != self._frames:
            raise OSError(f"only {written} of {self._frames} frames were written; is the disk full?")


class _PyAvEncoder:
    """A file written by PyAV: each picture has its own time."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, name: str) -> None:
        import av  # noqa: PLC0415 - an optional extra

        self._error: type[Exception] = av.FFmpegError
        self._picture: Any = av.VideoFrame
        with self._told():
            self._container: Any = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream(name, rate=Fraction(fps).limit_denominator(1001))
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = _PIXELS.get(name, "yuv420p")
        self._stream.codec_context.time_base = Fraction(1, _TICKS)

    def add(self, image: NDArray[np.uint8], time: float) -> None:
        """See `VideoEncoder`.

        Raises:
            OSError: It cannot be written.
        """
        frame = self._picture.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = round(time * _TICKS), Fraction(1, _TICKS)
        self._mux(frame)

    def close(self) -> None:
        """Completes the file.

        Raises:
            OSError: It cannot be written.
        """
        self._mux(None)
        with self._told():
            self._container.close()

    def _mux(self, frame: object) -> None:
        with self._told():
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise OSError(f"FFmpeg says: {error}") from error
