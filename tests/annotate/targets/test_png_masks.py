"""A folder's maps: a PNG for each picture in another folder, joined to what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.cli import main
from sam3_onnx.errors import OptionError
from sam3_onnx.labels import picture_format
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.picture_folders import SIZE, paint

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = {
    "coin": [FakeInstance((0.1, 0.1, 0.4, 0.5)), FakeInstance((0.6, 0.5, 0.9, 0.9), score=0.7)],
    "tree": [FakeInstance((0.5, 0.1, 0.8, 0.6), score=0.8)],
}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "deep/b.jpg")


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("name", "each"), [("png-masks", 2), ("png-masks-instance", 3)])
def test_maps_are_those_of_the_results_and_the_same_twice_changes_nothing(
    pictures: Path, tmp_path: Path, name: str, each: int
) -> None:
    session, out = fake_session(ANSWERS), tmp_path / "maps"
    first = annotate_folder(session, pictures, "coin, tree", label_format=name, out=out, recursive=True)
    assert (first.finished, first.added, first.losses) == (2, 2 * each, {})
    once = content_of(out)
    assert set(once) == {"a.png", "deep/b.png", "classes.txt"}
    result = session.predict(pictures / "a.png", "coin, tree")
    ids = np.asarray(Image.open(out / "a.png"))
    np.testing.assert_array_equal(ids if each == 2 else ids // 1000, result.segmentation_map().ids)
    again = annotate_folder(session, pictures, "coin, tree", label_format=name, out=out, recursive=True)
    assert (again.added, again.duplicates) == (0, 2 * each)
    assert content_of(out) == once


@pytest.mark.parametrize("name", ["png-masks", "png-masks-instance"])
def test_what_is_there_stays_or_gives_way_as_was_asked(pictures: Path, tmp_path: Path, name: str) -> None:
    session, out = fake_session(ANSWERS), tmp_path / "maps"
    annotate_folder(session, pictures, "tree", label_format=name, out=out)
    trees = picture_format(name, folder=out).read(out / "a.png", image_size=SIZE).shapes
    annotate_folder(session, pictures, "coin", label_format=name, out=out)
    both = picture_format(name, folder=out).read(out / "a.png", image_size=SIZE).shapes
    assert trees[0] == both[0]
    assert {shape.label for shape in both} == {"tree", "coin"}
    assert (out / "classes.txt").read_text() == "tree\ncoin\n"
    annotate_folder(session, pictures, "coin", label_format=name, out=out, existing="replace-all")
    only = picture_format(name, folder=out).read(out / "a.png", image_size=SIZE).shapes
    assert {shape.label for shape in only} == {"coin"}


@pytest.mark.parametrize("out", [None, ".", "maps"])
def test_maps_are_never_written_among_the_pictures(pictures: Path, out: str | None) -> None:
    before = content_of(pictures)
    with pytest.raises(OptionError, match=r"out must be a folder outside .*-o"):
        annotate_folder(
            fake_session(ANSWERS),
            pictures,
            "coin",
            label_format="png-masks",
            out=None if out is None else pictures / out,
        )
    assert content_of(pictures) == before


def test_another_picture_in_the_way_is_left_as_it_is(pictures: Path, tmp_path: Path) -> None:
    photo = paint(tmp_path / "maps", "a.png") / "a.png"
    before = photo.read_bytes()
    summary = annotate_folder(fake_session(ANSWERS), pictures, "coin", label_format="png-masks", out=photo.parent)
    assert len(summary.failures) == 1
    assert "in another format" in str(summary.failures[0])
    assert photo.read_bytes() == before


def test_the_command_writes_them(coins: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "coins.png").write_bytes(coins.read_bytes())
    command = ["annotate", str(folder), "--text", "coin", "--model", "miniature"]
    assert main([*command, "--format", "png-masks-instance", "-o", str(tmp_path / "maps")]) == 0
    assert len(np.unique(np.asarray(Image.open(tmp_path / "maps" / "coins.png")))) == 25
