"""Folders of native bundles as a subject of the fuzzer: what `from_folder` makes of changed files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sam3_onnx import Sam3Session
from sam3_onnx.errors import Sam3Error
from tools.fuzz.inputs import Answer, Duty, FuzzInput, WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ask", "BundleSubject", "ask"]

_BUNDLE = Path(__file__).parents[2] / "tests" / "data" / "native"
_ROLES = ("image_encoder", "text_encoder", "decoder")
_PICTURE = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
_VALUES = {
    b"\x05false": (b"\x05FALSE", b"\x05flase", b"\x050.5.5"),
    b"\x030.5": (b"\x031.5", b"\x03nan", b"\x03-.5", b"\x030,5"),
    b"\x07112x168": (b"\x07112x16x", b"\x07-12x168", b"\x07000x168", b"\x0799999x9"),
}
"""Entries of a manifest as they stand in the file, with their lengths, and others that are none."""

Files: TypeAlias = "dict[str, bytes]"
Change: TypeAlias = "Callable[[Files, Random], Files]"
Ask: TypeAlias = "Callable[[Path], list[float]]"
"""Opens a folder, asks for a word in a picture, and returns the scores."""


def ask(folder: Path) -> list[float]:
    """Asks as `Ask` says, with the library."""
    with Sam3Session.from_folder(folder, provider="cpu", threads=1, conf_threshold=0) as session:
        return [float(score) for score in session.predict(_PICTURE, "coin").scores]


@cache
def _whole() -> Files:
    return {f"{role}.onnx": (_BUNDLE / f"{role}.onnx").read_bytes() for role in _ROLES}


@cache
def _answer() -> list[float]:
    return ask(_BUNDLE)


def _one(change: Callable[[bytes, Random], bytes]) -> Change:
    """A change of one of the files."""

    def changed(files: Files, chance: Random) -> Files:
        name = chance.choice(sorted(files))
        return {**files, name: change(files[name], chance)}

    return changed


def _flip(content: bytes, chance: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(changed)


def _without(files: Files, chance: Random) -> Files:
    gone = chance.choice(sorted(files))
    return {name: content for name, content in files.items() if name != gone}


def _other_value(content: bytes, chance: Random) -> bytes:
    entry = chance.choice(sorted(_VALUES))
    return content.replace(entry, chance.choice(_VALUES[entry]))


def _junk(files: Files, chance: Random) -> Files:
    half = files["decoder.onnx"][: chance.randrange(len(files["decoder.onnx"]))]
    junk = {
        "._decoder.onnx": b"\0\5\x16\7" + chance.randbytes(100),
        ".hidden.onnx": files["decoder.onnx"],
        "decoder.onnx.part": half,
        "decoder (1).onnx": half,
        "notes.onnx": chance.randbytes(chance.randrange(200)),
        "decoder_fp16.onnx": b"",
    }
    return {**files, **{name: junk[name] for name in chance.sample(sorted(junk), chance.randint(1, len(junk)))}}


MUTATIONS: dict[str, tuple[Duty, Change]] = {
    "whole": (Duty.AGREE, lambda files, _: files),
    "junk beside it": (Duty.AGREE, _junk),
    "cut": (Duty.REFUSE, _one(lambda content, chance: content[: chance.randrange(len(content))])),
    "a file is missing": (Duty.REFUSE, _without),
    "manifest": (Duty.REFUSE, _one(_other_value)),
    "bytes of chance": (Duty.REFUSE, _one(lambda _, chance: chance.randbytes(chance.randrange(5000)))),
    "millions of fields": (
        Duty.REFUSE,
        _one(lambda content, chance: content + b"\x08\x01" * chance.randint(10**6, 10**7)),
    ),
    "one twice": (Duty.REFUSE, lambda files, _: {**files, "text_encoder.onnx": files["decoder.onnx"]}),
    "bytes changed": (Duty.EITHER, _one(_flip)),
}
"""What is done to the files of a bundle."""


@dataclass(frozen=True)
class BundleSubject:
    """Whole and changed bundles, and what opens and asks one."""

    seed: int
    ask: Ask = ask

    def make(self, number: int) -> FuzzInput:
        """Returns the input of a number: mutations take turns."""
        chance = Random(f"{self.seed} {number}")
        mutation = list(MUTATIONS)[number % len(MUTATIONS)]
        duty, change = MUTATIONS[mutation]
        return FuzzInput("native", mutation, duty, change(_whole(), chance))

    def judge(self, made: FuzzInput, folder: Path) -> Answer:
        """See `Subject.judge`."""
        for name, content in made.files.items():
            folder.joinpath(name).write_bytes(content)
        try:
            scores = self.ask(folder)
        except Sam3Error as error:
            if made.duty is Duty.AGREE:
                raise WrongAnswerError(f"a whole bundle is refused: {error}") from error
            return Answer.REFUSED
        if made.duty is Duty.REFUSE:
            raise WrongAnswerError("an impossible bundle is opened")
        if not all(0 <= score <= 1 for score in scores):
            raise WrongAnswerError(f"scores of {min(scores)} to {max(scores)}")
        if made.duty is Duty.AGREE and scores != _answer():
            raise WrongAnswerError("answers otherwise than the bundle")
        return Answer.READ
