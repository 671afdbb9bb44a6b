"""Do new shapes join those that are there without saying anything twice, and without losing what others made?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.annotate import merge_shapes
from sam3_onnx.errors import OptionError

SIZE = (60, 80)


def box(
    label: str, x: float, y: float, *, side: float = 20, score: float | None = None, group: int | None = None
) -> Shape:
    corners = np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], np.float64)
    return Shape(label, "rectangle", corners, score, group_id=group)


def test_what_is_there_stays_and_what_is_found_comes_behind() -> None:
    there, found = box("tree", 0, 0), box("coin", 30, 30)
    merged = merge_shapes([there], [found], labels=["coin"], size=SIZE, existing="append")
    assert merged.shapes == (there, found)
    assert (merged.added, merged.removed, merged.duplicates) == (1, 0, 0)


def test_a_find_that_overlaps_one_of_its_label_is_left_out_and_one_of_another_label_is_not() -> None:
    by_hand = [box("coin", 10, 10), box("money", 40, 10)]
    found = [box("coin", 11, 10), box("coin", 40, 10)]
    merged = merge_shapes(by_hand, found, labels=["coin"], size=SIZE, existing="append")
    assert merged.shapes == (*by_hand, found[1])
    assert merged.duplicates == 1


def test_replacing_removes_shapes_of_the_labels_asked_for_and_no_others() -> None:
    by_hand, old, new = box("tree", 0, 0), box("coin", 10, 10), box("coin", 12, 10)
    merged = merge_shapes([old, by_hand], [new], labels=["coin"], size=SIZE, existing="replace")
    assert merged.shapes == (by_hand, new)
    assert (merged.added, merged.removed) == (1, 1)
    everything = merge_shapes([old, by_hand], [new], labels=["coin"], size=SIZE, existing="replace-all")
    assert everything.shapes == (new,)


def test_a_label_that_was_asked_for_and_not_found_is_removed_too() -> None:
    merged = merge_shapes([box("coin", 0, 0)], [], labels=["coin"], size=SIZE, existing="replace")
    assert merged.shapes == ()


def test_parts_of_one_object_stay_together_and_their_group_is_new() -> None:
    there = [box("tree", 0, 0, group=4), box("tree", 30, 0, group=4)]
    found = [
        box("tree", 0, 0, group=1),
        box("tree", 30, 30, group=1),
        box("coin", 50, 0, group=2),
        box("coin", 55, 30, group=2),
    ]
    merged = merge_shapes(there, found, labels=["tree", "coin"], size=SIZE, existing="append")
    assert [shape.group_id for shape in merged.shapes] == [4, 4, 5, 5, 6, 6]


def test_an_object_is_there_already_when_its_parts_together_are() -> None:
    there = [box("tree", 0, 0, group=4), box("tree", 30, 0, group=4)]
    found = [box("tree", 1, 0, group=1), box("tree", 31, 0, group=1)]
    merged = merge_shapes(there, found, labels=["tree"], size=SIZE, existing="append")
    assert merged.shapes == tuple(there)
    assert merged.duplicates == 2


def test_without_a_bound_only_what_is_there_point_by_point_is_left_out() -> None:
    there = [box("coin", 10, 10, score=0.9)]
    found = [box("coin", 10, 10, score=0.8), box("coin", 10, 11)]
    merged = merge_shapes(there, found, labels=["coin"], size=SIZE, existing="append", duplicate_iou=None)
    assert merged.shapes == (there[0], found[1])


def test_shapes_without_an_area_stay_and_are_no_rivals() -> None:
    point = Shape("coin", "point", np.array([(15.0, 15.0)]))
    found = box("coin", 10, 10)
    merged = merge_shapes([point], [found], labels=["coin"], size=SIZE, existing="append")
    assert merged.shapes == (point, found)


@pytest.mark.parametrize(("option", "value"), [("existing", "keep"), ("duplicate_iou", 0), ("duplicate_iou", 1.5)])
def test_options_out_of_range_are_refused(option: str, value: object) -> None:
    given_options: dict[str, object] = {"existing": "append", "duplicate_iou": 0.5, option: value}
    with pytest.raises(OptionError, match=option):
        merge_shapes([], [], labels=[], size=SIZE, **given_options)  # type: ignore[arg-type]


SHAPES = st.lists(
    st.builds(
        box,
        st.sampled_from(["coin", "tree"]),
        st.integers(0, 50),
        st.integers(0, 30),
        side=st.integers(4, 25),
        group=st.none() | st.integers(1, 2),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(SHAPES, SHAPES, st.sampled_from([None, 0.3, 0.8]), st.sampled_from(["append", "replace", "replace-all"]))
def test_merging_the_same_again_changes_nothing(
    there: list[Shape], found: list[Shape], duplicate_iou: float | None, existing: str
) -> None:
    options = {"labels": ["coin"], "size": SIZE, "existing": existing, "duplicate_iou": duplicate_iou}
    found = [shape for shape in found if shape.label == "coin"]
    once = merge_shapes(there, found, **options)  # type: ignore[arg-type]
    again = merge_shapes(once.shapes, found, **options)  # type: ignore[arg-type]
    assert again.shapes == once.shapes
    stays = [shape for shape in there if shape.label == "tree"] if existing == "replace" else there
    if existing != "replace-all":
        assert [shape for shape in once.shapes if any(shape is kept for kept in stays)] == stays
