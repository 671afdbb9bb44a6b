"""Do rows of a table say all that a result says, and nothing of a picture get lost?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Instance
from sam3_onnx.errors import MaskError, OptionError, PictureDecodeError
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.integrations.rows import Row, failures_of, results_of, row_of_failure, rows_of
from sam3_onnx.results import Segmentation
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from random import Random

SIZE = (6, 9)
BITS = st.lists(st.booleans(), min_size=SIZE[0] * SIZE[1], max_size=SIZE[0] * SIZE[1])
INSTANCES = st.builds(
    lambda label, prompt, score, box, bits: Instance(
        label, prompt, score, np.array(box, np.float32), PackedMask.pack(np.array(bits).reshape(SIZE))
    ),
    st.text(),
    st.text(),
    st.floats(0, 1),
    st.tuples(*[st.floats(0, 9, width=32)] * 4),
    BITS,
)
RESULTS = st.builds(lambda instances: Segmentation(tuple(instances), SIZE), st.lists(INSTANCES, max_size=4))
PICTURE = np.zeros((30, 40, 3), np.uint8)
COINS = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.5, 0.5)), FakeInstance((0.5, 0.5, 0.9, 0.9), 0.8)]})


@settings(deadline=None, max_examples=60)
@given(results=st.dictionaries(st.text(), RESULTS, max_size=3), chance=st.randoms(use_true_random=False))
def test_results_come_back_from_rows_in_any_order(results: dict[str, Segmentation], chance: Random) -> None:
    rows = [row for picture, result in results.items() for row in rows_of(picture, result)]
    chance.shuffle(rows)
    assert results_of(json.loads(json.dumps(rows))) == results
    assert failures_of(rows) == {}


def test_an_instance_has_its_number_box_and_mask() -> None:
    result = COINS.predict(PICTURE, {"coin": "euro"})
    first, second = rows_of("a.png", result)
    assert list(first) == list(Row.__annotations__)
    assert (first["picture"], first["height"], first["width"]) == ("a.png", 30, 40)
    assert (first["instance"], first["label"], first["prompt"]) == (0, "euro", "coin")
    assert (first["x1"], first["y1"], first["x2"], first["y2"]) == (4, 3, 20, 15)
    assert first["counts"] == result[0].rle()["counts"]
    assert first["error"] is None
    assert (second["instance"], second["score"]) == (1, result[1].score)


def test_a_picture_without_instances_and_one_that_failed_have_a_row_each() -> None:
    (nothing,) = rows_of("a.png", COINS.predict(PICTURE, "dog"))
    failed = row_of_failure("b.png", PictureDecodeError("b.png", reason="it is empty"))
    assert {name for name, value in nothing.items() if value is not None} == {"picture", "height", "width"}
    assert {name for name, value in failed.items() if value is not None} == {"picture", "error"}
    assert results_of([nothing, failed]) == {"a.png": Segmentation((), (30, 40))}
    assert list(failures_of([nothing, failed])) == ["b.png"]
    assert str(failed["error"]).startswith("PictureDecodeError: ")
    assert "it is empty" in str(failed["error"])


def test_polygons_of_results_that_come_back_are_as_simple_as_asked() -> None:
    rows = rows_of("a.png", COINS.predict(PICTURE, "coin"))
    fine, coarse = (results_of(rows, epsilon=epsilon)["a.png"][0].polygon() for epsilon in (0.001, 0.05))
    assert fine is not None
    assert coarse is not None
    assert len(coarse) < len(fine)


def test_rows_of_two_pictures_of_one_name_are_refused() -> None:
    rows = rows_of("a.png", COINS.predict(PICTURE, "coin"))
    with pytest.raises(OptionError, match=r"picture of each row must be the name of one picture only, got 'a\.png'"):
        results_of(rows + rows)
    other = rows_of("a.png", COINS.predict(np.zeros((30, 41, 3), np.uint8), "dog"))
    with pytest.raises(OptionError, match="the name of one picture only"):
        results_of(rows + other)


def test_what_is_no_row_is_refused() -> None:
    (row, _) = rows_of("a.png", COINS.predict(PICTURE, "coin"))
    with pytest.raises(OptionError, match="rows must be rows with the columns picture, height, width, instance"):
        results_of([{"picture": "a.png"}])
    with pytest.raises(OptionError, match="height of a row must be a number, got 'high'"):
        results_of([{**row, "height": "high"}])
    with pytest.raises(MaskError):
        results_of([{**row, "counts": "0"}])
