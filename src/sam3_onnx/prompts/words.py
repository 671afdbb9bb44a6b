"""What is asked for: which concepts does a text name, and which boxes does a person mean?

Everything here turns what people write into `Concept` and `Box`, or says why it
cannot. Models take boxes as `normalised_cxcywh` and `box_labels` give them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sam3_onnx.errors import BoxError, EmptyPromptError, MarkError, OptionError, UnsupportedPromptError
from sam3_onnx.prompts.tokenizer import clean

__all__ = [
    "VISUAL",
    "Box",
    "BoxesLike",
    "Concept",
    "MarksLike",
    "TextLike",
    "box_labels",
    "normalised_cxcywh",
    "parse_box",
    "parse_boxes",
    "parse_marks",
    "parse_text",
]

VISUAL: Final = "visual"
"""The word that stands for the text where there are boxes only: `Sam3Processor.add_geometric_prompt` in
`sam3/model/sam3_image_processor.py` of github.com/facebookresearch/sam3."""

_COMMAS = "[,\uff0c\uff64\u3001]"
_STOPS = "[.\uff0e\uff61\u3002]"
_SEPARATOR = re.compile(rf"{_COMMAS}|{_STOPS}(?!\d)|(?<=[^\d\s.,]){_STOPS}")
_CORNERS = 4
_FORMS = "Box(x1, y1, x2, y2) or (x1, y1, x2, y2)"


@dataclass(frozen=True)
class Concept:
    """One thing to look for."""

    prompt: str
    """What the model is told."""
    label: str
    """What its instances are called in the result."""


@dataclass(frozen=True)
class Box:
    """An axis-parallel box that shows the model what is meant, or what is not.

    Half-open: it covers the pixels whose centres lie in `x1 <= x < x2`, `y1 <= y < y2`.
    """

    x1: float
    """Left edge, in pixels of the picture."""
    y1: float
    """Upper edge."""
    x2: float
    """Right edge."""
    y2: float
    """Lower edge."""
    positive: bool = True
    """Whether the box shows an example; otherwise it shows what is not meant."""


TextLike: TypeAlias = str | Sequence[str] | Mapping[str, str]
"""What `parse_text` takes."""
BoxesLike: TypeAlias = Iterable[Box | Sequence[float] | NDArray[np.number]]
"""What `parse_boxes` takes; an (N, 4) array is such an iterable."""
MarksLike: TypeAlias = Iterable[Mapping[str, object]]
"""What `parse_marks` takes."""


def parse_text(text: TextLike) -> tuple[Concept, ...]:
    """Read the concepts out of a class list.

    Args:
        text: A string, in which commas and periods separate, also mixed and in
            their East Asian forms; a period before a digit separates only after
            a letter or sign, so that `2.5 mm screw` and `.22 cartridge` are one
            concept. A list or tuple of strings, each taken as it is. Or a mapping
            of prompt to label.

    Returns:
        The concepts in the order given, without surrounding spaces, blanks and
        duplicates. Two prompts are duplicates where the model sees the same text
        (`Cat`, `cat`); the first one stays.

    Raises:
        EmptyPromptError: No concept is left.
        OptionError: `text` is of another type, a label is blank, or a mapping
            gives two labels to what the model sees as one prompt.

    Example:
        >>> [concept.prompt for concept in parse_text("person, 2.5 mm screw. Person")]
        ['person', '2.5 mm screw']
    """
    found: dict[str, Concept] = {}
    for concept in _listed(text):
        seen = clean(concept.prompt)
        if not seen:
            continue
        first = found.setdefault(seen, concept)
        if isinstance(text, Mapping) and first.label != concept.label:
            got = {first.prompt: first.label, concept.prompt: concept.label}
            raise OptionError("text", expected="a mapping with one label for each prompt, whatever its case", got=got)
    if not found:
        raise EmptyPromptError(got=f"the text {text!r}")
    return tuple(found.values())


def parse_boxes(boxes: BoxesLike, size: tuple[int, int]) -> tuple[Box, ...]:
    """Bring boxes into order and into the picture.

    Args:
        boxes: `Box` objects, sequences `(x1, y1, x2, y2)`, which are positive, or
            an `(N, 4)` array of them, in pixels of the picture.
        size: Height and width of the picture in pixels.

    Returns:
        The boxes in the order given, each with `0 <= x1 < x2 <= width` and
        `0 <= y1 < y2 <= height`.

    Raises:
        BoxError: One is not four finite numbers, lies outside the picture, has
            no area in it, or is so small that fractions must be meant.

    Example:
        >>> parse_boxes([(90, 80, 10, -5)], size=(60, 100))
        (Box(x1=10.0, y1=0.0, x2=90.0, y2=60.0, positive=True),)
    """
    if isinstance(boxes, Box):
        raise BoxError(repr(boxes), reason="it is not in a list", expected="a list of boxes: boxes=[Box(...)]")
    if not isinstance(boxes, Iterable):
        raise _not_a_box(boxes, f"a list of {_FORMS}", size)
    return tuple(_inside(box, size, f"a list of {_FORMS}") for box in boxes)


def parse_box(box: object, size: tuple[int, int]) -> Box:
    """Bring the one box around an object into order and into the picture.

    Args:
        box: A `Box` or a sequence `(x1, y1, x2, y2)`, in pixels of the picture.
        size: Height and width of the picture in pixels.

    Returns:
        The box as `parse_boxes` gives it.

    Raises:
        BoxError: It is no box that `parse_boxes` would take.

    Example:
        >>> parse_box((90, 80, 10, -5), size=(60, 100))
        Box(x1=10.0, y1=0.0, x2=90.0, y2=60.0, positive=True)
    """
    return _inside(box, size, f"one {_FORMS}")


def parse_marks(marks: MarksLike) -> tuple[Box, ...]:
    """Read boxes from marks in the form that X-AnyLabeling uses.

    Args:
        marks: `{"type": "rectangle", "data": [x1, y1, x2, y2], "label": 1}` with
            opposite corners in pixels of the picture, label 1 for what is meant
            and 0 for what is not.

    Returns:
        The boxes in the order given, for `parse_boxes` to check against a picture.

    Raises:
        UnsupportedPromptError: A mark is a point.
        MarkError: A mark has another form.
    """
    if isinstance(marks, Mapping) or not isinstance(marks, Iterable):
        raise MarkError(repr(marks), reason="it is not in a list")
    return tuple(map(_marked, marks))


def normalised_cxcywh(boxes: Sequence[Box], size: tuple[int, int]) -> NDArray[np.float32]:
    """Give boxes as the models take them.

    Args:
        boxes: N boxes inside the picture, as `parse_boxes` gives them.
        size: Height and width of the picture in pixels.

    Returns:
        `(N, 4)` float32: centre x, centre y, width, height as fractions of the
        picture's width and height, in 0..1.
    """
    height, width = size
    rows = [
        (
            (box.x1 + box.x2) / (2 * width),
            (box.y1 + box.y2) / (2 * height),
            (box.x2 - box.x1) / width,
            (box.y2 - box.y1) / height,
        )
        for box in boxes
    ]
    return np.array(rows, dtype=np.float32).reshape(-1, _CORNERS)


def box_labels(boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Give `(N,)` int64: 1 for a positive box, 0 for a negative one."""
    return np.array([box.positive for box in boxes], dtype=np.int64)


def _listed(text: object) -> list[Concept]:
    """Give a concept for each item of a class list, blank ones and duplicates included."""
    if isinstance(text, Mapping):
        return [Concept(_string(prompt), _label(label)) for prompt, label in text.items()]
    if isinstance(text, str):
        prompts = [item.strip() for item in _SEPARATOR.split(text)]
    elif isinstance(text, Sequence) and not isinstance(text, bytes | bytearray):
        prompts = [_string(item) for item in text]
    else:
        expected = "a string, a list of strings, or a mapping of prompt to label"
        raise OptionError("text", expected=expected, got=text)
    return [Concept(prompt, prompt) for prompt in prompts]


def _string(item: object) -> str:
    if not isinstance(item, str):
        raise OptionError("text", expected="made of strings", got=item)
    return item.strip()


def _label(item: object) -> str:
    label = _string(item)
    if not label:
        raise OptionError("text", expected="a mapping with a label for each prompt", got=item)
    return label


def _inside(box: object, size: tuple[int, int], forms: str) -> Box:
    """Order the corners of a box and clip it to the picture."""
    corners = _finite((box.x1, box.y1, box.x2, box.y2) if isinstance(box, Box) else box)
    if corners is None:
        raise _not_a_box(box, forms, size)
    height, width = size
    x1, x2 = sorted((corners[0], corners[2]))
    y1, y2 = sorted((corners[1], corners[3]))
    positive = box.positive if isinstance(box, Box) else True
    inside = Box(max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)), positive)
    if not (inside.x1 < inside.x2 and inside.y1 < inside.y2):
        reason = "it has no area" if x1 == x2 or y1 == y2 else "it lies outside the picture"
    elif _looks_like_fractions(inside, size):
        reason = "it covers a pixel or less; boxes are in pixels, not in fractions of the picture"
    else:
        return inside
    raise BoxError(repr(box), reason=reason, expected=f"x1, y1, x2, y2 with an area inside {_shown(size)}")


def _looks_like_fractions(box: Box, size: tuple[int, int]) -> bool:
    return max(box.x2 - box.x1, box.y2 - box.y1) < 1 or max(box.x2, box.y2) <= 1 < max(size)


def _not_a_box(box: object, forms: str, size: tuple[int, int]) -> BoxError:
    return BoxError(
        repr(box),
        reason="it is not four finite numbers",
        expected=f"{forms} inside {_shown(size)}",
    )


def _shown(size: tuple[int, int]) -> str:
    height, width = size
    return f"the picture of {width} x {height} pixels (width x height)"


def _finite(values: object) -> tuple[float, float, float, float] | None:
    """Give four finite numbers, or None where there is anything else."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or len(values) != _CORNERS:
        return None
    if not all(isinstance(value, SupportsFloat) and math.isfinite(value) for value in values):
        return None
    x1, y1, x2, y2 = map(float, values)
    return x1, y1, x2, y2


def _marked(mark: object) -> Box:
    if not isinstance(mark, Mapping):
        raise MarkError(repr(mark), reason="it is not a mapping")
    kind, corners, label = mark.get("type"), _finite(mark.get("data")), mark.get("label")
    if kind == "point":
        raise UnsupportedPromptError(
            family="concept",
            wanted=f"the point mark {mark!r}",
            allowed="words and boxes",
            remedy="A point means one object: pass it to predict_object, or draw a box around an example instead.",
        )
    if kind != "rectangle":
        raise MarkError(repr(mark), reason=f"its type is {kind!r}")
    if corners is None:
        raise MarkError(repr(mark), reason="its data is not four finite numbers")
    if label not in (0, 1):
        raise MarkError(repr(mark), reason=f"its label is {label!r}")
    return Box(*corners, positive=bool(label))
