"""The shapes of a result, with what they do not say of its masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.labels.losses import Loss
from sam3_onnx.results.instance import part_shapes, require_mode, require_parts
from sam3_onnx.results.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sam3_onnx.geometry.polygons import Outlines
    from sam3_onnx.results.instance import Instance
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["shapes_of", "thin_losses"]


@known_keywords()
def shapes_of(
    result: Segmentation,
    mode: ShapeType = "polygon",
    *,
    epsilon: float | None = None,
    parts: Literal["largest", "all"] = "largest",
    min_area: float = 0,
) -> tuple[list[Shape], tuple[Loss, ...]]:
    """Returns the shapes of a result as `Segmentation.shapes` does, and what they leave out.

    Args:
        result: What was found.
        mode: "polygon", "rectangle", "rotation" or "mask".
        epsilon: Of polygons, as a fraction of the perimeter; None for the session's.
        parts: Of polygons: "largest" or "all".
        min_area: With all parts of polygons, leave out those of fewer pixels. They were asked to be left out, and are
            no losses.

    Raises:
        OptionError: Another mode, or other parts.

    Example:
        >>> import numpy as np
        >>> from sam3_onnx.testing import FakeInstance, fake_session
        >>> session = fake_session({"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))]})
        >>> shapes, losses = shapes_of(session.predict(np.zeros((64, 64, 3), np.uint8), "wire"), "polygon")
        >>> shapes, str(losses[0])
        ([], 'wire: mask too thin for a polygon left out')
    """
    require_mode(mode)
    require_parts(parts)
    if not isinstance(result, Segmentation):
        raise OptionError("result", expected="what predict returns", got=type(result).__name__)
    if mode == "polygon" and parts == "all":
        outlined = [(instance, instance.outlines(epsilon, min_area=min_area)) for instance in result]
        lost = tuple(
            loss for instance, outlines in outlined for loss in thin_losses(instance, outlines, min_area=min_area)
        )
        return list(part_shapes((instance, outlines.polygons) for instance, outlines in outlined)), lost
    shapes: list[Shape] = []
    losses: list[Loss] = []
    for instance in result:
        shape = instance.shape(mode, epsilon=epsilon)
        if shape is None:
            losses.append(_whole(instance, mode))
            continue
        shapes.append(shape)
        if mode in {"polygon", "rotation"}:
            losses += _beside_the_largest(instance, mode, min_area)
    return shapes, tuple(losses)


def thin_losses(instance: Instance, outlines: Outlines, *, min_area: float = 0) -> Iterator[Loss]:
    """Yields what of an instance has no polygon: all of it, some of its parts, some of their holes.

    Args:
        instance: What was found.
        outlines: Its outlines.
        min_area: Pixels that parts had to have for them.
    """
    has_losses = outlines.lost_parts or outlines.lost_holes
    exact = instance.outlines(0, min_area=min_area) if has_losses else outlines
    if not outlines.polygons and (outlines.lost_parts or not instance.area):
        yield _whole(instance, "polygon")
    else:
        yield from _lost(instance.label, "part", outlines.lost_parts, exact.lost_parts, "left out")
    yield from _lost(instance.label, "hole", outlines.lost_holes, exact.lost_holes, "filled")


def _lost(label: str, what: str, count: int, thin: int, became: str) -> Iterator[Loss]:
    """Yields parts or holes without a polygon: too thin for one, or too small for the epsilon."""
    thin = min(count, thin)
    yield from [Loss(label, f"{what} too thin for a polygon", became)] * thin
    yield from [Loss(label, f"{what} too small for this epsilon", became)] * (count - thin)


def _beside_the_largest(instance: Instance, mode: ShapeType, min_area: float) -> Iterator[Loss]:
    """Yields what a shape does not say that goes around the largest part."""
    outlines = instance.outlines(0, min_area=min_area)
    others = len(outlines.polygons) + outlines.lost_parts - 1
    yield from [Loss(instance.label, "part beside the largest", "left out")] * others
    if mode == "polygon" and outlines.polygons and outlines.polygons[0].holes:
        yield Loss(instance.label, "holes", "filled")


def _whole(instance: Instance, mode: ShapeType) -> Loss:
    if not instance.area:
        return Loss(instance.label, "empty mask", "left out")
    if mode == "polygon" and instance.polygon(0) is not None:
        return Loss(instance.label, "mask too small for this epsilon", "left out")
    return Loss(instance.label, f"mask too thin for a {mode}", "left out")
