"""CLIP's tokenizer as SAM 3 uses it: conversion of prompts to the token ids of the text encoder.

SAM 3's reference (`sam3/model/tokenizer_ve.py` in github.com/facebookresearch/sam3)
cleans a prompt with `ftfy.fix_text`, unescapes HTML entities twice, reduces
whitespace to single spaces, converts to lower case, splits with a regular expression
and applies CLIP's byte pair merges. This module does the same steps with the standard
library and the `tokenizers` library, so that neither ftfy nor regex has to be installed.

The ids are those of the reference, with two exceptions:

- Mojibake, UTF-8 that was decoded in another encoding (`cafÃ©` for `café`), is not
  changed; ftfy guesses the original text.
- Letters and digits that were recently added to Unicode count as symbols until the
  `tokenizers` library knows them (in its release 0.23: those newer than Unicode
  16); the reference depends on its release of regex in the same way.
"""

from __future__ import annotations

import functools
import gzip
import html
import re
import unicodedata
from html.entities import html5
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np

from sam3_onnx._support.forking import undivided
from sam3_onnx.errors import OptionError, PromptTooLongError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ClipTokenizer", "clean", "load_tokenizer", "pad"]

_LONG_S = "\u017f"
_PIECES = (
    rf"<[s{_LONG_S}]tart_of_text>|<end_of_text>|'[s{_LONG_S}tmd]|'re|'ve|'ll|"
    r"\p{L}+|\p{N}|[^\s\p{L}\p{N}\x{345}]+"
)
"""Pattern of the reference. It ignores case there: this adds the long s and drops the Greek iota subscript (U+0345)."""

_ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,24};")
_TERMINAL_ESCAPE = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
_SURROGATES = re.compile(r"[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")

_FOLDED: Final = (
    {code: bytes([code]).decode("cp1252", errors="ignore") or chr(code) for code in range(0x80, 0xA0)}
    | {ord(char): unicodedata.normalize("NFKC", char) for char in "ĲĳŉǱǲǳǄǅǆǇǈǉǊǋǌﬀﬁﬂﬃﬄﬆ"}
    | {ord("ﬅ"): f"{_LONG_S}t"}
    | {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x3000, *range(0xFF01, 0xFFF0))}
    | dict.fromkeys((0x2BC, *range(0x2018, 0x201C)), "'")
    | dict.fromkeys(range(0x201C, 0x2020), '"')
)
"""Replaced characters: C1 controls (as in Windows-1252), ligatures, full-width and half-width forms, curly quotes."""

_REMOVED: Final = dict.fromkeys(
    (*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F, *range(0x206A, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFD))
)
"""Control characters that are removed; tab, line feed, form feed and carriage return are kept as whitespace."""


class ClipTokenizer:
    """Byte pair encoding of CLIP, as SAM 3 uses it.

    Creating an instance reads the merge table; `load_tokenizer` keeps one per process.
    An instance can be used by several threads.
    """

    START: Final = 49406
    """Id of the start of every prompt."""
    END: Final = 49407
    """Id of the end of every prompt; the highest of all ids."""
    CONTEXT: Final = 32
    """Number of ids that the text encoder takes, including start and end."""

    def __init__(self) -> None:
        # Geometry and prompts with boxes only do not need this library.
        from tokenizers import Regex, models, pre_tokenizers  # noqa: PLC0415

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        merges = [(first, second) for first, second in map(str.split, _merge_lines())]
        tokens = [*alphabet, *(byte + "</w>" for byte in alphabet), *(first + second for first, second in merges)]
        vocabulary = {token: index for index, token in enumerate(tokens)}
        self._bpe = models.BPE(vocabulary, merges, end_of_word_suffix="</w>")
        self._splitter = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PIECES), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        self._special = {"<start_of_text>": [self.START], "<end_of_text>": [self.END]}

    def encode(self, text: str, *, truncate: bool = False) -> list[int]:
        """Converts a prompt to the token ids that the text encoder takes.

        Args:
            text: The prompt, in any language and case.
            truncate: Whether to cut a prompt that is too long, as the reference
                does: start, the first 30 ids, end.

        Returns:
            `[START, ..., END]`, at most `CONTEXT` ids, each in 0..49407.

        Raises:
            PromptTooLongError: There are more than `CONTEXT` ids, and `truncate` is False.

        Example:
            >>> load_tokenizer().encode("a Cat")
            [49406, 320, 2368, 49407]
        """
        pieces = self._splitter.pre_tokenize_str(clean(text))
        ids = [self.START, *(number for piece, _ in pieces for number in self._ids(piece)), self.END]
        if len(ids) <= self.CONTEXT:
            return ids
        if not truncate:
            raise PromptTooLongError(text, count=len(ids), limit=self.CONTEXT)
        return [*ids[: self.CONTEXT - 1], self.END]

    def _ids(self, piece: str) -> list[int]:
        return self._special.get(piece) or [token.id for token in self._bpe.tokenize(piece)]


@functools.cache
@undivided()
def load_tokenizer() -> ClipTokenizer:
    """Returns the tokenizer of this process, which is created at the first call."""
    return ClipTokenizer()


def pad(ids: Sequence[Sequence[int]], *, pad_id: int, length: int = ClipTokenizer.CONTEXT) -> NDArray[np.int64]:
    """Pads rows of ids to the same length.

    Args:
        ids: P rows, for example of `ClipTokenizer.encode`.
        pad_id: Id to pad with: 0 if the graph derives its mask from `tokens != 0`.
        length: Length of every row in the result.

    Returns:
        `(P, length)` int64.

    Raises:
        OptionError: A row is longer than `length`.
    """
    longest = max(map(len, ids), default=0)
    if longest > length:
        raise OptionError("ids", expected=f"rows of at most {length} ids", got=f"a row of {longest}")
    padded = np.full((len(ids), length), pad_id, dtype=np.int64)
    for row, values in zip(padded, ids, strict=True):
        row[: len(values)] = values
    return padded


def clean(text: str) -> str:
    r"""Cleans a prompt in the same way as the reference before splitting.

    Args:
        text: Any string, including one with lone surrogates.

    Returns:
        The text in lower case, with single spaces, straight quotes and standard
        widths, without HTML entities and control characters.

    Example:
        >>> clean(" A\tﬂuﬀy CAT&rsquo;s tail ")
        "a fluffy cat's tail"
    """
    lines = text.split("\n")
    tagged = next((index for index, line in enumerate(lines) if "<" in line), len(lines))
    repaired = " ".join(_repaired(line, unescape=index < tagged) for index, line in enumerate(lines))
    return " ".join(html.unescape(html.unescape(repaired)).split()).lower()


def _repaired(line: str, *, unescape: bool) -> str:
    """Repairs a line like `ftfy.fix_text`, but without the repair of mojibake."""
    while True:
        before = line
        if unescape:
            line = _ENTITY.sub(_character, line)
        line = line.translate(_FOLDED)
        line = _SURROGATES.sub(_joined, line)
        line = _TERMINAL_ESCAPE.sub("", line)
        line = unicodedata.normalize("NFC", line.translate(_REMOVED))
        if line == before:
            return line


def _character(entity: re.Match[str]) -> str:
    """Decodes an HTML entity that ends with a semicolon; its name may be in capitals (`&EACUTE;`)."""
    escaped = entity[0]
    name = escaped[1:]
    if name in html5:
        return html5[name]
    decoded = html.unescape(escaped)
    if decoded == escaped and name.isupper():
        return html5.get(name.lower(), escaped).upper()
    return escaped if ";" in decoded else decoded


def _joined(surrogates: re.Match[str]) -> str:
    return surrogates[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _merge_lines() -> list[str]:
    packed = (resources.files("sam3_onnx") / "data" / "clip_merges.txt.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8").splitlines()
