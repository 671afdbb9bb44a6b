"""What points at one object on one frame: clicks, a box, or its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sam3_onnx.errors import EmptyPromptError, MaskError, OptionError
from sam3_onnx.geometry.mask_sources import RunLengthMask
from sam3_onnx.images.resizing import resize_plane
from sam3_onnx.models.families.protocol import Clicks
from sam3_onnx.prompts.clicks import ObjectPrompt, parse_clicks
from sam3_onnx.results.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sam3_onnx.prompts.boxes import BoxLike
    from sam3_onnx.prompts.clicks import PointsLike

__all__ = ["FramePrompt", "MaskLike", "parse_prompt"]

MaskLike: TypeAlias = "NDArray[np.bool_] | NDArray[np.integer] | Instance"
"""A mask (H, W) of the frame's size, True or above 0 on the object; or an instance of an earlier result."""


@dataclass(frozen=True)
class FramePrompt:
    """Everything that points at one object on one frame, in pixels of the frame."""

    clicks: ObjectPrompt | None = None
    mask: RunLengthMask | None = None
    """It goes before clicks: one of the two is None."""

    def refined(self, more: FramePrompt) -> FramePrompt:
        """This prompt and a later one: clicks are added to clicks, all else takes the older one's place."""
        if self.clicks is None or more.clicks is None:
            return more
        return FramePrompt(self.clicks.refined(more.clicks))

    @property
    def points(self) -> int:
        """Number of points as the model counts them, a box as its two corners."""
        if self.clicks is None:
            return 0
        return len(self.clicks.points) + (0 if self.clicks.box is None else 2)

    def clicks_in(self, size: tuple[int, int]) -> Clicks | None:
        """Returns the clicks in shares of a frame of the given (height, width); None for a mask."""
        if self.clicks is None:
            return None
        return Clicks(self.clicks.points_in(size), self.clicks.labels_array(), self.clicks.box_in(size))

    def mask_in(self, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """Returns the mask stretched to (height, width), 1 on the object and 0 beside it; None for clicks."""
        if self.mask is None:
            return None
        whole = self.mask.window.full(self.mask.size).astype(np.float32)
        stretched = whole if whole.shape == size else resize_plane(whole, size)
        mask: NDArray[np.float32] = (stretched >= 0.5).astype(np.float32)  # noqa: PLR2004 - half of a pixel
        return mask


def parse_prompt(
    points: PointsLike | None,
    point_labels: Iterable[int] | None,
    box: BoxLike | None,
    mask: MaskLike | None,
    *,
    size: tuple[int, int],
) -> FramePrompt:
    """Reads what points at an object.

    Args:
        points: (x, y) of each click in pixels of the frame.
        point_labels: For each click 1 on the object or 0 beside it; None for all on it.
        box: A box around the object.
        mask: The object's mask, in place of clicks and a box.
        size: (height, width) of the frame.

    Raises:
        EmptyPromptError: There is nothing.
        OptionError: There is a mask, and something beside it.
        MaskError: The mask is none, of another size, or empty.
        PointError: A click cannot be used.
        BoxError: The box cannot be used.
    """
    if mask is None:
        clicks = parse_clicks(points, point_labels, box, size)
        if not clicks.points and clicks.box is None:
            remedy = "Pass points=[(x, y)], box=Box(x1, y1, x2, y2), or mask=."
            raise EmptyPromptError(got="no point, no box and no mask", expected="one of them", remedy=remedy)
        return FramePrompt(clicks)
    if points is not None or point_labels is not None or box is not None:
        raise OptionError("mask", expected="given without points and box", got="both", remedy="Give one of the two.")
    return FramePrompt(mask=RunLengthMask.pack(_mask_of(mask, size)))


def _mask_of(mask: object, size: tuple[int, int]) -> NDArray[np.bool_]:
    whole = mask.mask if isinstance(mask, Instance) else mask
    expected = f"True and False of shape ({size[0]}, {size[1]}), the frame's height and width"
    if not isinstance(whole, np.ndarray) or whole.dtype.kind not in "bui":
        got = f"{whole.dtype} of shape {whole.shape}" if isinstance(whole, np.ndarray) else type(whole).__name__
        raise MaskError(expected=expected, got=got, remedy="For logits, pass logits > 0.")
    if whole.shape != size:
        raise MaskError(expected=expected, got=f"shape {whole.shape}", remedy="Resize it to the frame first.")
    found: NDArray[np.bool_] = whole > 0
    if not found.any():
        raise MaskError(expected="a mask with the object in it", got="an empty one", remedy="Leave the object out.")
    return found
