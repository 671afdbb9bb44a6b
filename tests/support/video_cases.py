"""What is done to the short golden video: prompts and propagations, for the reference and for the library alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES, HEIGHT, WIDTH = 12, 120, 160


@dataclass(frozen=True)
class Point:
    """Somebody points at an object on a frame; `thing` is the mask of a thing of the video."""

    track: int
    frame: int
    points: tuple[tuple[float, float], ...] = ()
    labels: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None
    thing: int | None = None


@dataclass(frozen=True)
class Go:
    """Frames are gone through, `until` among them."""

    start: int
    until: int
    reverse: bool = False

    @property
    def path(self) -> range:
        """The frames in order."""
        return range(self.start, self.until - 1, -1) if self.reverse else range(self.start, self.until + 1)


Deed: TypeAlias = "Point | Go"


@dataclass(frozen=True)
class Case:
    """Deeds in order; `seen` are the frames whose last answers are compared."""

    deeds: tuple[Deed, ...]
    seen: range = field(default_factory=lambda: range(FRAMES))


LAST = FRAMES - 1
BALL, PLATE = ((20.0, 40.0),), ((140.0, 80.0),)
ALL = Go(0, LAST)

CASES: dict[str, Case] = {
    "clicks": Case((Point(1, 0, BALL, (1,)), Point(2, 0, PLATE, (1,)), ALL)),
    "boxes": Case((Point(1, 0, box=(2, 22, 38, 58)), Point(2, 0, PLATE, (1,), box=(126, 66, 154, 94)), ALL)),
    "masks": Case((Point(1, 0, thing=0), Point(2, 0, thing=1), ALL)),
    "two_clicks": Case((Point(1, 0, (*BALL, (24.0, 44.0)), (1, 1)), ALL)),
    "corrected": Case(
        (
            *(Point(1, 0, BALL, (1,)), Point(2, 0, thing=1), ALL),
            *(Point(1, 7, ((83.0, 61.0), (10.0, 10.0)), (1, 0)), Go(7, LAST)),
        )
    ),
    "corrected_by_a_mask": Case((Point(1, 0, BALL, (1,)), ALL, Point(1, 6, thing=0), Go(6, LAST))),
    "pointed_at_again": Case(
        (
            *(Point(1, 0, BALL, (1,)), Point(2, 0, thing=1), Go(0, 4), Point(1, 5, ((65.0, 55.0),), (1,)), Go(5, 7)),
            *(Point(3, 8, ((80.0, 60.0),), (1,)), Go(8, LAST)),
        )
    ),
    "late": Case((Point(1, 0, BALL, (1,)), Go(0, 3), Point(2, 4, ((108.0, 72.0),), (1,)), Go(4, LAST))),
    "six_conditioning_frames": Case((*(Point(1, frame, thing=0) for frame in (0, 2, 4, 5, 7, 8)), ALL)),
    "backwards": Case((Point(1, 9, ((101.0, 67.0),), (1,)), Point(2, 9, thing=1), Go(9, 0, reverse=True)), range(10)),
    "both_ways": Case((Point(1, 5, ((65.0, 55.0),), (1,)), Go(5, LAST), Go(5, 0, reverse=True))),
    "corrected_backwards": Case(
        (Point(1, 9, thing=0), Go(9, 0, reverse=True), Point(1, 4, ((56.0, 52.0),), (1,)), Go(4, 0, reverse=True)),
        range(10),
    ),
}


def things() -> tuple[list[NDArray[np.uint8]], list[NDArray[np.bool_]]]:
    """A ball that goes down to the right, in front of it a plate that goes up to the left, on a blurred ground.

    Returns:
        Frames (H, W, 3) uint8 RGB, and for each frame masks (2, H, W) of the two.
    """
    down, across = np.indices((HEIGHT, WIDTH), np.float64)
    ground = np.stack(
        [120 + 60 * np.sin(across / 18 + phase) * np.cos(down / 14 - phase) for phase in (0.0, 1.0, 2.0)], -1
    )
    frames, masks = [], []
    for index in range(FRAMES):
        frame = ground.astype(np.uint8)
        ball = (across - (20 + 9 * index)) ** 2 + (down - (40 + 3 * index)) ** 2 <= 18**2
        plate = (np.abs(across - (140 - 8 * index)) <= 14) & (np.abs(down - (80 - 2 * index)) <= 14)
        frame[ball], frame[plate] = (220, 30, 30), (30, 60, 220)
        frames.append(frame)
        masks.append(np.stack([ball & ~plate, plate]))
    return frames, masks
