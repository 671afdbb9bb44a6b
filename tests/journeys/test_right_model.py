"""What one model made is never taken for another one's."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import sam3_onnx
from sam3_onnx import Sam3Session
from sam3_onnx.errors import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Callable

MINIATURE = Path(sam3_onnx.__file__).parent / "data" / "miniature"
PICTURE = np.zeros((50, 50, 3), np.uint8)


def changed_in_the_middle(path: Path) -> None:
    """Negates the weights of a graph between its first and its last MiB, in place."""
    content = bytearray(path.read_bytes())
    middle = slice(1 << 20, len(content) - (1 << 20))
    at = content.find(bytes(512), middle.start, middle.stop)  # zeros: a byte there changes a weight by a little
    at = at if at > 0 else (middle.start + middle.stop) // 2
    content[at] ^= 1
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(MINIATURE, tmp_path / "model")
    return tmp_path / "model"


def opened(folder: Path, cache: Path) -> Sam3Session:
    return Sam3Session.from_folder(folder, provider="cpu", cache_folder=cache)


def test_a_cache_folder_of_another_model_is_not_used(folder: Path, tmp_path: Path) -> None:
    with opened(folder, tmp_path / "cache") as session:
        session.predict(PICTURE, "coin")
    with opened(folder, tmp_path / "cache") as session:
        session.predict(PICTURE, "coin")
        assert session.cache.info("disk").hits == 2
    changed_in_the_middle(folder / "image_encoder.onnx")
    with opened(folder, tmp_path / "cache") as session:
        session.predict(PICTURE, "coin")
        assert session.cache.info("disk").hits == 0


def test_an_embedding_of_another_model_is_refused_also_from_another_process(folder: Path, tmp_path: Path) -> None:
    with opened(folder, tmp_path / "cache") as session:
        kept, before = pickle.dumps(session.encode(PICTURE)), session.fingerprint
    changed_in_the_middle(folder / "image_encoder.onnx")
    with opened(folder, tmp_path / "cache") as session:
        assert session.fingerprint != before
        with pytest.raises(EmbeddingError):
            session.predict(pickle.loads(kept), "coin")  # noqa: S301 - our own


def sealed(header: bytes) -> bytes:
    """A file of the cache folder whose SHA-256 is right, whatever its header is."""
    header += b" " * (-len(header) % 64)
    lengths = struct.pack("<IQ", len(header), 52 + len(header))
    return b"sam3emb1" + lengths + hashlib.sha256(lengths + header).digest() + header


HEADERS: dict[str, Callable[[str], object]] = {
    "no arrays": lambda label: {"label": label, "arrays": []},
    "a list": lambda _: [],
    "a number": lambda _: 3,
    "no label": lambda _: {},
    "label only": lambda label: {"label": label},
    "another label": lambda _: {"label": "x", "arrays": []},
    "arrays are a number": lambda label: {"label": label, "arrays": 3},
    "an array of two parts": lambda label: {"label": label, "arrays": [["a", "<f4"]]},
    "no such dtype": lambda label: {"label": label, "arrays": [["a", "zz", [1]]]},
    "objects": lambda label: {"label": label, "arrays": [["a", "O", [0]]]},
    "a huge shape": lambda label: {"label": label, "arrays": [["a", "<f4", [1 << 60]]]},
    "a shape below zero": lambda label: {"label": label, "arrays": [["a", "<f4", [-1]]]},
    "a shape of text": lambda label: {"label": label, "arrays": [["a", "<f4", ["1"]]]},
    "names that are numbers": lambda label: {"label": label, "arrays": [[1, "<f4", [0]], [2, "<f4", [0]]]},
    "empty arrays of an embedding": lambda label: {
        "label": label,
        "arrays": [["size", "<i8", [0]], ["model", "<U1", [0]], ["feature:a", "<f4", [0]]] if "image" in label else [],
    },
}


@pytest.mark.parametrize("kind", [*HEADERS, "nested too deep", "no JSON", "no text"])
def test_an_entry_that_is_sealed_and_no_embedding_is_computed_again(kind: str, tmp_path: Path) -> None:
    with opened(MINIATURE, tmp_path) as session:
        expected = session.predict(PICTURE, "coin")
    entries = list(tmp_path.glob("*.embedding"))
    for path in entries:
        content = path.read_bytes()
        label = json.loads(content[52 : 52 + struct.unpack("<I", content[8:12])[0]])["label"]
        raw = {"nested too deep": b"[" * 5000, "no JSON": b"x", "no text": b"\xff\xfe"}.get(kind)
        path.write_bytes(sealed(raw or json.dumps(HEADERS[kind](label)).encode()))
    with opened(MINIATURE, tmp_path) as session:
        assert session.predict(PICTURE, "coin") == expected
        assert session.cache.info("disk").damaged == len(entries) == 2
