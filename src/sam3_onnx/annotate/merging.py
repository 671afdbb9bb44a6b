"""New shapes joined to those that a label file holds already."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from sam3_onnx._support.checks import is_share, require_choice
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.window import Window, window_iou
from sam3_onnx.labels.conversion import places_by_instance

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sam3_onnx.results.shape import Shape

__all__ = ["DEFAULT_DUPLICATE_IOU", "Existing", "Merged", "merge_shapes", "require_merging"]

Existing: TypeAlias = Literal["append", "replace", "replace-all", "skip"]
"""What becomes of shapes that a label file holds already: "append" keeps all, "replace" removes those of the labels
that are asked for, "replace-all" removes all; "skip" leaves pictures alone that have a label file."""
DEFAULT_DUPLICATE_IOU = 0.8
"""Mask IoU from which a new shape says again what one of the same label says already."""


@dataclass(frozen=True)
class Merged:
    """The shapes of a picture after new ones joined them."""

    shapes: tuple[Shape, ...]
    kept: tuple[int, ...]
    """Places of the shapes that were added, among those that were found."""
    removed: int
    """Shapes that were there and are no more."""
    duplicates: int
    """Shapes that were found and left out, since they were there already."""

    @property
    def added(self) -> int:
        """Returns how many shapes are new."""
        return len(self.kept)


def require_merging(existing: object, duplicate_iou: object) -> None:
    """Lets the options of `merge_shapes` pass.

    Raises:
        OptionError: One is out of its range.
    """
    require_choice("existing", existing, get_args(Existing))
    if duplicate_iou is not None and not (is_share(duplicate_iou) and duplicate_iou > 0):
        raise OptionError("duplicate_iou", expected="above 0 and at most 1, or None for no check", got=duplicate_iou)


@known_keywords()
def merge_shapes(
    there: Sequence[Shape],
    found: Sequence[Shape],
    *,
    labels: Collection[str],
    size: tuple[int, int],
    existing: Existing,
    duplicate_iou: float | None = DEFAULT_DUPLICATE_IOU,
) -> Merged:
    """Puts new shapes behind those that stay.

    New shapes of one group are one object: they are added together, or left out together. Their groups are numbered
    on from those that are there.

    Args:
        there: What the label file holds.
        found: What was found.
        labels: What was asked for: shapes of these labels give way to the new ones under "replace".
        size: (height, width) of the picture.
        existing: What stays of those that are there.
        duplicate_iou: Leave out what overlaps a staying object of the same label by at least this mask IoU; None to
            leave out only what is there point by point.

    Raises:
        OptionError: An option is out of its range.
    """
    require_merging(existing, duplicate_iou)
    kept = [shape for shape in there if _stays(shape, labels, existing)]
    rivals: dict[str, list[Window]] = defaultdict(list)
    if duplicate_iou is not None:
        wanted = {shape.label for shape in found}
        grouped = [place for place, shape in enumerate(kept) if shape.group_id is not None]
        for places in [*places_by_instance(kept), *([place] for place in grouped)]:
            rival = [kept[place] for place in places]
            if rival[0].label in wanted:
                rivals[rival[0].label] += _window(rival, size)
    next_group = 1 + max((shape.group_id for shape in kept if shape.group_id is not None), default=0)
    known = {_facts(shape) for shape in kept}
    added: dict[int, Shape] = {}
    for places in places_by_instance(found):
        candidate = [found[place] for place in places]
        if all(_facts(shape) in known for shape in candidate) or _overlaps(
            candidate, rivals[candidate[0].label], size, duplicate_iou
        ):
            continue
        is_group = candidate[0].group_id is not None
        numbered = [replace(shape, group_id=next_group) for shape in candidate] if is_group else candidate
        added.update(zip(places, numbered, strict=True))
        next_group += is_group
    return Merged((*kept, *added.values()), tuple(added), len(there) - len(kept), len(found) - len(added))


def _stays(shape: Shape, labels: Collection[str], existing: Existing) -> bool:
    return existing != "replace-all" and not (existing == "replace" and shape.label in labels)


def _facts(shape: Shape) -> tuple[object, ...]:
    """Returns what makes two shapes one and the same, whatever their score and the number of their group."""
    mask = None if shape.mask is None else (shape.mask.shape, shape.mask.tobytes())
    holes = tuple(hole.tobytes() for hole in shape.holes)
    return shape.label, shape.shape_type, shape.points.tobytes(), holes, mask


def _overlaps(
    candidate: Sequence[Shape], rivals: Sequence[Window], size: tuple[int, int], duplicate_iou: float | None
) -> bool:
    if duplicate_iou is None or not rivals:
        return False
    return any(window_iou(mine, rival) >= duplicate_iou for mine in _window(candidate, size) for rival in rivals)


def _window(shapes: Sequence[Shape], size: tuple[int, int]) -> list[Window]:
    """Returns the pixels of an object; none for what has no area."""
    masks = [mask for mask in (shape.to_mask(size) for shape in shapes) if mask is not None]
    if not masks:
        return []
    whole = masks[0]
    for mask in masks[1:]:
        whole = whole | mask
    return [Window.of(whole)]
