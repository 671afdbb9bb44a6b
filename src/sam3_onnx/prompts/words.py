"""Words: the concepts that a class list names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import EmptyPromptError, OptionError
from sam3_onnx.prompts.tokenizer import clean

__all__ = [
    "VISUAL",
    "Concept",
    "TextLike",
    "parse_text",
]

VISUAL: Final = "visual"
"""The word that stands for the text where there are boxes only: `Sam3Processor.add_geometric_prompt` in
`sam3/model/sam3_image_processor.py` of github.com/facebookresearch/sam3."""

_COMMAS = "[,\uff0c\uff64\u3001\u060c|\uff5c\uff1b\u061b\n\r\u2028\u2029]"
_SEMICOLON = r"(?<!&\w\w)(?<!&\w{3})(?<!&\w{4})(?<!&#\w\w)(?<!&#\w{3});"
"""A semicolon that does not end an HTML entity, such as `&amp;`, which the tokenizer reads as the reference does."""
_STOPS = "[.\uff0e\uff61\u3002\u06d4]"
_SEPARATOR = re.compile(rf"{_COMMAS}|{_SEMICOLON}|{_STOPS}(?!\d)|(?<=[^\d\s.,]){_STOPS}")


@dataclass(frozen=True)
class Concept:
    """One thing to look for."""

    prompt: str
    """The words that the text encoder gets."""
    label: str
    """What its instances are called in the result."""


TextLike: TypeAlias = str | Sequence[str] | Mapping[str, str]
"""What `parse_text` takes."""


@known_keywords()
def parse_text(text: TextLike) -> tuple[Concept, ...]:
    """Read the concepts out of a class list.

    Args:
        text: A string, in which commas, periods, semicolons, vertical bars and
            ends of lines separate, also mixed and in their East Asian and Arabic
            forms; a period before a digit separates only after a letter or sign,
            so that `2.5 mm screw` and `.22 cartridge` are one concept. A list or
            tuple of strings, each taken as it is. Or a mapping of prompt to label.

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
