"""Resizing mask logits to a picture whose size is an input of the graph."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["resize_masks", "resize_translation"]


@torch.library.custom_op("sam3_onnx::resize_masks", mutates_args=())
def resize_masks(logits: torch.Tensor, height: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
    """Resizes bilinearly with pixel centres at half-integers, as the reference does, in one translatable operator.

    Args:
        logits: (N, 1, h, w) float32; N may be 0.
        height: () int64, of the picture in pixels.
        width: () int64.

    Returns:
        (N, 1, height, width) float32 (`Sam3Processor` of facebookresearch/sam3: `interpolate`, align_corners=False).
    """
    size = int(height), int(width)
    if not len(logits):
        return logits.new_zeros(0, 1, *size)
    return functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)


@resize_masks.register_fake
def _shape_of(logits: torch.Tensor, height: torch.Tensor, width: torch.Tensor) -> torch.Tensor:  # noqa: ARG001 - only values tell
    context = torch.library.get_ctx()
    return logits.new_empty(logits.shape[0], 1, context.new_dynamic_size(), context.new_dynamic_size())


def resize_translation() -> dict[object, object]:
    """What `torch.onnx.export` needs to write `resize_masks` as ONNX's Resize."""
    from onnxscript import opset18 as op  # noqa: PLC0415 - only an export needs it

    def translate(logits, height, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - onnxscript's own values
        sides = op.Concat(op.Reshape(height, [1]), op.Reshape(width, [1]), axis=0)
        return op.Resize(
            logits,
            None,
            None,
            sides,
            axes=[2, 3],
            coordinate_transformation_mode="pytorch_half_pixel",
            mode="linear",
        )

    return {torch.ops.sam3_onnx.resize_masks.default: translate}
