"""Short videos and sessions with a fake tracker, for tests of everything around the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeVideoTracker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sam3_onnx.video import Sam3VideoSession

HEIGHT, WIDTH = 60, 80


def gray_frames(count: int, *, black: Iterable[int] = ()) -> list[NDArray[np.uint8]]:
    """Frames (60, 80, 3), each of another gray, and some of them black, on which nothing is to be seen."""
    dark = set(black)
    return [np.full((HEIGHT, WIDTH, 3), 0 if index in dark else 1 + index % 255, np.uint8) for index in range(count)]


def fake_video(
    count: int = 12, *, black: Iterable[int] = (), tracker: FakeVideoTracker | None = None
) -> Sam3VideoSession:
    """A video of gray frames in a session with a fake tracker."""
    session = Sam3Session(None, heads={"video": tracker or FakeVideoTracker()}, model="fake")
    return session.video(gray_frames(count, black=black))
