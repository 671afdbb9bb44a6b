"""Things followed by what is detected alone, for models without graphs that follow: masks are linked by overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sam3_onnx._support.checks import is_share, require_whole
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.window import Window, window_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.geometry.mask_sources import MaskSource

__all__ = ["Linking", "LinkingRules", "Links", "SeenThing", "Trail", "link_frame"]


class SeenThing(Protocol):
    """One thing that was found on a frame, such as an instance of a result."""

    @property
    def label(self) -> str:
        """What it is called; only things of one label are linked."""
        ...

    @property
    def score(self) -> float:
        """In 0..1."""
        ...

    @property
    def source(self) -> MaskSource:
        """Its mask."""
        ...


@dataclass(frozen=True)
class LinkingRules:
    """The constants of linking."""

    iou_thresh: float = 0.1
    """A thing goes on where its mask has at least this IoU with where it was, or where its motion has led it:
    `assoc_iou_thresh` of `TrackingRules`."""
    new_score: float = 0.7
    """Score that a thing needs to begin, which is not asked for while nothing is followed: `new_det_thresh` there."""
    max_gap: int = 30
    """Frames looked at without the thing, after which it is given up: `track_buffer` of ByteTrack (Zhang et al.,
    2022), one second of most videos."""

    def __post_init__(self) -> None:
        for name in ("iou_thresh", "new_score"):
            if not is_share(getattr(self, name)):
                raise OptionError(name, expected="in 0..1", got=getattr(self, name))
        require_whole("max_gap", self.max_gap, least=0, of="frames")


@dataclass(frozen=True, eq=False)
class Trail:
    """One thing that is followed, as it was last seen."""

    id: int
    """Its number, which no other has before or after."""
    label: str
    window: Window
    """Its mask where it was last seen."""
    motion: tuple[float, float] = (0.0, 0.0)
    """x, y in pixels from one frame to the next, smoothed."""
    gap: int = 0
    """Frames looked at since then."""

    def overlap(self, window: Window) -> float:
        """Returns the IoU with where it was, or with where its motion has led it since, whichever is greater."""
        x, y = (round(step * (self.gap + 1)) for step in self.motion)
        moved = Window(self.window.mask, self.window.x + x, self.window.y + y)
        return max(window_iou(self.window, window), window_iou(moved, window))

    def seen(self, window: Window) -> Trail:
        """Returns the thing as it is where it is seen now."""
        (old_x, old_y), (new_x, new_y) = _center(self.window), _center(window)
        frames = self.gap + 1
        step = ((new_x - old_x) / frames, (new_y - old_y) / frames)
        motion = (_smoothed(self.motion[0], step[0]), _smoothed(self.motion[1], step[1]))
        return replace(self, window=window, motion=motion, gap=0)


@dataclass(frozen=True)
class Links:
    """Everything that is followed after a frame."""

    trails: tuple[Trail, ...] = ()
    """In the order in which they began."""
    next_id: int = 1
    """Number of the next thing that begins."""


@dataclass(frozen=True)
class Linking:
    """What one frame leads to."""

    ids: tuple[int | None, ...]
    """For each thing of the frame the number of what it is; None if it is not sure enough to begin."""
    links: Links
    """What the next frame is linked with."""


def link_frame(links: Links, seen: Sequence[SeenThing], rules: LinkingRules) -> Linking:
    """Links what is found on a frame with what is followed, each with one at most; the greatest overlaps first.

    Things without any pixel are not linked.

    Args:
        links: What is followed after the frame before; `Links()` at first.
        seen: What was found, without repeats, as `predict` with `nms=` returns it.
        rules: Constants.

    Returns:
        The numbers, and what is followed from here on. Nothing was changed.
    """
    windows = [thing.source.window for thing in seen]
    overlaps = [
        (trail.overlap(window), place, number)
        for place, trail in enumerate(links.trails)
        for number, (thing, window) in enumerate(zip(seen, windows, strict=True))
        if trail.label == thing.label
    ]
    by_trail: dict[int, int] = {}
    for overlap, place, number in sorted(overlaps, key=lambda pair: -pair[0]):
        if overlap > 0 and overlap >= rules.iou_thresh and place not in by_trail and number not in by_trail.values():
            by_trail[place] = number
    followed = [
        trail.seen(windows[by_trail[place]]) if place in by_trail else replace(trail, gap=trail.gap + 1)
        for place, trail in enumerate(links.trails)
    ]
    ids: list[int | None] = [None] * len(seen)
    for place, number in by_trail.items():
        ids[number] = links.trails[place].id
    next_id = links.next_id
    for number, (thing, window) in enumerate(zip(seen, windows, strict=True)):
        is_sure = not links.trails or thing.score >= rules.new_score
        if ids[number] is None and window.mask.size and is_sure:
            ids[number] = next_id
            followed.append(Trail(next_id, thing.label, window))
            next_id += 1
    return Linking(tuple(ids), Links(tuple(trail for trail in followed if trail.gap <= rules.max_gap), next_id))


def _center(window: Window) -> tuple[float, float]:
    """x, y of the middle of the rectangle that holds a mask."""
    height, width = window.mask.shape
    return window.x + width / 2, window.y + height / 2


def _smoothed(old: float, new: float) -> float:
    """Half of what was, half of what is: one frame that jumps does not lead astray."""
    return (old + new) / 2
