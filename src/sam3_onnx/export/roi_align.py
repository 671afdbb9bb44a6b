"""RoIAlign where torchvision is absent: differentiable in PyTorch, the standard operator in ONNX."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["onnx_translation", "roi_align", "roi_align_one", "stand_in_for_torchvision"]


def roi_align(features: torch.Tensor, boxes: torch.Tensor | Sequence[torch.Tensor], output_size: int) -> torch.Tensor:
    """Pools features inside boxes, as `torchvision.ops.roi_align` does with its defaults.

    A bin's average over a regular grid of bilinear samples is the product of two
    one-dimensional averages, so pooling is two small matrix products.

    Args:
        features: (B, C, H, W) float.
        boxes: (B, N, 4), or one (N, 4) tensor for each of the B pictures, xyxy in cells of the features.
        output_size: Bins along each side.

    Returns:
        (B * N, C, output_size, output_size), picture by picture.
    """
    height, width = features.shape[-2:]
    stacked = boxes if isinstance(boxes, torch.Tensor) else torch.stack(list(boxes))
    rows = _averaging_weights(stacked[..., 1], stacked[..., 3], height, output_size)
    cols = _averaging_weights(stacked[..., 0], stacked[..., 2], width, output_size)
    pooled = torch.einsum("bnih,bchw,bnjw->bncij", rows, features, cols)
    return pooled.flatten(0, 1)


def _averaging_weights(start: torch.Tensor, stop: torch.Tensor, cells: int, bins: int) -> torch.Tensor:
    """Weights (..., bins, cells) with which the cells of one axis enter each bin of a box."""
    length = (stop - start).clamp(min=1.0)
    samples = torch.ceil(length / bins)
    most = max(1, math.ceil(max(cells, 1) / bins) + 1)
    index = torch.arange(most, dtype=start.dtype, device=start.device)
    first = torch.arange(bins, dtype=start.dtype, device=start.device)
    step = (length / bins)[..., None, None]
    inside_bin = (index + 0.5) / samples[..., None, None]
    where = start[..., None, None] + (first[:, None] + inside_bin) * step
    counted = (index < samples[..., None, None]) & (where >= -1.0) & (where <= cells)
    grid = torch.arange(cells, dtype=start.dtype, device=start.device)
    hats = (1 - (where.clamp(0, cells - 1)[..., None] - grid).abs()).clamp(min=0)
    share = counted.to(start.dtype) / samples[..., None, None]
    return (hats * share[..., None]).sum(-2)


@torch.library.custom_op("sam3_onnx::roi_align", mutates_args=())
def roi_align_one(features: torch.Tensor, boxes: torch.Tensor, output_size: int) -> torch.Tensor:
    """`roi_align` on one picture, as a single operator that an exporter can translate.

    Args:
        features: (1, C, H, W) float.
        boxes: (N, 4) xyxy in cells of the features.
        output_size: Bins along each side.

    Returns:
        (N, C, output_size, output_size).
    """
    return roi_align(features, [boxes], output_size)


@roi_align_one.register_fake
def _shape_of(features: torch.Tensor, boxes: torch.Tensor, output_size: int) -> torch.Tensor:
    return features.new_empty(boxes.shape[0], features.shape[1], output_size, output_size)


def onnx_translation() -> dict[object, object]:
    """What `torch.onnx.export` needs to write `roi_align_one` as ONNX's RoiAlign.

    torchvision's defaults (aligned=False, adaptive sampling) are RoiAlign's
    "output_half_pixel" with sampling_ratio 0.
    """
    from onnxscript import opset18 as op  # noqa: PLC0415 - only an export needs it

    def translate(features, boxes, output_size: int):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - onnxscript's own values
        count = op.Slice(op.Shape(boxes), [0], [1])
        pictures = op.Expand(op.Constant(value_ints=[0]), count)
        return op.RoiAlign(
            features,
            boxes,
            pictures,
            coordinate_transformation_mode="output_half_pixel",
            mode="avg",
            output_height=output_size,
            output_width=output_size,
            sampling_ratio=0,
            spatial_scale=1.0,
        )

    return {torch.ops.sam3_onnx.roi_align.default: translate}


def stand_in_for_torchvision() -> None:
    """Gives transformers' SAM 3 a RoIAlign if torchvision, which it otherwise takes it from, is absent."""
    import transformers.models.sam3.modeling_sam3 as sam3  # noqa: PLC0415 - heavy, and only needed here

    if not hasattr(sam3, "torchvision"):
        sam3.torchvision = SimpleNamespace(ops=SimpleNamespace(roi_align=roi_align))
