# /// script
# requires-python = ">=3.10"
# dependencies = ["ftfy==6.3.1", "regex==2026.11.15"]
# ///
"""Write the token ids that SAM 3's reference gives for a few thousand texts.

    uv run tools/tokenizer/make_golden.py

The tests compare the library with this file, and so need neither ftfy nor regex.
The steps follow `SimpleTokenizer` in `sam3/model/tokenizer_ve.py` of
github.com/facebookresearch/sam3 at commit 99d02f2, on ftfy and regex themselves.

Characters are taken from Unicode 3.2 and from early emoji only: which of the
newer ones are letters depends on the versions of Python, regex and tokenizers.
"""

from __future__ import annotations

import gzip
import html
import json
import random
import unicodedata
from html.entities import html5
from itertools import pairwise
from pathlib import Path

import ftfy
import regex

ROOT = Path(__file__).parents[2]
MERGES = ROOT / "src" / "sam3_onnx" / "data" / "clip_merges.txt.gz"
PROMPTS = Path(__file__).with_name("prompts.txt")
TARGET = ROOT / "tests" / "data" / "tokenizer" / "tokenizer_golden.json.gz"

SEED = 20261122
RANDOM_TEXTS = 3000
SPECIAL = ["<start_of_text>", "<end_of_text>"]

CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'\u017f", "\u2019s", "\u02bct"]
LITERALS = [*SPECIAL, "<END_OF_TEXT>", "<|startoftext|>", "<|endoftext|>", "<<start_of_text>", "<b>", "</b>"]
ESCAPES = ["\x1b[0m", "\x1b[31;1m", "\x1b[", "\x1b", "\ud83d\ude00", "\ud83d", "\ude00", "\x93", "\x94", "\x85", "\x81"]
SPACES = list(" \t\n\r\f\v\x00\x1c\x1f\x7f\u00a0\u2003\u2028\u2029\u200b\u200d\u202e\u3000\ufeff\ufffc")
MARKS = list("'\"’‘“”‚„«»–—…•.,;:!?/\\|()[]{}<>@#$%^&*_-+=~`°™®©²½№€£·¿。、，")  # noqa: RUF001 (look-alikes are what is tested)
EMOJI = list("😀🚗🐕👍🏽🍎✈️❤️🇩🇪👩‍🚒")


class Reference:
    """The reference's steps, written for clarity instead of speed."""

    def __init__(self) -> None:
        printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
        others = [byte for byte in range(256) if byte not in printable]
        self.byte_names = {byte: chr(byte) for byte in printable}
        self.byte_names |= {byte: chr(256 + index) for index, byte in enumerate(others)}
        lines = gzip.decompress(MERGES.read_bytes()).decode("utf-8").splitlines()
        self.ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
        names = list(self.byte_names.values())
        tokens = [*names, *(name + "</w>" for name in names), *("".join(pair) for pair in self.ranks), *SPECIAL]
        self.ids = {token: index for index, token in enumerate(tokens)}
        self.pattern = regex.compile(
            "|".join(SPECIAL) + r"|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE
        )

    def encode(self, text: str) -> list[int]:
        """Give the ids without start and end."""
        text = html.unescape(html.unescape(ftfy.fix_text(text)))
        text = regex.sub(r"\s+", " ", text.strip()).strip().lower()
        return [self.ids[token] for piece in self.pattern.findall(text) for token in self.merged(piece)]

    def merged(self, piece: str) -> list[str]:
        """Apply the merges to one piece, the earliest in the table first."""
        if piece in SPECIAL:
            return [piece]
        *head, last = (self.byte_names[byte] for byte in piece.encode("utf-8"))
        tokens = [*head, last + "</w>"]
        while len(tokens) > 1:
            pair = min(pairwise(tokens), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if pair not in self.ranks:
                break
            tokens = joined(tokens, pair)
        return tokens


def joined(tokens: list[str], pair: tuple[str, str]) -> list[str]:
    """Join every occurrence of a pair, from the left."""
    result: list[str] = []
    position = 0
    while position < len(tokens):
        width = 2 if tuple(tokens[position : position + 2]) == pair else 1
        result.append("".join(tokens[position : position + width]))
        position += width
    return result


def random_texts(prompts: list[str], count: int) -> list[str]:
    """Mix words, punctuation, entities, white space and single characters of every script."""
    chance = random.Random(SEED)
    words = sorted({word for prompt in prompts for word in prompt.split()})
    unused = {"Cn", "Co", "Cs"}
    characters = [chr(code) for code in range(0x20000) if unicodedata.ucd_3_2_0.category(chr(code)) not in unused]
    widths = [chr(code) for code in range(0xFF01, 0xFFF0)]

    def entity() -> str:
        name = chance.choice([*html5, f"#{chance.randrange(0x3000)};", f"#x{chance.randrange(0x500):x}"])
        return chance.choice(["&", "&", "&amp;"]) + chance.choice([name, name, name.upper()])

    def word() -> str:
        return chance.choice([str.upper, str.title, str, str])(chance.choice(words))

    def symbol() -> str:
        return chance.choice(chance.choice([MARKS, SPACES, EMOJI, CONTRACTIONS, LITERALS, ESCAPES, widths, characters]))

    def text() -> str:
        parts = (chance.choice([word, word, symbol, entity])() for _ in range(chance.randint(1, 9)))
        return "".join(part + chance.choice(["", " "]) for part in parts)

    return [text() for _ in range(count)]


def free_of_mojibake(text: str) -> bool:
    """Tell whether ftfy leaves the encoding of a text, and of what its entities stand for, alone."""
    return ftfy.fix_text(text) == ftfy.fix_text(text, fix_encoding=False)


def known_to_both(text: str) -> bool:
    """Tell whether a text, unescaped, has no character that Unicode assigned lately."""
    cleaned = html.unescape(html.unescape(ftfy.fix_text(text)))
    return all(char in EMOJI or unicodedata.ucd_3_2_0.category(char) != "Cn" for char in cleaned)


def garbled(prompts: list[str]) -> list[str]:
    """Give the prompts that ftfy restores after their UTF-8 was read as Windows-1252."""
    misread = (prompt.encode("utf-8").decode("cp1252", errors="ignore") for prompt in prompts if not prompt.isascii())
    return [text for text in misread if not free_of_mojibake(text)]


def main() -> None:
    """Write the golden file."""
    prompts = PROMPTS.read_text(encoding="utf-8").splitlines()
    reference = Reference()
    same = [text for text in random_texts(prompts, RANDOM_TEXTS) if free_of_mojibake(text) and known_to_both(text)]
    golden = {
        "same": [(text, reference.encode(text)) for text in dict.fromkeys([*prompts, *same])],
        "mojibake": [(text, reference.encode(text)) for text in garbled(prompts)],
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(json.dumps(golden).encode("ascii"), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
