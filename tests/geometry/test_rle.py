"""Are run lengths those of COCO, both ways?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from sam3_onnx.errors import MaskError
from sam3_onnx.geometry import mask_to_rle, rle_to_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=16))


def ring() -> NDArray[np.bool_]:
    y, x = np.mgrid[:64, :80]
    outer = (x - 40) ** 2 + (y - 30) ** 2 <= 25**2
    return np.asarray(outer & ((x - 45) ** 2 + (y - 30) ** 2 > 9**2))


def steps() -> NDArray[np.bool_]:
    mask = np.zeros((700, 900), dtype=bool)
    mask[100:, 3] = mask[:, 40:43] = mask[::350, 800] = True
    return mask


# What pycocotools 2.0.11 writes: pycocotools.mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
PYCOCOTOOLS = {
    "empty": (np.zeros((3, 4), dtype=bool), "<"),
    "full": (np.ones((3, 4), dtype=bool), "0<"),
    "one pixel": (np.eye(1, 6, 4, dtype=bool).reshape(2, 3), "312"),
    "checkerboard": (np.indices((4, 5)).sum(axis=0) % 2 == 1, "11110O10O10O10O0"),
    "ring": (
        ring(),
        (
            "nn01h1>G4L4L4L4M2N2N2N2N2O0O2O0O2O0O2O0O2O0000WOB0>LJ06OL04ON01010ON30N020N020N020NO40L120N020OO10000010M041J0"
            "70G0:1D0=3[O0f0e01N2N2N2N2N3L4L4L4L9BYk0"
        ),
    ),
    "steps": (steps(), "hT2hb0`ch0l^1lk\\?]nMakj_O0deS2"),
}
EVERY_GOLDEN = pytest.mark.parametrize(("mask", "counts"), PYCOCOTOOLS.values(), ids=PYCOCOTOOLS.keys())


@EVERY_GOLDEN
def test_the_text_is_that_of_pycocotools(mask: NDArray[np.bool_], counts: str) -> None:
    assert mask_to_rle(mask) == {"size": list(mask.shape), "counts": counts}


@EVERY_GOLDEN
def test_text_of_pycocotools_is_read(mask: NDArray[np.bool_], counts: str) -> None:
    for text in (counts, counts.encode("ascii")):
        assert np.array_equal(rle_to_mask({"size": list(mask.shape), "counts": text}), mask)


@given(mask=MASKS)
@settings(deadline=None, max_examples=200)
def test_a_mask_survives_the_round_trip_through_json(mask: NDArray[np.bool_]) -> None:
    for compressed in (True, False):
        read = rle_to_mask(json.loads(json.dumps(mask_to_rle(mask, compressed=compressed))))
        assert read.dtype == np.bool_
        assert np.array_equal(read, mask)


@given(mask=MASKS)
@settings(deadline=None, max_examples=100)
def test_lengths_alternate_down_the_columns_from_background(mask: NDArray[np.bool_]) -> None:
    counts = mask_to_rle(mask, compressed=False)["counts"]
    assert isinstance(counts, list)
    assert all(type(count) is int for count in counts)
    assert all(count > 0 for count in counts[1:])
    pixels = [index % 2 == 1 for index, count in enumerate(counts) for _ in range(count)]
    assert pixels == mask.flatten(order="F").tolist()


def test_empty_runs_are_read() -> None:
    assert rle_to_mask({"size": (1, 3), "counts": (0, 1, 0, 1, 1)}).tolist() == [[True, True, False]]


def test_other_keys_are_not_looked_at() -> None:
    assert rle_to_mask({"size": [1, 2], "counts": [1, 1], "id": None}).tolist() == [[False, True]]


@pytest.mark.parametrize(
    "rle",
    [
        {},
        {"size": [2, 2]},
        {"counts": [4]},
        {"size": [2], "counts": [4]},
        {"size": [0, 4], "counts": []},
        {"size": [-2, -2], "counts": [4]},
        {"size": [2.0, 2.0], "counts": [4]},
        {"size": "22", "counts": [4]},
        {"size": [2, 2], "counts": []},
        {"size": [2, 2], "counts": [3]},
        {"size": [2, 2], "counts": [5]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2, 2], "counts": [4.0]},
        {"size": [2, 2], "counts": [[0, 0, 1, 0, 1, 1]]},
        {"size": [2, 2], "counts": [1 << 80]},
        {"size": [2, 2], "counts": 4},
        {"size": [2, 2], "counts": None},
        {"size": [2, 2], "counts": ""},
        {"size": [2, 2], "counts": "3"},
        {"size": [2, 2], "counts": "d"},
        {"size": [2, 2], "counts": "4 "},
        {"size": [2, 2], "counts": "4p"},
        {"size": [2, 2], "counts": "4\N{DEGREE SIGN}"},
        {"size": [2, 2], "counts": b"4\xff"},
        {"size": [2, 2], "counts": "T" + "P" * 13 + "1"},
    ],
    ids=str,
)
def test_malformed_run_lengths_are_refused(rle: dict[str, object]) -> None:
    with pytest.raises(MaskError, match=r"expected .*, got "):
        rle_to_mask(rle)
