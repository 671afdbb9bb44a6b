"""Results drawn on their picture: tinted masks, contours, and chips with label and score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from sam3_onnx._support.checks import as_entries, as_finite, is_number
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.draw.chips import ChipStyle, draw_chip, place_chips
from sam3_onnx.draw.style import DEFAULT_OPACITY, DrawStyle
from sam3_onnx.errors import MaskError, OptionError, PictureTypeError
from sam3_onnx.geometry.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.draw.style import Colour, DrawOptions
    from sam3_onnx.geometry.mask_sources import MaskSource

__all__ = ["Drawable", "DrawableInstance", "draw_instances", "draw_result", "require_same_size"]


class DrawableInstance(Protocol):
    """What is drawn of one instance."""

    @property
    def label(self) -> str:
        """Name on the chip."""
        ...

    @property
    def score(self) -> float:
        """In 0..1."""
        ...

    @property
    def box(self) -> NDArray[np.float32]:
        """(4,) x1, y1, x2, y2 in pixels of the picture, half-open."""
        ...

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        ...

    @property
    def source(self) -> MaskSource:
        """The mask in pixels of the picture."""
        ...


class Drawable(Protocol):
    """What can be drawn on a picture of its size: a `Segmentation`."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        ...

    @property
    def classes(self) -> Sequence[str]:
        """All labels that there may be, each at the place that its colour comes from."""
        ...

    def __iter__(self) -> Iterator[DrawableInstance]: ...


@known_keywords()
def draw_instances(
    image: NDArray[np.uint8],
    *,
    masks: Sequence[NDArray[np.bool_]],
    labels: Sequence[str],
    scores: Sequence[float],
    boxes: NDArray[np.float32],
    opacity: float = DEFAULT_OPACITY,
) -> NDArray[np.uint8]:
    """Draw instances onto a copy of their picture: tinted masks, contours, and a chip with label and score each.

    Letters and lines grow with the picture. A chip stands above its box where there is room, otherwise where it
    hides least and no other object is nearer, never on another chip, never beyond the picture. In a crowd it says
    the score alone, and it is left out where it would still hide half an object. A label wider than the picture
    ends in dots. One that OpenCV cannot draw (such as Arabic; before OpenCV 5 all but ASCII) is replaced by the
    instance's number, counted from 1: "#3 0.87".

    Args:
        image: (H, W, 3) uint8, RGB.
        masks: N masks (H, W) bool.
        labels: N labels.
        scores: N scores in 0..1.
        boxes: (N, 4) float32 x1, y1, x2, y2 in pixels, half-open.
        opacity: Of the tint, 0 (none) to 1 (opaque). Contours and chips are always opaque.

    Returns:
        (H, W, 3) uint8, RGB; a new array.

    Raises:
        PictureTypeError: The image is not of that shape and dtype, or empty.
        MaskError: A mask is not of that dtype or not of the picture's size.
        OptionError: The numbers of masks, labels, scores and boxes differ, or `opacity` is outside 0..1.
    """
    _require_rgb(image)
    windows = [Window.of(_mask(mask, image.shape[:2])) for mask in as_entries(masks)]
    chips = [as_entries(given) for given in (labels, scores, boxes)]
    counts = (len(windows), *map(len, chips))
    if len(set(counts)) != 1:
        raise OptionError("masks, labels, scores and boxes", expected="of one number", got=counts)
    named, scored, corners = chips
    rows = [tuple(map(as_finite, as_entries(box))) for box in corners]
    if not all(isinstance(label, str) for label in named):
        raise OptionError("labels", expected="made of strings", got=named)
    if not all(is_number(score) for score in scored):
        raise OptionError("scores", expected="made of numbers", got=scored)
    if not all(len(row) == _CORNERS and None not in row for row in rows):
        raise OptionError("boxes", expected="made of x1, y1, x2, y2, finite numbers", got=corners)
    edges = np.array(rows, np.float32).reshape(-1, 4)
    return _drawn(image, windows, labels, scores, edges, DrawStyle(opacity), ())


def _mask(given: object, size: tuple[int, ...]) -> NDArray[np.bool_]:
    if isinstance(given, np.ndarray) and given.dtype == np.bool_ and given.shape == size:
        return given
    got = f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
    raise MaskError(expected=f"bool {size}, as the picture", got=got)


@known_keywords()
def draw_result(image: NDArray[np.uint8], result: Drawable, **options: Unpack[DrawOptions]) -> NDArray[np.uint8]:
    """Draw what a session found onto a copy of the picture, as `draw_instances` does.

    Args:
        image: (H, W, 3) uint8, RGB, as `load_image` returns it.
        result: What `predict` returned for it.
        **options: opacity, fill, labels and color_mode; see `DrawOptions`.

    Returns:
        (H, W, 3) uint8, RGB; a new array.

    Raises:
        PictureTypeError: The image is not of that shape and dtype, empty, or not of the result's size.
        OptionError: There is no such option, or one is out of its range.
    """
    style = DrawStyle.of(options)
    _require_rgb(image)
    if not (hasattr(result, "size") and hasattr(result, "classes")):
        raise OptionError("result", expected="what predict returns", got=type(result).__name__)
    require_same_size(image, result.size)
    found = list(result)
    return _drawn(
        image,
        [instance.source.window for instance in found],
        [instance.label for instance in found],
        [instance.score for instance in found],
        np.array([instance.box for instance in found], np.float32).reshape(-1, 4),
        style,
        result.classes,
    )


def require_same_size(image: NDArray[np.uint8], size: tuple[int, int]) -> None:
    """Lets a picture pass that may be the one of a result of some (height, width).

    Raises:
        PictureTypeError: It is of another size.
    """
    if image.shape[:2] != size:
        raise PictureTypeError(
            expected=f"the picture of this result, {size} high and wide",
            got=f"one of {image.shape[:2]}",
            remedy="Pass the array that load_image returned for the picture.",
        )


def _require_rgb(image: NDArray[np.uint8]) -> None:
    is_array = isinstance(image, np.ndarray)
    if not (is_array and image.size and image.dtype == np.uint8 and image.shape[2:] == (3,)):
        raise PictureTypeError(
            expected="a uint8 array (H, W, 3)",
            got=f"a {image.dtype} array {image.shape}" if is_array else type(image).__name__,
            remedy="Bring it there with load_image(picture).",
        )


def _drawn(
    image: NDArray[np.uint8],
    windows: Sequence[Window],
    labels: Sequence[str],
    scores: Sequence[float],
    boxes: NDArray[np.float32],
    style: DrawStyle,
    classes: Sequence[str],
) -> NDArray[np.uint8]:
    canvas = np.array(image, order="C")
    size = image.shape[0], image.shape[1]
    side = float(np.sqrt(size[0] * size[1]))
    line = max(1, round(side / _SIDE_PER_LINE))
    rim = min(max(1, line // 2), int(side / _SIDE_PER_RIM))
    colours = style.colours(labels, classes)
    visible = [pair for pair in zip(windows, colours, strict=True) if pair[0].area]
    largest_first = sorted(visible, key=lambda pair: -pair[0].area)
    if style.fill:
        for window, colour in largest_first:
            _tint(canvas, window, colour, style.opacity)
    for window, colour in largest_first:
        _outline(canvas, window, colour, line=line, rim=rim)
    if style.labels:
        chips = ChipStyle.for_picture(size, gap=line + 1)
        for chip, colour in zip(place_chips(labels, scores, boxes, chips, size=size), colours, strict=True):
            if chip is not None:
                draw_chip(canvas, chip, chips, colour)
    return canvas


def _tint(canvas: NDArray[np.uint8], window: Window, colour: Colour, opacity: float) -> None:
    height, width = window.mask.shape
    part = canvas[window.y : window.y + height, window.x : window.x + width]
    levels = np.arange(256)[:, None] * (1 - opacity) + np.array(colour) * opacity
    tinted = cv2.LUT(part, np.rint(levels).astype(np.uint8)[None])
    np.copyto(part, tinted, where=window.mask[..., None])


def _outline(canvas: NDArray[np.uint8], window: Window, colour: Colour, *, line: int, rim: int) -> None:
    """Contours of all parts and holes, on a dark rim that lets them stand out from any ground."""
    contours, _ = cv2.findContours(window.mask.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    red, green, blue = (round(_RIM_SHADE * level) for level in colour)
    for ink, thickness in (((red, green, blue), line + 2 * rim), (colour, line)):
        cv2.drawContours(canvas, contours, -1, ink, thickness, cv2.LINE_AA, offset=(window.x, window.y))


_CORNERS = 4
_SIDE_PER_LINE, _SIDE_PER_RIM = 400, 200
"""Pixels of the picture's side for each pixel of line, and for each that the rim may have; tiny pictures have none."""
_RIM_SHADE = 0.35
"""Brightness of the rim as a share of the contour's."""
