"""Video files and cameras, read by OpenCV.

It turns frames upright. A broken packet ends its reading without a word, and AV1 opens without giving a
frame; `CountedFrames` notices both.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.errors import VideoOpenError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CameraReader", "OpenCvReader"]

_MOST = 10**8
"""Frames; what is stated beyond is no number of frames (an animated PNG was seen to state -2.8e15)."""


class _CaptureReader:
    """What OpenCV's `VideoCapture` gives, frame by frame."""

    stated: int | None = None
    duration: float | None = None
    survives_fork = False

    def __init__(self, source: str | int, name: str, *, reason: str, remedy: str) -> None:
        """Opens it.

        Raises:
            VideoOpenError: OpenCV cannot.
        """
        self._video = cv2.VideoCapture(source)
        if not self._video.isOpened():
            raise VideoOpenError(name, reason=reason, remedy=remedy)

    def take(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Returns time and picture of the next frame; None at the end, or where a packet is broken."""
        is_read, image = self._video.read()
        if not is_read:
            return None
        return self._time(), np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def skip(self) -> float | None:
        """Leaves the next frame out; returns its time, None at the end."""
        return self._time() if self._video.grab() else None

    def close(self) -> None:
        """Closes the file or the camera."""
        self._video.release()

    def _time(self) -> float:
        """Returns seconds of the frame that was read last."""
        return float(self._video.get(cv2.CAP_PROP_POS_MSEC)) / 1000


class OpenCvReader(_CaptureReader):
    """A video file."""

    def __init__(self, path: str) -> None:
        """Opens it.

        Raises:
            VideoOpenError: OpenCV cannot.
        """
        remedy = 'Check that it is a video. `pip install "sam3-onnx[video]"` reads more kinds.'
        super().__init__(path, path, reason="OpenCV cannot open it", remedy=remedy)
        self._video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # the default of OpenCV 5, but not of 4.11
        count, rate = (self._video.get(name) for name in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
        if 0 < count < _MOST and rate > 0:
            self.stated, self.duration = int(count), count / rate


class CameraReader(_CaptureReader):
    """A camera, whose frames are counted and timed from the first one that is read."""

    def __init__(self, number: int) -> None:
        """Opens it.

        Raises:
            VideoOpenError: There is none of that number, or another program uses it.
        """
        remedy = "Check the number, and that no other program uses the camera."
        super().__init__(number, f"camera {number}", reason="it cannot be opened", remedy=remedy)
        self._began: float | None = None

    def _time(self) -> float:
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        return now - self._began
