"""One object on one frame: found by what points at it or by memory, and remembered.

The steps are those of SAM 3's tracker as transformers has them (`Sam3TrackerVideoModel._run_single_frame_inference`,
`_use_mask_as_output` and `_encode_new_memory`, release 5.24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.forking import undivided
from sam3_onnx.images.resizing import resize_plane
from sam3_onnx.video.memory import Remembered
from sam3_onnx.video.reading import Reading, best_of_three, choose

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays, Recalled, VideoTracker
    from sam3_onnx.video.prompt import FramePrompt

__all__ = ["FrameStep", "Sighting"]

_SHOWN_LOGITS = (-10.0, 10.0)
"""Logits beside and on an object whose mask was given, and of its being there."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """One object on one frame, before it is remembered."""

    reading: Reading
    shown: NDArray[np.float32] | None = None
    """(H, W) logits of the model's input size, where the mask was given; else they are made of the reading's."""


class FrameStep:
    """What can be done with the objects of one frame. It changes nothing."""

    def __init__(
        self,
        tracker: VideoTracker,
        picture: Arrays,
        *,
        size: tuple[int, int],
        cancel: threading.Event | None,
    ) -> None:
        """Runs nothing yet.

        Args:
            tracker: The graphs.
            picture: Features of the frame.
            size: (height, width) of the frame.
            cancel: Setting it stops a run.
        """
        self._tracker, self._picture = tracker, picture
        self._size, self._cancel = size, cancel
        self._input_size = tracker.capabilities.input_size

    def find(self, prompt: FramePrompt | None, recalled: Recalled | None) -> Sighting:
        """Finds one object.

        Args:
            prompt: What points at it; None for memory alone.
            recalled: What is remembered of it; None for nothing yet, or because a mask says all.
        """
        if prompt is not None and prompt.mask is not None:
            return self._shown(prompt)
        attended = None
        if recalled is not None:
            attended = self._tracker.attend(self._picture, recalled, cancel=self._cancel)
        clicks = None if prompt is None else prompt.clicks_in(self._size)
        readings = self._tracker.decode(self._picture, attended=attended, clicks=clicks, cancel=self._cancel)
        points = 0 if prompt is None else prompt.points
        return Sighting(choose(readings, self._tracker.rules, points=points, remembered=recalled is not None))

    def remember(self, sighting: Sighting, *, hard: bool) -> Remembered:
        """Makes the memory of an object that was found.

        Args:
            sighting: The object.
            hard: Whether its mask counts as either 0 or 1, because somebody pointed at an object of this frame.
        """
        reading = sighting.reading
        # Two steps, as in the reference: to the model's input here, from there to the memory encoder's in the graph.
        logits = _enlarged(reading.logits, self._input_size) if sighting.shown is None else sighting.shown
        memory = self._tracker.memorise(
            self._picture, logits, object_logit=reading.object_logit, hard=hard, cancel=self._cancel
        )
        return Remembered(memory, np.array(reading.pointer, np.float32))

    def _shown(self, prompt: FramePrompt) -> Sighting:
        """Takes a mask that was given as the answer; the decoder makes its pointer alone."""
        mask = prompt.mask_in(self._input_size)
        assert mask is not None  # noqa: S101 - whoever calls has looked
        readings = self._tracker.read_mask(self._picture, mask, cancel=self._cancel)
        beside, on = _SHOWN_LOGITS
        shown = mask * np.float32(on - beside) + np.float32(beside)
        rows, columns = readings.masks.shape[1:]
        pointer = best_of_three(readings).pointer
        return Sighting(Reading(resize_plane(shown, (rows, columns)), 1.0, pointer, on), shown)


@undivided()
def _enlarged(logits: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Stretches logits bilinearly, pixel centres at half-integers, to a larger (height, width)."""
    stretched = cv2.resize(np.ascontiguousarray(logits), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return stretched.astype(np.float32, copy=False)
