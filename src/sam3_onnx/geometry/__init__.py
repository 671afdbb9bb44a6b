"""Conversion of masks to polygons, rectangles, rotated boxes and run-length encoding, and the overlap of masks.

All are pure functions over arrays; they need no model and import only NumPy
and OpenCV. Their conventions:

- A mask is an array `(H, W)` or `(1, H, W)` in any memory layout: bool, an
  integer array (nonzero is foreground), or floating-point logits (greater than
  `threshold` is foreground). It is never changed. An array that is not a mask,
  for example one with three channels, no pixels or NaN, raises `MaskError`.
- Points are `(x, y)` in pixels, x to the right, y down; the centre of the
  top left pixel is `(0, 0)`. Polygons and rotated boxes run through the
  centres of the boundary pixels, as OpenCV traces them; rectangles are
  half-open and contain the complete pixels.
- Foreground pixels that touch by a side or a corner belong to one part
  (8-connectivity); background pixels are connected by their sides only.
"""

from __future__ import annotations

from sam3_onnx.geometry.boxes import RotatedBox, mask_to_rectangle, mask_to_rotated_box
from sam3_onnx.geometry.mask_sources import MaskSource
from sam3_onnx.geometry.overlap import mask_iou, mask_iou_matrix, non_max_suppression, suppress_overlaps
from sam3_onnx.geometry.polygons import Outlines, Polygon, mask_to_outlines, mask_to_polygon, mask_to_polygons
from sam3_onnx.geometry.rle import Rle, mask_to_rle, rle_to_mask
from sam3_onnx.geometry.window import Window

__all__ = [
    "MaskSource",
    "Outlines",
    "Polygon",
    "Rle",
    "RotatedBox",
    "Window",
    "mask_iou",
    "mask_iou_matrix",
    "mask_to_outlines",
    "mask_to_polygon",
    "mask_to_polygons",
    "mask_to_rectangle",
    "mask_to_rle",
    "mask_to_rotated_box",
    "non_max_suppression",
    "rle_to_mask",
    "suppress_overlaps",
]
