"""Entries of a cache folder that are sealed rightly, and hold other arrays than the model makes, are made anew."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.session.encoding.container import load, pieces_of
from tests.support.places import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays: TypeAlias = dict[str, NDArray[np.generic]]

D1 = DATA / "batched" / "batched_geometry"
KINDS = ["image", "text"]
FORGERIES: dict[str, Callable[[str, NDArray[np.generic]], Arrays]] = {
    "missing": lambda name, array: {},  # noqa: ARG005 - each takes both
    "renamed": lambda name, array: {name + "_": array},
    "extra": lambda name, array: {name: array, name + "_": array},
    "axis too many": lambda name, array: {name: array[None]},
    "flat": lambda name, array: {name: array.reshape(-1)},
    "too long": lambda name, array: {name: np.concatenate([array, array], axis=-1)},
    "too many": lambda name, array: {name: np.concatenate([array, array])},
    "none": lambda name, array: {name: array[:0]},
    "integers": lambda name, array: {name: array.astype(np.int64)},
    "words": lambda name, array: {name: array.astype(str)},
}
"""What stands in the place of one array."""


def label_of(path: Path) -> str:
    content = path.read_bytes()
    (length,) = struct.unpack("<I", content[8:12])
    label: str = json.loads(content[52 : 52 + length])["label"]
    return label


def forge(folder: Path, kind: str, forgery: Callable[[str, NDArray[np.generic]], Arrays]) -> int:
    """Seals other arrays into the entries of a kind, once for each array; returns how many there are."""
    (path,) = [path for path in folder.glob("*.embedding") if label_of(path).startswith(kind)]
    label = label_of(path)
    with path.open("rb") as file:
        arrays = load(file, label)
    name = next(name for name in arrays if name not in ("size", "model"))
    others = {key: array for key, array in arrays.items() if key != name}
    path.write_bytes(b"".join(bytes(piece) for piece in pieces_of(label, others | forgery(name, arrays[name]))))
    return len(arrays)


def picture() -> NDArray[np.uint8]:
    pixels = np.full((120, 160, 3), 255, np.uint8)
    pixels[30:80, 40:90] = (220, 20, 20)
    return pixels


@pytest.mark.parametrize(
    "model",
    [
        "miniature",
        "D1",
        *(pytest.param(name, marks=pytest.mark.peers) for name in ("A_six_file", "D2_batched", "E_text_only")),
    ],
)
def test_other_arrays_are_made_anew(tmp_path: Path, model: str, request: pytest.FixtureRequest) -> None:
    def opened() -> Sam3Session:
        if model == "miniature":
            return Sam3Session.from_pretrained("miniature", provider="cpu", cache_folder=tmp_path)
        folder = D1 if model == "D1" else request.getfixturevalue("peer_fixtures") / model
        return Sam3Session.from_folder(folder, provider="cpu", cache_folder=tmp_path)

    with opened() as session:
        expected = session.predict(picture(), "red square").scores
        damaged = 0
        for kind in KINDS:
            for name, forgery in FORGERIES.items():
                session.cache.info("disk")  # waits until all is written
                forge(tmp_path, kind, forgery)
                session.cache.images.clear()
                session.cache.texts.clear()
                answer = session.predict(picture(), "red square").scores
                np.testing.assert_array_equal(answer, expected, err_msg=f"{kind}, {name}")
                damaged += 1
                assert session.cache.info("disk").damaged == damaged, f"{kind}, {name}"


@pytest.mark.parametrize("entry", ["size", "model"])
def test_an_embedding_of_another_picture_or_model_is_made_anew(tmp_path: Path, entry: str) -> None:
    with Sam3Session.from_pretrained("miniature", provider="cpu", cache_folder=tmp_path) as session:
        session.encode(picture())
        session.cache.info("disk")
        (path,) = tmp_path.glob("*.embedding")
        label = label_of(path)
        with path.open("rb") as file:
            arrays = load(file, label)
        arrays[entry] = np.array([5, 7]) if entry == "size" else np.array("another")
        path.write_bytes(b"".join(bytes(piece) for piece in pieces_of(label, arrays)))
        session.cache.images.clear()
        assert session.encode(picture()).size == (120, 160)
        assert session.cache.info("disk").damaged == 1
