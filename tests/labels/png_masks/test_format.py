"""Maps as PNG hold the classes, or the instances, that shapes and results have, and are read back."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sam3_onnx import Shape
from sam3_onnx.draw import instance_colour
from sam3_onnx.errors import (
    ClassListConflictError,
    ClassListMissingError,
    LabelFileDamagedError,
    LabelFileKindError,
    LabelFileSizeError,
    LabelNameError,
    LabelShapeError,
)
from sam3_onnx.labels import LabelFile, PictureFormat, loss_summary, picture_format
from sam3_onnx.results import Segmentation
from tests.support.instances import BAR, DISC, NOTHING, RING, SIZE, instance

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = ("png-masks", "png-masks-instance")
RESULT = Segmentation(
    (instance(RING, "dog", 0.5), instance(DISC, "coin", 0.9), instance(BAR, "dog", 0.7), instance(NOTHING, "cat")),
    SIZE,
    classes=("coin", "dog", "cat"),
)


def made(name: str, *labels: str) -> PictureFormat:
    return picture_format(name).with_labels(labels or ("coin", "dog", "cat"))


def ids_of(content: bytes) -> NDArray[np.generic]:
    return np.asarray(Image.open(io.BytesIO(content)))


def png(ids: NDArray[np.integer]) -> bytes:
    return bytes(cv2.imencode(".png", ids)[1])


class TestWriting:
    def test_a_map_of_classes_is_that_of_the_result(self) -> None:
        content, losses = made("png-masks").encode(LabelFile(tuple(RESULT.shapes("mask")), "a.jpg", SIZE))
        np.testing.assert_array_equal(ids_of(content), RESULT.segmentation_map().ids)
        image = Image.open(io.BytesIO(content))
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((60, 25)) == instance_colour(0)
        assert {str(loss) for loss in losses if not loss.by_nature} == set()

    def test_a_map_of_instances_has_the_class_and_the_place_in_each_number(self) -> None:
        content, _ = made("png-masks-instance").encode(LabelFile(tuple(RESULT.shapes("mask")), "a.jpg", SIZE))
        ids = ids_of(content)
        assert set(np.unique(ids)) == {0, 1000, 2000, 2001}
        np.testing.assert_array_equal(ids == 2001, BAR)
        np.testing.assert_array_equal(ids == 1000, DISC)

    @pytest.mark.parametrize("name", KINDS)
    def test_what_is_there_lies_above_what_was_found(self, name: str) -> None:
        by_hand = replace(RESULT.shapes("mask")[0], score=None)
        file = LabelFile((RESULT.shapes("mask")[1], by_hand), "a.jpg", SIZE)
        shapes = made(name).decode(made(name).encode(file)[0], path="a.png", image_size=SIZE).shapes
        np.testing.assert_array_equal(next(shape for shape in shapes if shape.label == "dog").to_mask(SIZE), RING)

    @pytest.mark.parametrize("name", KINDS)
    def test_every_kind_with_an_area_is_filled_and_others_are_losses(self, name: str) -> None:
        corners = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float64)
        part = Shape("dog", "polygon", corners[:3] + 30, group_id=4)
        shapes = (Shape("coin", "rectangle", corners), replace(part, points=corners + np.array((50, 0))), part)
        lost = (Shape("cat", "point", corners[:1]), replace(shapes[0], label="cat", points=corners + 500))
        content, losses = made(name).encode(LabelFile((*shapes, *lost), "a.jpg", SIZE, {"checked": True}))
        decoded = made(name).decode(content, path="a.png", image_size=SIZE)
        assert [shape.label for shape in decoded.shapes] == ["coin", "dog"], "a group is one object"
        np.testing.assert_array_equal(decoded.shapes[0].to_mask(SIZE), shapes[0].to_mask(SIZE))
        told = loss_summary(loss for loss in losses if not loss.by_nature)
        assert (
            told == "point was left out (cat); shape without pixels in the picture was left out (cat); "
            "fields checked were left out (the file)"
        )

    def test_what_others_hide_is_a_loss_unless_it_is_of_the_same_class(self) -> None:
        small, large = instance(DISC & (np.indices(SIZE)[1] < 60), "coin", 0.3), instance(DISC, "coin", 0.9)
        hidden = Segmentation((small, large), SIZE).shapes("mask")
        file = LabelFile(tuple(hidden), "a.jpg", SIZE)
        told = {name: [str(loss) for loss in made(name).encode(file)[1] if not loss.by_nature] for name in KINDS}
        assert told == {"png-masks": [], "png-masks-instance": ["mask completely under others was left out (coin)"]}

    def test_there_is_an_end_to_numbers(self) -> None:
        classes = [f"class {number}" for number in range(300)]
        shape = replace(RESULT.shapes("mask")[1], label="class 299")
        content, _ = made("png-masks", *classes).encode(LabelFile((shape,), "a.jpg", SIZE))
        np.testing.assert_array_equal(ids_of(content) == 300, DISC)
        with pytest.raises(LabelShapeError, match="at most 64 classes"):
            made("png-masks-instance", *classes).encode(LabelFile((shape,), "a.jpg", SIZE))
        many = LabelFile((replace(shape, label="coin"),) * 1001, "a.jpg", SIZE)
        with pytest.raises(LabelShapeError, match="at most 1000 instances"):
            made("png-masks-instance").encode(many)
        with pytest.raises(LabelNameError):
            made("png-masks").encode(LabelFile((shape,), "a.jpg", SIZE))


class TestReading:
    @settings(deadline=None, max_examples=30)
    @given(st.integers(0, 10**6), st.sampled_from(KINDS))
    def test_what_is_read_is_written_again_to_the_byte(self, seed: int, name: str) -> None:
        classes = np.random.default_rng(seed).integers(0, 4, (6, 9))
        ids = classes.astype(np.uint8) if name == "png-masks" else (classes * 1000).astype(np.uint16)
        file = made(name).decode(png(ids), path="a.png", image_size=(6, 9))
        content, losses = made(name).encode(file)
        np.testing.assert_array_equal(ids_of(content), ids)
        assert losses == ()

    @pytest.mark.parametrize("mode", ["P", "L", "1", "I;16"])
    def test_maps_of_other_programs_are_read(self, mode: str) -> None:
        image = Image.fromarray(DISC.astype(np.uint16 if mode == "I;16" else np.uint8))
        if mode == "1":
            image = Image.fromarray(DISC)
        if mode == "P":
            image.putpalette(bytes(range(256)) * 3)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", **({"bits": 2} if mode == "P" else {}))
        (shape,) = made("png-masks").decode(buffer.getvalue(), path="a.png", image_size=SIZE).shapes
        assert (shape.label, shape.shape_type, shape.score) == ("coin", "mask", None)
        np.testing.assert_array_equal(shape.to_mask(SIZE), DISC)

    def test_what_is_no_map_of_these_classes_is_refused(self) -> None:
        chosen = made("png-masks")
        whole = png(np.zeros(SIZE, np.uint8))
        for content, error, told in (
            (b"", LabelFileDamagedError, "first bytes"),
            (whole[:-20], LabelFileDamagedError, "cut off"),
            (whole[:45] + b"?" + whole[46:], LabelFileDamagedError, "checksum"),
            (png(np.zeros((*SIZE, 3), np.uint8)), LabelFileKindError, "a separate folder"),
            (png(np.zeros((*SIZE, 4), np.uint8)), LabelFileKindError, "mode RGBA"),
            (png(np.zeros((61, 90), np.uint8)), LabelFileSizeError, "90 x 61"),
            (png(np.full(SIZE, 4, np.uint8)), LabelFileDamagedError, "numbers of 3 classes.* the number 4"),
        ):
            with pytest.raises(error, match=told):
                chosen.decode(content, path="a.png", image_size=SIZE)
        with pytest.raises(LabelFileDamagedError, match=r"times 1000.* the number 7"):
            made("png-masks-instance").decode(png(np.full(SIZE, 7, np.uint8)), path="a.png", image_size=SIZE)
        with pytest.raises(ClassListMissingError, match=r"classes\.txt"):
            picture_format("png-masks").decode(png(np.ones(SIZE, np.uint8)), path="a.png", image_size=SIZE)


class TestClasses:
    def test_a_list_is_found_in_the_folder_and_its_numbers_are_those_of_lines(self, tmp_path: Path) -> None:
        (tmp_path / "classes.txt").write_text("dog\ncoin\n")
        (tmp_path / "a.png").write_bytes(png(DISC.astype(np.uint8) * 2))
        (shape,) = picture_format("png-masks", folder=tmp_path).read(tmp_path / "a.png", image_size=SIZE).shapes
        assert shape.label == "coin"

    @pytest.mark.parametrize(("name", "scale"), [("png-masks", 1), ("png-masks-instance", 1000)])
    def test_a_number_that_is_in_use_is_given_to_no_other_class(self, tmp_path: Path, name: str, scale: int) -> None:
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "a.png").write_bytes(png(DISC.astype(np.uint16) * 2 * scale))
        (tmp_path / "photo.png").write_bytes(png(np.full((*SIZE, 3), 200, np.uint8)))
        with pytest.raises(ClassListMissingError, match=r"a\.png"):
            picture_format(name).shared_in(tmp_path, (), ["coin"])
        (tmp_path / "classes.txt").write_text("dog\n")
        with pytest.raises(ClassListConflictError, match=r"number 2.*a\.png"):
            picture_format(name).shared_in(tmp_path, (), ["coin"])
        assert (tmp_path / "classes.txt").read_text() == "dog\n"
        (tmp_path / "classes.txt").write_text("dog\ncat\n")
        picture_format(name).shared_in(tmp_path, (), ["coin"])
        assert (tmp_path / "classes.txt").read_text() == "dog\ncat\ncoin\n"
