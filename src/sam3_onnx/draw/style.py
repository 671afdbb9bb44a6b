"""How results are drawn: the options with their defaults, and the colours.

By default every instance gets a colour of its own: a labeller looks for two coins that were taken for one, so coins
must differ from each other. The colour of the n-th instance is always the same, and so is that of the n-th class.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, get_args

from sam3_onnx._support.checks import is_share, require_choice, require_flag, require_whole
from sam3_onnx._support.keywords import known_keywords, require_known
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typing_extensions import Self

__all__ = ["DEFAULT_OPACITY", "ColorMode", "Colour", "DrawOptions", "DrawStyle", "instance_colour"]

DEFAULT_OPACITY = 0.45
"""Share of the instance's colour in its tint: clearly coloured, with the texture beneath still to be seen."""

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""
ColorMode: TypeAlias = Literal["instance", "class"]
"""What has a colour of its own, as ultralytics names it."""


class DrawOptions(TypedDict, total=False):
    """Keyword arguments of whatever draws a result: `Segmentation.draw`, `save` and `show`, and `draw_result`."""

    opacity: float
    """Of the tint, 0 (none) to 1 (opaque); 0.45 by default. Contours and labels are always opaque."""
    fill: bool
    """Whether masks are tinted; False leaves their contours alone."""
    labels: bool
    """Whether each instance has a chip with its label and score."""
    color_mode: ColorMode
    """"instance", the default, for a colour of its own for each; "class" for one for each label, which stays the same
    when instances are left out."""


@dataclass(frozen=True)
class DrawStyle:
    """The options of one drawing, checked; what was not given has its default.

    Raises:
        OptionError: One is out of its range.
    """

    opacity: float = DEFAULT_OPACITY
    fill: bool = True
    labels: bool = True
    color_mode: ColorMode = "instance"

    def __post_init__(self) -> None:
        if not is_share(self.opacity):
            raise OptionError("opacity", expected="between 0 and 1", got=self.opacity)
        object.__setattr__(self, "opacity", float(self.opacity))  # NumPy multiplies no fractions
        require_flag("fill", self.fill)
        require_flag("labels", self.labels)
        require_choice("color_mode", self.color_mode, get_args(ColorMode))

    @classmethod
    def of(cls, options: DrawOptions, *, also: Iterable[str] = ()) -> Self:
        """Checks options and completes them with their defaults.

        Args:
            options: What a caller passed by keyword.
            also: Keywords that the same call takes beside these options, for messages.

        Raises:
            OptionError: There is no such option, or one is out of its range.
        """
        require_known(options, DrawOptions.__annotations__, also=also)
        return cls(**options)

    def colours(self, labels: Sequence[str], classes: Sequence[str]) -> list[Colour]:
        """Returns the colour of each instance.

        Args:
            labels: Of the instances.
            classes: All labels that there may be, each at the place that its colour comes from.
        """
        if self.color_mode == "instance":
            return [instance_colour(index) for index in range(len(labels))]
        places = {label: place for place, label in enumerate(dict.fromkeys((*classes, *labels)))}
        return [instance_colour(places[label]) for label in labels]


@known_keywords()
def instance_colour(index: int) -> Colour:
    """Colour of the n-th instance, or of the n-th class.

    Hues follow each other by the golden ratio, so that any number of them lies far apart, and every third is paler.

    Args:
        index: From 0.

    Returns:
        Red, green, blue, 0 to 255.

    Raises:
        OptionError: `index` is no whole number of at least 0.
    """
    require_whole("index", index, least=0)
    place = int(index)
    saturation, value = _SHADES[place % len(_SHADES)]
    hue = (_FIRST_HUE + place % _MOST_COLOURS * _GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


_GOLDEN_RATIO = (5**0.5 - 1) / 2
_FIRST_HUE = 0.86
_MOST_COLOURS = 3 << 24
"""From here on they come again; a multiple of the number of shades."""
_SHADES = ((0.75, 1.0), (0.75, 1.0), (0.55, 0.9))
"""Saturation and value. With the first hue they keep the first 12 colours 25 CIELAB units apart, the best of a grid."""
