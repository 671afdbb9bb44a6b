"""Text prompts: reading of class lists into concepts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import EmptyPromptError, OptionError
from sam3_onnx.prompts.tokenizer import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "VISUAL",
    "Concept",
    "TextLike",
    "parse_text",
]

VISUAL: Final = "visual"
"""Text prompt that is used if there are only boxes: `Sam3Processor.add_geometric_prompt` in
`sam3/model/sam3_image_processor.py` of github.com/facebookresearch/sam3."""

_COMMAS = "[,;\uff0c\uff64\u3001\u060c|\uff5c\uff1b\u061b\n\r\u2028\u2029]"
_STOPS = "[.\uff0e\uff61\u3002\u06d4]"
_SEPARATOR = re.compile(rf"{_COMMAS}|{_STOPS}(?!\d)|(?<=[^\d\s.,]){_STOPS}")
_ENTITY = re.compile(r"&#?\w+;")
"""What may be an HTML entity, such as `&amp;` or `&eacute;`. The tokenizer decodes entities, so they are not split."""


@dataclass(frozen=True)
class Concept:
    """A concept to look for: a prompt and the label of its instances."""

    prompt: str
    """Text for the text encoder."""
    label: str
    """Label of its instances in the result."""


TextLike: TypeAlias = str | Sequence[str] | Mapping[str, str]
"""Text prompts in a form that `parse_text` accepts."""


@known_keywords()
def parse_text(text: TextLike) -> tuple[Concept, ...]:
    """Reads the concepts of a class list.

    Args:
        text: A string with one or more concepts, a list or tuple of strings, or a
            mapping of prompt to label. In a string, concepts are separated by
            commas, periods, semicolons, vertical bars and line breaks, also in
            their East Asian and Arabic forms; a period before a digit separates
            only after a letter or sign, so that `2.5 mm screw` and
            `.22 cartridge` are one concept. Items of a list are not split.

    Returns:
        The concepts in the given order, without surrounding spaces, empty items
        and duplicates. Two prompts are duplicates if the model sees the same text
        (`Cat`, `cat`); the first one is kept.

    Raises:
        EmptyPromptError: The text contains no concept.
        OptionError: `text` has another type, a label is empty, or a mapping gives
            two labels to prompts that are the same text to the model.

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
            raise OptionError("text", expected="a mapping with one label for each prompt, ignoring case", got=got)
    if not found:
        raise EmptyPromptError(got=f"the text {text!r}")
    return tuple(found.values())


def _listed(text: object) -> list[Concept]:
    """Returns a concept for each item of a class list, including empty ones and duplicates."""
    if isinstance(text, Mapping):
        return [Concept(_string(prompt), _label(label)) for prompt, label in text.items()]
    if isinstance(text, str):
        prompts = [item.strip() for item in _split(text)]
    elif isinstance(text, Sequence) and not isinstance(text, bytes | bytearray):
        prompts = [_string(item) for item in text]
    else:
        expected = "a string, a list of strings, or a mapping of prompt to label"
        raise OptionError("text", expected=expected, got=text)
    return [Concept(prompt, prompt) for prompt in prompts]


def _split(text: str) -> Iterator[str]:
    """Yields the parts of a text between separators; the semicolon of an HTML entity is not a separator."""
    entity_ends = {found.end() for found in _ENTITY.finditer(text) if html.unescape(found[0]) != found[0]}
    start = 0
    for separator in _SEPARATOR.finditer(text):
        if separator.end() not in entity_ends:
            yield text[start : separator.start()]
            start = separator.end()
    yield text[start:]


def _string(item: object) -> str:
    if not isinstance(item, str):
        raise OptionError("text", expected="made of strings", got=item)
    return item.strip()


def _label(item: object) -> str:
    label = _string(item)
    if not label:
        raise OptionError("text", expected="a mapping with a label for each prompt", got=item)
    return label
