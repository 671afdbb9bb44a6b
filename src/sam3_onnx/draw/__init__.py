"""Results that people can look at: instances drawn on their picture."""

from sam3_onnx.draw.overlay import (
    DEFAULT_OPACITY,
    Colour,
    Drawable,
    DrawableInstance,
    draw_instances,
    draw_result,
    instance_colour,
)

__all__ = [
    "DEFAULT_OPACITY",
    "Colour",
    "Drawable",
    "DrawableInstance",
    "draw_instances",
    "draw_result",
    "instance_colour",
]
