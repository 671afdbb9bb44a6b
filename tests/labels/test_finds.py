"""Is every find in the shapes, or told among the losses?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from sam3_onnx.annotate import LABEL_FORMATS, annotate_folder
from sam3_onnx.errors import OptionError
from sam3_onnx.labels import coco_picture, loss_summary, read_yolo, shapes_of, write_xanylabeling, write_yolo
from sam3_onnx.results import Segmentation, Shape
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.instances import DISC, NOTHING, PARTS, RING, SIZE, instance
from tests.support.picture_folders import paint

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.results.shape import ShapeType

MODES: tuple[ShapeType, ...] = ("polygon", "rectangle", "rotation", "mask")
LINE = np.zeros(SIZE, np.bool_)
LINE[30, 5:70] = True
DISC_AND_LINE = DISC | LINE
FOUND = (LINE, DISC, DISC_AND_LINE, NOTHING, RING)


def result(*masks: NDArray[np.bool_]) -> Segmentation:
    return Segmentation(tuple(instance(mask, f"{place}") for place, mask in enumerate(masks)), SIZE)


@pytest.mark.parametrize("parts", ["largest", "all"])
@pytest.mark.parametrize("mode", MODES)
@given(mask=arrays(np.bool_, (6, 7)))
def test_a_find_is_a_shape_or_a_loss(
    mask: NDArray[np.bool_], mode: ShapeType, parts: Literal["largest", "all"]
) -> None:
    found = result(mask)
    shapes, losses = shapes_of(found, mode, parts=parts)
    assert shapes == found.shapes(mode, parts=parts)
    assert bool(shapes) != any("mask" in loss.what for loss in losses)
    if mode == "polygon" and parts == "all":
        said = np.zeros_like(mask)
        for shape in shapes_of(found, mode, parts=parts, epsilon=0)[0]:
            pixels = shape.to_mask(mask.shape)
            assert pixels is not None
            said |= pixels
        assert np.array_equal(said, mask) != any(loss.became == "left out" and mask.any() for loss in losses)


def test_what_has_no_outline_is_told_of_each_kind() -> None:
    told = {mode: loss_summary(shapes_of(result(*FOUND), mode)[1]) for mode in MODES}
    assert told == {
        "polygon": "0: mask too thin for a polygon left out; 3: empty mask left out; 4: holes filled",
        "rectangle": "3: empty mask left out",
        "rotation": "0: mask too thin for a rotation left out; 3: empty mask left out",
        "mask": "3: empty mask left out",
    }


def test_parts_that_are_left_out_are_told() -> None:
    apart = PARTS.copy()
    apart[0, :9] = True
    assert (
        loss_summary(shapes_of(result(apart), "polygon", parts="all")[1]) == "0: part too thin for a polygon left out"
    )
    for mode in ("polygon", "rotation"):
        assert "0: part beside the largest left out (3 times)" in loss_summary(shapes_of(result(apart), mode)[1])
    assert shapes_of(result(apart), "polygon", parts="all", min_area=10)[1] == (), "asked to be left out"


def test_parts_and_holes_that_simplification_takes_are_told() -> None:
    bar = np.zeros((9, 400), np.bool_)
    bar[0:3] = bar[4:9] = True
    bar[6, 50:350] = False
    found = Segmentation((instance(bar, "bar"),), bar.shape)
    told = loss_summary(shapes_of(found, "polygon", parts="all", epsilon=0.004)[1])
    assert told == "bar: part too small for this epsilon left out; bar: hole too small for this epsilon filled"


def test_an_outline_that_simplification_takes_is_not_called_thin() -> None:
    disc = np.zeros((40, 40), np.bool_)
    disc[10:30, 10:30] = True
    losses = shapes_of(result(disc), "polygon", epsilon=0.9)[1]
    assert loss_summary(losses) == "0: mask too small for this epsilon left out"
    assert shapes_of(result(disc), "polygon", epsilon=0)[1] == ()


def test_coco_polygons_tell_of_a_part_that_is_too_thin_and_run_lengths_hold_it() -> None:
    apart = DISC.copy()
    apart[55, 0:9] = True
    rows, losses = coco_picture("a.png", result(LINE, apart), segmentation="polygons")
    assert loss_summary(losses) == "1: part too thin for a polygon left out"
    assert [type(row["segmentation"]) for row in rows["annotations"]] == [dict, list]
    assert coco_picture("a.png", result(LINE, apart))[1] == ()


def test_a_mask_of_which_a_part_has_no_outline_is_told_by_every_writer(tmp_path: Path) -> None:
    apart = DISC.copy()
    apart[55, 0:9] = True
    shapes = result(apart).shapes("mask")
    with pytest.warns(UserWarning, match="part too thin for a polygon left out"):
        write_xanylabeling(tmp_path / "a.json", shapes, image_path="a.png", image_size=SIZE)
    for task in ("detect", "segment", "obb"):
        with pytest.warns(UserWarning, match="part too thin for a polygon left out"):
            write_yolo(tmp_path / "a.txt", shapes, task=task, image_size=SIZE)


def test_a_box_without_area_after_rounding_is_told(tmp_path: Path) -> None:
    corners = np.array([(5, 5), (5 + 1e-10, 9)])
    with pytest.warns(UserWarning, match="box without area left out"):
        write_yolo(tmp_path / "a.txt", [Shape("slit", "rectangle", corners)], task="detect", image_size=SIZE)
    assert read_yolo(tmp_path / "a.txt", task="detect", image_size=SIZE).shapes == ()


def test_other_modes_and_parts_are_refused() -> None:
    with pytest.raises(OptionError, match="mode"):
        shapes_of(result(DISC), "circle")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="parts"):
        shapes_of(result(DISC), parts="some")  # type: ignore[arg-type]


@pytest.mark.parametrize("label_format", LABEL_FORMATS)
def test_a_run_counts_a_wire_of_one_pixel_or_writes_it(tmp_path: Path, label_format: str) -> None:
    folder = paint(tmp_path / "pictures", "a.png", "b.png")
    session = fake_session(
        {"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))], "coin": [FakeInstance((0.1, 0.1, 0.4, 0.4))]}
    )
    out = tmp_path / "labels"
    summary = annotate_folder(session, folder, "wire, coin", label_format=label_format, out=out)
    lost = Counter({what: count for what, count in summary.losses.items() if what.startswith("wire: mask too thin")})
    assert summary.added + lost.total() == 4
    assert lost.total() == (0 if label_format in {"yolo-detect", "coco", "png-masks", "png-masks-instance"} else 2)
