"""Results held back for some frames, so that what is removed meanwhile was never shown."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

__all__ = ["held_back"]

_Frame = TypeVar("_Frame")


def held_back(
    frames: Iterable[tuple[_Frame, Collection[int]]],
    delay: int,
    without: Callable[[_Frame, Collection[int]], _Frame],
) -> Iterator[_Frame]:
    """Delivers each frame when the one `delay` - 1 frames later is there, and the rest when all are.

    As `propagate_in_video_iterator` in transformers does with 15. Where the frames end in an error, those that are
    held back come before it: they are finished.

    Args:
        frames: Each with the ids of the tracks that it removes.
        delay: Frames held at a time; 0 and 1 deliver at once.
        without: Returns a frame without the tracks of some ids.

    Yields:
        The frames in order, without the tracks that were removed until they are delivered.
    """
    waiting: deque[_Frame] = deque()
    removed: set[int] = set()
    try:
        for frame, gone in frames:
            removed |= set(gone)
            waiting.append(frame)
            if len(waiting) >= delay:
                yield without(waiting.popleft(), removed)
    except Exception:
        yield from (without(frame, removed) for frame in waiting)
        raise
    yield from (without(frame, removed) for frame in waiting)
