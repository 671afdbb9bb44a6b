"""Results that people can look at: instances drawn on their picture, and the form that a notebook shows."""

from sam3_onnx.draw.notebook import NOTEBOOK_ROWS, NOTEBOOK_SIDE, html_of, png_of
from sam3_onnx.draw.overlay import DEFAULT_OPACITY, Drawable, draw_instances, draw_result, instance_colour

__all__ = [
    "DEFAULT_OPACITY",
    "NOTEBOOK_ROWS",
    "NOTEBOOK_SIDE",
    "Drawable",
    "draw_instances",
    "draw_result",
    "html_of",
    "instance_colour",
    "png_of",
]
