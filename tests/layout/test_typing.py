"""Does the user code that the type checker has seen also run?

mypy holds `typing_examples.py` against the types, where CI runs it over the tests.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from sam3_onnx import Sam3Session

PICTURE = np.full((60, 90, 3), 100, np.uint8)


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parent / "typing_examples.py"))


@pytest.fixture
def session() -> Sam3Session:
    found = [FakeInstance((0.1, 0.2, 0.5, 0.8)), FakeInstance((0.5, 0.5, 0.9, 0.9), score=0.7)]
    return fake_session({"coin": found, "visual": found, "person": found})


def test_questions(examples: dict[str, Any], session: Sam3Session) -> None:
    assert examples["ask_in_words"](session, PICTURE) == ["coin", "coin"]
    assert examples["ask_with_boxes"](session, PICTURE).labels == ["object", "object"]
    assert examples["handle_errors"](session, PICTURE).startswith("ask again: The prompt is empty")


def test_an_embedding(examples: dict[str, Any], session: Sam3Session) -> None:
    info = examples["encode_once"](session, PICTURE)
    assert (info.hits, info.misses, info.entries) == (0, 1, 1)


def test_encoding_ahead(examples: dict[str, Any], session: Sam3Session, tmp_path: Path) -> None:
    ahead = examples["encode_ahead"](session, [tmp_path / "gone.png"], PICTURE)
    assert (ahead.encoded, list(ahead.failures)) == ((0,), [1])


def test_pictures(
    examples: dict[str, Any], session: Sam3Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pil = pytest.importorskip("PIL.Image")
    cv2.imwrite(str(tmp_path / "street.jpg"), PICTURE)
    monkeypatch.chdir(tmp_path)
    deep = PICTURE.astype(np.uint16) << 8
    examples["every_kind_of_picture"](session, tmp_path / "street.jpg", pil.fromarray(PICTURE), deep)
    assert session.cache.info().misses == 1


def test_results(examples: dict[str, Any], session: Sam3Session) -> None:
    result = session.predict(PICTURE, "coin")
    low, high = examples["read_a_result"](result)
    assert low.score < high.score
    assert examples["read_an_instance"](high) == ("coin", high.score)
    assert examples["pass_on"](result).shape == PICTURE.shape
    labels = examples["write_labels"](result)
    assert [label for label, _ in labels] == ["coin"] * 6


def test_geometry_and_fake(examples: dict[str, Any]) -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[5:12, 8:20] = True
    assert examples["geometry_alone"](mask, mask.astype(np.float32)) == 1.0
    assert examples["use_the_fake"]().labels == ["coin"]
