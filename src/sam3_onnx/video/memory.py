"""What is remembered of one object, and what of it a frame is looked at with.

The rules are those of SAM 3's tracker as transformers has them (`Sam3TrackerVideoModel`, release 5.24):
`_select_closest_cond_frames`, `_gather_memory_frame_outputs` and `_get_object_pointers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sam3_onnx.errors import TrackMemoryError
from sam3_onnx.models.families.protocol import Recalled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import TrackRules

__all__ = ["MemoryBank", "MemoryShelf", "Remembered", "nearest_frames"]


@dataclass(frozen=True, eq=False)
class Remembered:
    """What is remembered of one object on one frame."""

    memory: NDArray[np.float16]
    """(D, h, w) of the memory encoder; 0.66 MB at full size."""
    pointer: NDArray[np.float32]
    """(C,) the object as the decoder saw it."""


class MemoryShelf(Protocol):
    """Where memories lie that are not at hand any more."""

    def put(self, frame: int, memory: NDArray[np.float16]) -> None:
        """Keeps the memory of a frame, in place of an older one."""
        ...

    def get(self, frame: int) -> NDArray[np.float16] | None:
        """Returns the memory of a frame; None if it is not there."""
        ...


class MemoryBank:
    """The memory of one object.

    Conditioning frames, on which somebody pointed at the object, stay at hand. Of the other frames, on which it was
    followed, only the latest do, and older ones go to the shelf: what is at hand does not grow with the video but for a
    pointer of 1 KB a frame.

    Attributes:
        conditioning: What is remembered of conditioning frames, in the order in which they were first pointed at.
    """

    def __init__(self, track_id: int, rules: TrackRules, shelf: MemoryShelf | None) -> None:
        """Remembers nothing yet.

        Args:
            track_id: Names the object in messages.
            rules: How the model was trained to remember.
            shelf: Takes older memories; None where no frame comes twice.
        """
        self.conditioning: dict[int, Remembered] = {}
        self._track_id, self._rules, self._shelf = track_id, rules, shelf
        self._latest: dict[int, NDArray[np.float16]] = {}
        self._pointers: dict[int, NDArray[np.float32]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the memories at hand."""
        own = sum(each.memory.nbytes for each in self.conditioning.values())
        return own + sum(memory.nbytes for memory in self._latest.values())

    def was_followed(self, frame: int) -> bool:
        """Whether the object was followed on a frame, rather than pointed at before it was."""
        return frame in self._pointers

    def keep_conditioning(self, frame: int, remembered: Remembered) -> None:
        """Keeps what a conditioning frame left."""
        self.conditioning[frame] = remembered

    def keep_followed(self, frame: int, remembered: Remembered) -> None:
        """Keeps what a frame left on which the object was followed, in place of what it left before."""
        self._latest.pop(frame, None)
        self._latest[frame] = remembered.memory
        self._pointers.pop(frame, None)
        self._pointers[frame] = remembered.pointer
        while len(self._latest) >= self._rules.memories:
            oldest = next(iter(self._latest))
            memory = self._latest.pop(oldest)
            if self._shelf is not None:
                self._shelf.put(oldest, memory)
        if self._shelf is None:
            while len(self._pointers) >= self._rules.pointers:
                del self._pointers[next(iter(self._pointers))]

    def recall(self, frame: int, *, reverse: bool, span: int) -> Recalled:
        """Chooses what a frame is looked at with.

        Args:
            frame: Number of the frame.
            reverse: Whether the object is followed backwards.
            span: Frames of the whole video, `rules.pointers` at most; as many where that is not known.

        Raises:
            TrackMemoryError: The memory of a frame that it needs has been lost.
        """
        back = 1 if reverse else -1
        slots, memories = self._memories(frame, back)
        ages, pointers = self._pointed(frame, back, span)
        width = next(iter(self.conditioning.values())).pointer.shape[0]
        return Recalled(
            memories=np.stack(memories),
            slots=np.array(slots, np.int64),
            pointers=np.array(pointers, np.float32).reshape(-1, width),
            ages=np.array(ages, np.float32) / np.float32(max(span - 1, 1)),
        )

    def _memories(self, frame: int, back: int) -> tuple[list[int], list[NDArray[np.float16]]]:
        """Slots and memories: those of conditioning frames, then those of the frames just before, farthest first."""
        nearest = nearest_frames(self.conditioning, frame, most=self._rules.conditioning)
        slots = [self._rules.memories - 1] * len(nearest)
        memories = [self.conditioning[each].memory for each in nearest]
        for distance in range(self._rules.memories - 1, 0, -1):
            other = frame + back * distance
            if other in self._pointers:
                memories.append(self._found(other, frame))
                slots.append(distance - 1)
            elif other in self.conditioning and other not in nearest:
                memories.append(self.conditioning[other].memory)
                slots.append(distance - 1)
        return slots, memories

    def _found(self, frame: int, wanted_for: int) -> NDArray[np.float16]:
        memory = self._latest.get(frame)
        if memory is None and self._shelf is not None:
            memory = self._shelf.get(frame)
        if memory is None:
            raise TrackMemoryError(self._track_id, frame=wanted_for, lost=frame, start=min(self.conditioning))
        return memory

    def _pointed(self, frame: int, back: int, span: int) -> tuple[list[int], list[NDArray[np.float32]]]:
        """Distances and pointers: those of all conditioning frames that went by, then those of followed ones."""
        ages, pointers = [], []
        for each, remembered in self.conditioning.items():
            age = (each - frame) * back
            if age >= 0:
                ages.append(age)
                pointers.append(remembered.pointer)
        for distance in range(1, span):
            pointer = self._pointers.get(frame + back * distance)
            if pointer is not None:
                ages.append(distance)
                pointers.append(pointer)
        return ages, pointers


def nearest_frames(conditioning: Mapping[int, object], frame: int, *, most: int) -> list[int]:
    """Chooses the conditioning frames that a frame is looked at with.

    These are the nearest one before it, the nearest one at or after it, and then the nearest of the others.

    Args:
        conditioning: Has a key for each conditioning frame; where two are equally near, the earlier key is taken.
        frame: Number of the frame.
        most: How many are chosen at most.
    """
    if len(conditioning) <= most:
        return list(conditioning)
    before = [each for each in conditioning if each < frame]
    after = [each for each in conditioning if each >= frame]
    chosen = [max(before)] if before else []
    chosen += [min(after)] if after else []
    others = sorted((each for each in conditioning if each not in chosen), key=lambda each: abs(each - frame))
    return (chosen + others)[:most]
