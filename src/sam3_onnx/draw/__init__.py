"""Results that people can look at: instances drawn on their picture."""

from sam3_onnx.draw.overlay import Drawable, DrawableInstance, draw_instances, draw_result
from sam3_onnx.draw.style import DEFAULT_OPACITY, ColorMode, Colour, DrawOptions, instance_colour

__all__ = [
    "DEFAULT_OPACITY",
    "ColorMode",
    "Colour",
    "DrawOptions",
    "Drawable",
    "DrawableInstance",
    "draw_instances",
    "draw_result",
    "instance_colour",
]
