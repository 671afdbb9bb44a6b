"""The objects of a video: what points at each, what is remembered of it, and where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_whole
from sam3_onnx.errors import UnknownTrackError
from sam3_onnx.geometry.mask_sources import LogitMask, RunLengthMask
from sam3_onnx.prompts.clicks import require_object
from sam3_onnx.video.frame import TrackedInstance
from sam3_onnx.video.memory import MemoryBank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sam3_onnx.models.families.protocol import TrackRules
    from sam3_onnx.video.memory import Remembered
    from sam3_onnx.video.prompt import FramePrompt
    from sam3_onnx.video.reading import Reading
    from sam3_onnx.video.shelf import FileShelf

__all__ = ["Finding", "Track", "Tracks", "finding_of"]

_PROMPT = "clicks"
"""What stands as the prompt of an instance that somebody pointed at."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What is kept of one object on one frame: about as many bytes as its outline has pixels."""

    mask: RunLengthMask
    iou: float
    track_score: float

    def instance(self, track_id: int, label: str, epsilon: float) -> TrackedInstance | None:
        """Returns the object as results have it; None if nothing of it is to be seen."""
        window = self.mask.window
        height, width = window.mask.shape
        if not window.mask.size:
            return None
        box = np.array([window.x, window.y, window.x + width, window.y + height], np.float32)
        return TrackedInstance(
            label, _PROMPT, self.iou, box, self.mask, epsilon, track_id=track_id, track_score=self.track_score
        )


def finding_of(reading: Reading, size: tuple[int, int]) -> Finding:
    """Makes what is kept of a reading.

    Args:
        reading: The object.
        size: (height, width) of the frame.
    """
    mask = LogitMask(reading.logits, size).window.full(size)
    score = float(1 / (1 + np.exp(-np.float64(reading.object_logit))))
    return Finding(RunLengthMask.pack(mask), float(np.clip(reading.iou, 0, 1)), score)


class Track:
    """One object.

    Attributes:
        id: Its number.
        label: What it is called.
        bank: What is remembered of it.
        prompts: What points at it, by frame.
        pending: Frames whose prompts have not been answered yet.
        findings: Where it was found, by frame.
    """

    def __init__(self, track_id: int, label: str, bank: MemoryBank) -> None:
        self.id, self.label, self.bank = track_id, label, bank
        self.prompts: dict[int, FramePrompt] = {}
        self.pending: set[int] = set()
        self.findings: dict[int, Finding] = {}

    def refined(self, frame: int, prompt: FramePrompt) -> FramePrompt:
        """Returns what points at the object on a frame once a prompt is added.

        Raises:
            EmptyPromptError: The object was not followed on this frame, and only what is beside it is shown.
        """
        before = self.prompts.get(frame)
        whole = prompt if before is None else before.refined(prompt)
        if whole.clicks is not None and not self.bank.was_followed(frame):
            require_object(whole.clicks)
        return whole

    def point(self, frame: int, prompt: FramePrompt) -> None:
        """Adds what points at the object on a frame."""
        self.prompts[frame] = self.refined(frame, prompt)
        self.pending.add(frame)

    def is_wanted_on(self, frame: int, *, reverse: bool) -> bool:
        """Whether the object has to be looked for when frames are gone through up to this one.

        It is not before somebody pointed at it, nor on a conditioning frame, whose answer stays.
        """
        if frame in self.pending:
            return True
        shown = self.bank.conditioning
        return frame not in shown and any(each > frame if reverse else each < frame for each in shown)

    def keep(self, frame: int, remembered: Remembered, finding: Finding) -> None:
        """Keeps what a frame left, and where the object was found on it."""
        if frame in self.prompts and not self.bank.was_followed(frame):
            self.bank.keep_conditioning(frame, remembered)
        else:
            self.bank.keep_followed(frame, remembered)
        self.findings[frame] = finding
        self.pending.discard(frame)


class Tracks:
    """All objects of a video, by their numbers, which are counted from 1 and never used again."""

    def __init__(self, rules: TrackRules, shelf: FileShelf | None) -> None:
        """Begins without objects.

        Args:
            rules: How the model was trained to remember.
            shelf: Takes older memories; None where no frame comes twice.
        """
        self._rules, self._shelf = rules, shelf
        self._tracks: dict[int, Track] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __len__(self) -> int:
        return len(self._tracks)

    def __getitem__(self, track_id: object) -> Track:
        number = int(track_id) if is_whole(track_id) else 0
        if number not in self._tracks:
            raise UnknownTrackError(track_id, known=list(self._tracks), was_removed=0 < number < self._next)
        return self._tracks[number]

    def new(self, label: str) -> Track:
        """Returns a new object, which is not among the others before `add`."""
        shelf = None if self._shelf is None else self._shelf.of(self._next)
        return Track(self._next, label, MemoryBank(self._next, self._rules, shelf))

    def add(self, track: Track) -> None:
        """Adds the object that `new` returned."""
        self._tracks[track.id] = track
        self._next = track.id + 1

    def remove(self, track_id: object) -> None:
        """Forgets an object and all that was found of it.

        Raises:
            UnknownTrackError: There is none of this number.
        """
        track = self[track_id]
        del self._tracks[track.id]
        if self._shelf is not None:
            self._shelf.drop(track.id)
