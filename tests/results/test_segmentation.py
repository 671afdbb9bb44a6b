"""Do results say, in pixels of the picture, what was found, and stay as they were made?"""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Instance, geometry
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.mask_sources import LogitMask, PackedMask
from sam3_onnx.results import Segmentation
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.instances import BAR, CORNER, DISC, NOTHING, RING, SIZE, instance


def test_the_arrays_of_a_result() -> None:
    result = Segmentation((instance(DISC, score=0.9), instance(RING, "dog", 0.25, (0, 0, 9, 9))), SIZE)
    np.testing.assert_array_equal(result.boxes, np.array([[1, 2, 30, 40], [0, 0, 9, 9]], np.float32))
    np.testing.assert_array_equal(result.scores, np.array([0.9, 0.25], np.float32))
    np.testing.assert_array_equal(result.masks, np.stack([DISC, RING]))
    assert result.labels == ["coin", "dog"]
    assert [array.dtype.name for array in (result.boxes, result.scores, result.masks)] == ["float32", "float32", "bool"]


def test_the_arrays_of_an_empty_result_keep_their_shapes() -> None:
    result = Segmentation((), SIZE)
    assert result.boxes.shape == (0, 4)
    assert result.scores.shape == (0,)
    assert result.masks.shape == (0, *SIZE)
    assert result.labels == result.shapes() == []
    assert not result
    assert repr(result) == "<Segmentation of 90 x 60: nothing>"


def test_a_result_is_a_sequence() -> None:
    first, second, third = instance(DISC), instance(RING, "dog"), instance(BAR)
    result = Segmentation((first, second, third), SIZE, {"decode": 0.5})
    assert len(result) == 3
    assert list(result) == [first, second, third]
    assert result[0] is first
    assert result[-1] is third
    assert second in result
    assert result.index(third) == 2
    part = result[1:]
    assert isinstance(part, Segmentation)
    assert (part.instances, part.size, part.timings) == ((second, third), SIZE, {"decode": 0.5})
    assert result[::-1].labels == ["coin", "dog", "coin"]
    with pytest.raises(IndexError):
        result[3]


def test_filters_meet_every_condition_and_keep_the_order() -> None:
    parts = (instance(DISC, "coin", 0.9), instance(RING, "dog", 0.5), instance(NOTHING, "coin", 0.5))
    result = Segmentation(parts, SIZE, {"read": 1.0})
    assert list(result.filter(label="coin")) == [parts[0], parts[2]]
    assert list(result.filter(min_score=0.5)) == list(parts)
    assert list(result.filter(min_score=0.51)) == [parts[0]]
    assert list(result.filter(min_area=1)) == [parts[0], parts[1]]
    assert list(result.filter(min_area=int(RING.sum()))) == [parts[1]]
    assert list(result.filter(label="coin", min_area=1)) == [parts[0]]
    assert list(result.filter(where=lambda found: found.score < 0.6)) == [parts[1], parts[2]]
    assert list(result.filter(label="cat")) == []
    assert result.filter(label="dog").timings == {"read": 1.0}
    assert len(result) == 3


def test_sorting_is_stable_and_largest_first_where_that_is_meant() -> None:
    disc, ring, other = instance(DISC, "dog", 0.5), instance(RING, "coin", 0.5), instance(BAR, "ant", 0.9)
    result = Segmentation((disc, ring, other), SIZE)
    assert list(result.sort_by()) == [other, disc, ring]
    assert list(result.sort_by("score", descending=False)) == [disc, ring, other]
    assert list(result.sort_by("area")) == sorted((disc, ring, other), key=lambda one: -one.area)
    assert list(result.sort_by("label")) == [other, ring, disc]
    assert list(result.sort_by("label", descending=True)) == [disc, ring, other]
    assert list(result.sort_by(lambda found: (found.score, found.label))) == [ring, disc, other]
    assert list(result) == [disc, ring, other]
    with pytest.raises(OptionError, match='by must be "score", "area", "label" or a function'):
        result.sort_by("size")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="descending must be True or False"):
        result.sort_by("score", descending=1)  # type: ignore[arg-type]


def test_suppression_leaves_the_better_of_two_that_overlap_and_keeps_the_order() -> None:
    worse, other, better = instance(DISC, score=0.5), instance(CORNER, score=0.6), instance(DISC, score=0.9)
    stranger = instance(DISC, "dog", 0.4)
    result = Segmentation((worse, other, better, stranger), SIZE, {"read": 1.0})
    assert list(result.nms()) == [other, better, stranger]
    assert list(result.nms(class_agnostic=True)) == [other, better]
    assert list(result.nms(1.0, class_agnostic=True)) == list(result)
    assert result.nms().timings == {"read": 1.0}
    assert list(Segmentation((worse, worse), SIZE).nms()) == [worse]
    with pytest.raises(OptionError, match="iou_threshold"):
        result.nms(1.5)
    with pytest.raises(OptionError, match="class_agnostic"):
        result.nms(class_agnostic="no")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 30), st.integers(1, 20)), max_size=9
    ),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.9]),
)
def test_suppression_of_a_result_is_that_of_its_masks(boxes: list[tuple[int, int, int, int]], threshold: float) -> None:
    masks = np.zeros((len(boxes), *SIZE), np.bool_)
    for mask, (x, y, width, height) in zip(masks, boxes, strict=True):
        mask[y : y + height, x : x + width] = True
    scores = [0.1 * (index * 7 % 10) for index in range(len(boxes))]
    result = Segmentation(tuple(instance(mask, score=score) for mask, score in zip(masks, scores, strict=True)), SIZE)
    kept = geometry.non_max_suppression(masks, scores, iou_threshold=threshold)
    assert list(result.nms(threshold)) == [result[int(index)] for index in sorted(kept)]


def test_merging_joins_results_of_one_picture_in_their_order() -> None:
    one, two = instance(DISC), instance(RING, "dog")
    first = Segmentation((one,), SIZE, {"read": 1.0, "text": 2.0})
    second = Segmentation((two, one), SIZE, {"text": 3.0})
    merged = first.merge(second, Segmentation((), SIZE))
    assert list(merged) == [one, two, one]
    assert merged.timings == {"read": 1.0, "text": 5.0}
    assert list(merged.nms()) == [one, two]
    assert first.merge() == first
    with pytest.raises(OptionError, match="results of one picture"):
        first.merge(Segmentation((), (60, 91)))


def test_results_of_pictures_that_are_known_to_differ_are_not_merged() -> None:
    session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))], "dog": [FakeInstance((0.5, 0.5, 0.9, 0.9))]})
    pictures = [np.full((*SIZE, 3), level, np.uint8) for level in (80, 80, 90)]
    coins, dogs, others = (
        session.predict(picture, word) for picture, word in zip(pictures, ("coin", "dog", "dog"), strict=True)
    )
    merged = coins.merge(dogs)
    assert merged.labels == ["coin", "dog"]
    assert merged.picture == coins.picture
    assert Segmentation((), SIZE).merge(dogs).picture == dogs.picture
    with pytest.raises(OptionError, match="results of one picture"):
        coins.merge(others)


def test_equality_is_by_value_and_hashes_agree() -> None:
    assert instance(DISC) == instance(DISC.copy())
    assert hash(instance(DISC)) == hash(instance(DISC.copy()))
    changed = [
        instance(RING),
        instance(DISC, "dog"),
        instance(DISC, score=0.7500001),
        instance(DISC, box=(1, 2, 30, 41)),
        dataclasses.replace(instance(DISC), prompt="the coin"),
        dataclasses.replace(instance(DISC), source=PackedMask.pack(np.pad(DISC, ((0, 1), (0, 0))))),
        instance(np.roll(DISC, 1, axis=1)),
    ]
    for other in changed:
        assert instance(DISC) != other
    assert instance(DISC) != "coin"
    one = Segmentation((instance(DISC),), SIZE, {"read": 1.0})
    two = Segmentation((instance(DISC),), SIZE, {"read": 2.0})
    assert one == two
    assert hash(one) == hash(two)
    assert one != Segmentation((instance(DISC),), (60, 91))
    assert one != Segmentation((instance(DISC), instance(DISC)), SIZE)


def test_masks_that_are_held_differently_are_equal() -> None:
    logits = np.where(DISC, 1.0, -1.0).astype(np.float32)
    assert dataclasses.replace(instance(DISC), source=LogitMask(logits, SIZE)) == instance(DISC)


def test_what_a_result_looks_like() -> None:
    result = Segmentation((instance(DISC), instance(RING), instance(BAR, "dog")), SIZE)
    assert repr(result) == "<Segmentation of 90 x 60: 2 coin, 1 dog>"
    assert repr(result[0]) == (
        "Instance(label='coin', prompt='a coin', score=0.75, box=array([ 1.,  2., 30., 40.], dtype=float32))"
    )


def test_results_cannot_be_changed() -> None:
    box = np.array([1, 2, 3, 4], np.float32)
    found = Instance("coin", "coin", 0.5, box, PackedMask.pack(DISC))
    result = Segmentation((found,), SIZE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.score = 1.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.size = (1, 1)  # type: ignore[misc]
    for array in (found.box, result.boxes, result.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    box[0] = 9  # the caller's own array stays the caller's
    assert found.box[0] == 1
    found.mask[:] = True
    result.masks[:] = True
    np.testing.assert_array_equal(found.mask, DISC)
    np.testing.assert_array_equal(result.masks[0], DISC)


def test_results_can_be_sent_to_another_process() -> None:
    logits = LogitMask(np.where(DISC, 1.0, -1.0).astype(np.float32), SIZE)
    result = Segmentation((instance(RING), dataclasses.replace(instance(DISC), source=logits)), SIZE)
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own bytes
