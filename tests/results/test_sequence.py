"""Instances are picked by number, slice, list and booleans, and counted and measured all at once."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sam3_onnx.errors import InstanceIndexError, OptionError, ResultAttributeError
from sam3_onnx.results import Segmentation
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.instances import BAR, DISC, NOTHING, RING, SIZE, instance

PARTS = (
    instance(DISC, "coin", 0.95),
    instance(RING, "dog", 0.5),
    instance(BAR, "coin", 0.92, (20.5, 10, 30, 50)),
    instance(NOTHING, "dog", 0.3),
)
RESULT = Segmentation(PARTS, SIZE, {"read": 1.0})


class TestIndexing:
    @pytest.mark.parametrize("index", [1, -3, np.int64(1), np.uint8(1), np.array(1)])
    def test_a_number_is_one_instance(self, index: int) -> None:
        assert RESULT[index] is PARTS[1]

    @pytest.mark.parametrize(
        "index",
        [
            RESULT.scores > 0.9,
            [True, False, True, False],
            [0, 2],
            (np.array([0, 2]),),
            np.array([0, -2], np.int8),
            np.flatnonzero(RESULT.scores > 0.9),
            slice(None, None, 2),
            range(0, 4, 2),
        ],
    )
    def test_several_are_a_result_with_all_that_belongs_to_it(self, index: list[int]) -> None:
        part = RESULT[index]
        assert isinstance(part, Segmentation)
        assert (part.instances, part.size, part.timings) == ((PARTS[0], PARTS[2]), SIZE, {"read": 1.0})

    def test_an_order_is_an_index_too(self) -> None:
        assert list(RESULT[np.argsort(RESULT.scores)]) == [PARTS[3], PARTS[1], PARTS[2], PARTS[0]]
        assert list(RESULT[[]]) == []
        assert list(Segmentation((), SIZE)[np.zeros(0, np.bool_)]) == []

    @pytest.mark.parametrize(
        "index",
        [
            4,
            -5,
            10**30,
            "coin",
            1.0,
            None,
            True,
            np.True_,
            [4],
            [True],
            [0.5],
            [[0, 1]],
            (0, 1),
            ["coin"],
            {0},
            object(),
        ],
    )
    def test_what_is_no_index_is_refused(self, index: int) -> None:
        with pytest.raises(InstanceIndexError, match="A result of 4 instances cannot be indexed by") as caught:
            RESULT[index]
        assert isinstance(caught.value, IndexError)

    def test_a_list_of_results_is_not_merged(self) -> None:
        with pytest.raises(OptionError, match=r"first\.merge\(second, third\), got 'list'"):
            RESULT.merge([RESULT])  # type: ignore[arg-type]

    def test_an_empty_result_says_that_nothing_was_found(self) -> None:
        with pytest.raises(InstanceIndexError, match=r"nothing at 0: nothing was found\. Test `if result:`"):
            Segmentation((), SIZE)[0]

    def test_a_list_of_labels_that_was_compared_as_a_whole_says_what_to_compare(self) -> None:
        with pytest.raises(InstanceIndexError, match=r"one truth value.*np\.array\(result\.labels\)"):
            RESULT[RESULT.labels == "coin"]  # type: ignore[comparison-overlap, call-overload, unused-ignore]
        assert list(RESULT[np.array(RESULT.labels) == "coin"]) == [PARTS[0], PARTS[2]]

    @given(st.lists(st.booleans(), min_size=4, max_size=4))
    def test_booleans_pick_what_a_filter_keeps(self, chosen: list[bool]) -> None:
        wanted = [part for part, keep in zip(PARTS, chosen, strict=True) if keep]
        assert list(RESULT[chosen]) == list(RESULT[np.array(chosen)]) == wanted


class TestMeasures:
    def test_areas_corners_and_centres_of_all(self) -> None:
        np.testing.assert_array_equal(RESULT.areas, [DISC.sum(), RING.sum(), BAR.sum(), 0])
        np.testing.assert_array_equal(RESULT.xywh[2], np.array([20.5, 10, 9.5, 40], np.float32))
        np.testing.assert_allclose(RESULT.centroids[:3], [(60, 25), (40, 30), (24.5, 29.5)], atol=0.05)
        assert np.isnan(RESULT.centroids[3]).all()
        assert (RESULT[2].centroid, RESULT[3].centroid) == ((24.5, 29.5), None)
        assert [array.dtype.name for array in (RESULT.areas, RESULT.xywh, RESULT.centroids)] == [
            "int64",
            "float32",
            "float64",
        ]

    def test_an_empty_result_keeps_their_shapes(self) -> None:
        nothing = Segmentation((), SIZE)
        assert (nothing.areas.shape, nothing.xywh.shape, nothing.centroids.shape) == ((0,), (0, 4), (0, 2))
        assert nothing.counts == {}

    def test_nobody_changes_them(self) -> None:
        for array in (RESULT.areas, RESULT.xywh, RESULT.centroids):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 7

    def test_labels_are_counted_and_a_missing_one_is_0(self) -> None:
        assert RESULT.counts == {"coin": 2, "dog": 2}
        assert RESULT.counts["cat"] == 0


class TestFilter:
    def test_several_labels_and_limits_of_areas(self) -> None:
        assert list(RESULT.filter(label=["dog", "cat"])) == [PARTS[1], PARTS[3]]
        assert list(RESULT.filter(label={"dog", "coin"})) == list(PARTS)
        assert list(RESULT.filter(label=())) == []
        assert list(RESULT.filter(max_area=0)) == [PARTS[3]]
        assert list(RESULT.filter(min_area=1, max_area=BAR.sum())) == [
            part for part in PARTS if 1 <= part.area <= BAR.sum()
        ]

    @pytest.mark.parametrize(
        "condition",
        [
            {"label": 3},
            {"label": ["coin", 3]},
            {"label": b"coin"},
            {"min_score": float("nan")},
            {"min_score": "0.5"},
            {"min_score": 60},
            {"min_area": -5},
            {"min_area": True},
            {"max_area": float("nan")},
            {"where": 5},
        ],
    )
    def test_conditions_of_another_kind_are_refused(self, condition: dict[str, object]) -> None:
        with pytest.raises(OptionError, match=next(iter(condition))):
            RESULT.filter(**condition)  # type: ignore[arg-type] # wrong on purpose


class TestNames:
    @pytest.mark.parametrize(
        ("other", "here"), [("xyxy", "boxes"), ("confidence", "scores"), ("plot", r"draw\(\)"), ("names", "classes")]
    )
    def test_another_librarys_name_is_answered_with_ours(self, other: str, here: str) -> None:
        with pytest.raises(ResultAttributeError, match=f"no attribute '{other}'. In this library it is called {here}"):
            getattr(RESULT, other)
        assert not hasattr(RESULT, other)

    def test_every_name_that_is_offered_is_there(self) -> None:
        for other in ("bbox", "conf", "cls", "mask", "area", "shape", "speed", "orig_img", "with_nms", "summary"):
            with pytest.raises(AttributeError) as caught:
                getattr(RESULT, other)
            offered = str(caught.value).split("called ")[1].split(" ")[0].split("(")[0].rstrip(".")
            assert hasattr(RESULT, offered)

    def test_what_nobody_calls_anything_is_refused_and_results_are_still_copied(self) -> None:
        with pytest.raises(ResultAttributeError, match=r"dir\(result\)"):
            RESULT.colour  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the test
        assert copy.copy(RESULT) == copy.deepcopy(RESULT) == pickle.loads(pickle.dumps(RESULT)) == RESULT  # noqa: S301


class TestClasses:
    def test_what_was_asked_for_is_known_whether_it_was_found_or_not(self) -> None:
        session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
        result = session.predict(np.zeros((*SIZE, 3), np.uint8), {"dog": "hound", "coin": "money"})
        assert result.classes == ("hound", "money")
        assert result.filter(label="hound").classes == result[:0].classes == ("hound", "money")
        assert result.merge(RESULT).classes == ("hound", "money", "coin", "dog")

    def test_a_result_made_by_hand_has_the_classes_of_its_labels(self) -> None:
        assert RESULT.classes == ("coin", "dog")
        assert RESULT[1:2].classes == ("coin", "dog")
