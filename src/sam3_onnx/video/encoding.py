"""What makes features of frames: handed to a video by whoever has a cache, and the plain way without one."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sam3_onnx.images.origins import SeenPicture, picture_key
from sam3_onnx.images.resizing import to_model_input
from sam3_onnx.results.embedding import Embedding

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import VideoTracker

__all__ = ["FrameEncoder", "Seconds", "UncachedEncoder"]


class FrameEncoder(Protocol):
    """Makes features of frames, for `VideoTracker`."""

    def __call__(self, picture: LoadedPicture, *, cancel: threading.Event | None) -> Embedding:
        """Returns the features of a frame.

        Args:
            picture: The frame.
            cancel: Setting it stops the run.
        """
        ...


class UncachedEncoder:
    """Runs the image encoder each time."""

    def __init__(self, tracker: VideoTracker) -> None:
        self._tracker = tracker

    def __call__(self, picture: LoadedPicture, *, cancel: threading.Event | None) -> Embedding:
        """Returns the features of a frame; see `FrameEncoder`."""
        pixels = to_model_input(picture.pixels, self._tracker.capabilities.input_size)
        features = self._tracker.encode_frame(pixels, cancel=cancel)
        made = Embedding.store(features, size=picture.size, model="video", precision="exact")
        return replace(made, picture=SeenPicture(picture_key(picture.pixels), picture.origin))


class Seconds:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Adds what passes inside to a stage."""
        start = time.perf_counter()
        yield
        self.spent[stage] += time.perf_counter() - start
