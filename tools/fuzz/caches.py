"""Cache folders as a subject of the fuzzer: what a session makes of changed entries."""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeFamily
from tools.fuzz.inputs import Answer, Duty, FuzzInput, WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["CacheSubject", "Encode", "encode"]

_GREY = 77
_PROLOGUE = struct.Struct("<8sIQ32s")
"""Kind and version, length of the header, length of the file, SHA-256; see `session/encoding/container.py`."""
_HEADERS = (
    b"[" * 5000,
    b"null",
    b"{}",
    b'{"label": 1, "arrays": 2}',
    b'{"label": "x", "arrays": []}',
    b"\xff",
    b"9" * 5000,
)

Change: TypeAlias = "Callable[[bytes, Random], bytes]"
Encode: TypeAlias = "Callable[[Path], tuple[list[float], bool]]"
"""Encodes a grey picture of _GREY with a cache folder; returns its features, and whether they came from the folder."""


def encode(folder: Path) -> tuple[list[float], bool]:
    """Encodes as `Encode` says, with the library."""
    family = FakeFamily({})
    with Sam3Session(family, model="fake", cache_folder=folder) as session:
        features = session.encode(_picture()).arrays()["features"]
    return features.astype(float).tolist(), not family.calls["encode_image"]


def _picture() -> NDArray[np.uint8]:
    return np.full((12, 16, 3), _GREY, np.uint8)


@cache
def _whole() -> tuple[str, bytes]:
    """Name and content of an entry that a session has written."""
    with tempfile.TemporaryDirectory() as folder:
        encode(Path(folder))
        (path,) = Path(folder).glob("*.embedding")
        return path.name, path.read_bytes()


def _sealed(content: bytes) -> bytes:
    """A container with the lengths that it has and the hash that belongs to it."""
    kind, header, _, _ = _PROLOGUE.unpack(content[: _PROLOGUE.size])
    lengths = struct.pack("<IQ", header, len(content))
    digest = hashlib.sha256(lengths + content[_PROLOGUE.size :]).digest()
    return bytes(kind + lengths + digest + content[_PROLOGUE.size :])


def _flipped(content: bytes, chance: Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(content: bytes, chance: Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _other_lengths(content: bytes, chance: Random) -> bytes:
    lengths = struct.pack("<IQ", chance.choice((0, 1, 2**32 - 1)), chance.choice((0, 2**63, 2**64 - 1)))
    return content[:8] + lengths + content[20:]


def _other_header(content: bytes, chance: Random) -> bytes:
    header = chance.choice(_HEADERS)
    return _sealed(content[:8] + struct.pack("<IQ", len(header), 0) + bytes(32) + header + bytes(64))


def _odd_arrays(content: bytes, chance: Random) -> bytes:
    """A header that says other arrays than follow it, under a hash that is right."""
    length = struct.unpack("<I", content[8:12])[0]
    header = json.loads(content[_PROLOGUE.size : _PROLOGUE.size + length])
    kind, shape = chance.choice(("|O", "<f99", "<f4", "x", 7)), chance.choice(([-1], [2**62], ["a"], None, [10**30], 3))
    header["arrays"] = [[name, kind, shape] for name, _, _ in header["arrays"]]
    written = json.dumps(header).encode()
    rest = content[_PROLOGUE.size + length :]
    return _sealed(content[:8] + struct.pack("<IQ", len(written), 0) + bytes(32) + written + rest)


MUTATIONS: dict[str, tuple[Duty, Change]] = {
    "whole": (Duty.AGREE, lambda content, _: content),
    "a bit": (Duty.REFUSE, _flipped),
    "cut": (Duty.REFUSE, _cut),
    "longer": (Duty.REFUSE, lambda content, chance: content + chance.randbytes(chance.randint(1, 500))),
    "bytes of chance": (Duty.REFUSE, lambda _, chance: chance.randbytes(chance.randrange(3000))),
    "lengths": (Duty.REFUSE, _other_lengths),
    "header, right hash": (Duty.REFUSE, _other_header),
    "arrays, right hash": (Duty.REFUSE, _odd_arrays),
}
"""What is done to an entry; what is to be refused has to be encoded anew."""


@dataclass(frozen=True)
class CacheSubject:
    """Whole and changed entries of a cache folder, and what encodes with one."""

    seed: int
    encode: Encode = encode

    def make(self, number: int) -> FuzzInput:
        """Returns the input of a number: mutations take turns."""
        chance = Random(f"{self.seed} {number}")
        mutation = list(MUTATIONS)[number % len(MUTATIONS)]
        duty, change = MUTATIONS[mutation]
        name, content = _whole()
        return FuzzInput("embedding", mutation, duty, {name: change(content, chance)})

    def judge(self, made: FuzzInput, folder: Path) -> Answer:
        """See `Subject.judge`; no error at all may come of an entry, which a session can do without."""
        place = folder / "cache"
        place.mkdir()
        for name, content in made.files.items():
            place.joinpath(name).write_bytes(content)
        features, was_read = self.encode(place)
        if features != [float(_GREY)] * len(features):
            raise WrongAnswerError(f"read as {features[:3]}, but the features are {_GREY}")
        if was_read is not (made.duty is Duty.AGREE):
            raise WrongAnswerError("a whole entry is encoded anew" if was_read is False else "a changed entry is read")
        if [path.name for path in folder.iterdir()] != ["cache"]:
            raise WrongAnswerError("something was written outside the folder")
        return Answer.READ if was_read else Answer.REFUSED
