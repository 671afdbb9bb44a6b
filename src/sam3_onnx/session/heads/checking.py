"""Questions checked against what a model can be asked, before a graph runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sam3_onnx._support.checks import is_share, require_flag, require_label
from sam3_onnx._support.units import in_words
from sam3_onnx.errors import EmptyPromptError, OptionError, UnsupportedPromptError
from sam3_onnx.prompts.boxes import Box, parse_boxes
from sam3_onnx.prompts.marks import parse_marks
from sam3_onnx.prompts.words import VISUAL, Concept, parse_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.models.families.protocol import Capabilities
    from sam3_onnx.prompts.boxes import BoxesLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.prompts.words import TextLike

__all__ = [
    "BOXES_ONLY_LABEL",
    "boxes_of",
    "concepts_of",
    "cut_of",
    "nms_of",
    "threshold_of",
    "thresholds_of",
    "unsupported",
]

BOXES_ONLY_LABEL = "object"


def concepts_of(text: TextLike | None, label: str | None, allowed: Capabilities) -> tuple[Concept, ...]:
    """The prompts of a question; without words, the one that the reference uses for boxes.

    Raises:
        PromptError: The words cannot be used, or not by this family.
        OptionError: A label beside words, or one that is no string.
    """
    if label is not None:
        require_label(label)
    if text is None:
        return (Concept(VISUAL, label or BOXES_ONLY_LABEL),)
    if label is not None:
        remedy = 'Words are labelled with {"prompt": "label"}.'
        raise OptionError("label", expected="left out when there is text", got=label, remedy=remedy)
    if not allowed.text:
        raise unsupported(allowed, "words", "Use an export with a text encoder, beside this one if need be.")
    return parse_text(text)


def boxes_of(
    boxes: BoxesLike | None,
    marks: MarksLike | None,
    size: tuple[int, int],
    allowed: Capabilities,
    *,
    with_text: bool,
) -> tuple[Box, ...]:
    """The boxes of a question, clipped to a picture of the given (height, width).

    Raises:
        PromptError: Nothing was asked, a box cannot be used, or not by this family.
    """
    given = parse_boxes(boxes if boxes is not None else (), size)
    given += parse_boxes(parse_marks(marks), size) if marks is not None else ()
    if not with_text and not any(box.positive for box in given):
        raise EmptyPromptError(got=f"{len(given)} negative boxes and no word" if given else "no word and no box")
    if given and not allowed.boxes:
        remedy = "Use an export whose decoder takes boxes of examples, such as a native bundle."
        raise unsupported(allowed, "boxes of examples", remedy)
    if not allowed.negative_boxes and not all(box.positive for box in given):
        raise unsupported(allowed, "negative boxes", "Leave the negative boxes out.")
    if allowed.max_boxes is not None and len(given) > allowed.max_boxes:
        remedy = "Ask with fewer boxes at a time, or use an export that takes several, such as a native bundle."
        raise unsupported(allowed, f"{in_words(len(given), 'box', 'boxes')} in one prompt", remedy)
    return given


def unsupported(allowed: Capabilities, wanted: str, remedy: str) -> UnsupportedPromptError:
    """Returns the error for what a model cannot be asked.

    Args:
        allowed: What it can be asked, which the message lists.
        wanted: What was asked.
        remedy: What to do instead.
    """
    most = "" if allowed.max_boxes is None else f"at most {allowed.max_boxes} "
    kinds = {
        "words": allowed.text,
        f"{most}boxes of examples": allowed.boxes and allowed.negative_boxes,
        f"{most}positive boxes of examples": allowed.boxes and not allowed.negative_boxes,
        "clicks on one object (predict_object)": allowed.points,
        "videos (session.video)": allowed.video,
    }
    takes = " and ".join(kind for kind, can in kinds.items() if can)
    return UnsupportedPromptError(family=allowed.family, wanted=wanted, allowed=takes, remedy=remedy)


def threshold_of(value: float, allowed: Capabilities) -> float:
    """A threshold that the family can answer at.

    Raises:
        OptionError: It is no number in 0..1, or below what the graph has cut.
    """
    if not is_share(value):
        raise OptionError("conf_threshold", expected="a number in 0..1", got=value)
    lowest = allowed.lowest_threshold
    if value < lowest:
        expected = f"at least {lowest} with a model of the {allowed.family} family, whose decoder cuts there"
        remedy = "For lower thresholds use an export with raw scores, such as a native bundle."
        raise OptionError("conf_threshold", expected=expected, got=value, remedy=remedy)
    return float(value)


def thresholds_of(
    asked: float | Mapping[str, float] | None, concepts: Sequence[Concept], *, default: float, allowed: Capabilities
) -> tuple[float, ...]:
    """Returns the threshold of each concept.

    Args:
        asked: One for all, some by prompt or label, or None.
        concepts: What is looked for.
        default: Of concepts for which none was asked.
        allowed: What the model can answer.

    Raises:
        OptionError: One is no number in 0..1 or below what the graph has cut, or is for a word that is not asked for.
    """
    if not isinstance(asked, Mapping):
        return (default if asked is None else threshold_of(asked, allowed),) * len(concepts)
    names = {name for concept in concepts for name in (concept.prompt, concept.label)}
    unknown = [name for name in asked if name not in names]
    if unknown:
        expected = f"thresholds of words that are asked for: {', '.join(concept.prompt for concept in concepts)}"
        raise OptionError("conf_threshold", expected=expected, got=unknown[0])
    by_name = {name: threshold_of(value, allowed) for name, value in asked.items()}
    return tuple(by_name.get(one.prompt, by_name.get(one.label, default)) for one in concepts)


def cut_of(*, asked: bool | None, default: bool) -> bool:
    """Whether masks are cut to their boxes.

    Raises:
        OptionError: It is neither True nor False nor None.
    """
    if asked is None:
        return default
    require_flag("cut_to_box", asked)
    return asked


def nms_of(value: float | Literal[False] | None, default: float | None) -> float | None:
    """The IoU above which a weaker instance is dropped; None for no suppression.

    Raises:
        OptionError: It is neither an IoU nor False nor None.
    """
    if value is None:
        return default
    if value is False:
        return None
    if not is_share(value):
        raise OptionError("nms", expected="an IoU in 0..1, False or None", got=value)
    return float(value)
