"""First lines of docstrings and messages are free of phrases that readers have to decode."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = ROOT / "src" / "sam3_onnx"
ROOMS = ("annotate", "errors", "geometry", "hub", "images", "integrations", "labels", "optimize", "prompts")
"""Rooms in plain English. A room is added here when its texts have been revised."""
INSTEAD = {
    r"\btold\b": "reported, listed, passed",
    r"\bbe had\b": "available",
    r"\b(?:go|goes|going|gone) on (?:with|where)\b": "continue",
    r"\bas a rule\b": "usually",
    r"\banew\b": "again",
    r"\bat hand\b": "available, or the noun itself",
    r"\bin silence\b": "silently",
    r"\bholds? good\b": "is valid",
    r"\bsays? again\b": "duplicates",
    r"\bcannot say\b": "cannot store",
    r"\bnot (?:hold|say) all\b": "does not contain everything",
    r"\bleft as (?:it is|they are)\b": "not changed",
    r"\b(?:for|refuses) none\b": "disables the check",
    r"\b(?:nobody|somebody|whoever)\b": "the caller, a user, a process",
    r"^Lets? .* pass\b": "checks that",
    r"^(?:As|See) `": "a verb for what the function does",
    r"^Of (?:a|an|all|one|some|the|what)\b": "the noun: size of, name of",
}
"""Phrases that a reader stumbles over, each with plain words for it."""


class Text(NamedTuple):
    """A first line or a message of the library."""

    line: int
    words: str


def texts_in(source: str) -> Iterator[Text]:
    """Yields the first lines of docstrings, and the strings of errors and warnings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (docstring := ast.get_docstring(node)):
            yield Text(node.body[0].lineno, docstring.split("\n")[0])
        elif isinstance(node, ast.Call) and builds_a_message(node):
            strings = (
                part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            yield from (Text(part.lineno, str(part.value)) for part in strings)


def builds_a_message(call: ast.Call) -> bool:
    """Returns whether a call makes an error or a warning."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name.endswith("Error") or name in {"__init__", "warn"}


def faults_in(source: str) -> list[str]:
    """Returns each phrase of a source text that has plainer words, with these words."""
    return [
        f"line {text.line}: {match[0]!r} in {text.words!r}; better: {instead}"
        for text in texts_in(source)
        for phrase, instead in INSTEAD.items()
        if (match := re.search(phrase, text.words))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_first_lines_and_messages_use_plain_words(room: str) -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((SOURCE / room).rglob("*.py"))}
    faults = [f"{path.relative_to(ROOT)}, {fault}" for path, source in sources.items() for fault in faults_in(source)]
    assert any(True for source in sources.values() for _ in texts_in(source)), "is the name of the room right?"
    assert faults == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_says_what_it_contains_and_asks_nothing(room: str) -> None:
    docstrings = {
        path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in (SOURCE / room).rglob("*.py")
    }
    assert [str(path) for path, text in docstrings.items() if text.split("\n")[0].endswith("?")] == []


@pytest.mark.parametrize(
    "source",
    [
        '"""What is told of a picture."""',
        'def size() -> int:\n    """Of all files in bytes."""',
        'class Size:\n    """Lets a size pass."""',
        'raise OptionError("max_pixels", expected="a number, or None for none", got=0)',
        'super().__init__(f"{path} is left as it is.")',
        'warnings.warn(f"{path} does not hold all: {losses}", UserWarning)',
    ],
)
def test_phrases_are_found_in_first_lines_and_in_messages(source: str) -> None:
    assert len(faults_in(source)) == 1
