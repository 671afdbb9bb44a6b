"""Does a preview show results of the whole run, and take no other file's place?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx import load_image
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import OptionError, OutputExistsError
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS, paint

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "b.png", "c.png")


def test_a_preview_shows_results_spread_over_the_run(tmp_path: Path) -> None:
    folder = paint(tmp_path / "pictures", *(f"{number:02}.png" for number in range(20)))
    annotate_folder(fake_session(ANSWERS), folder, "coin", preview=tmp_path / "preview.png")
    sheet = load_image(tmp_path / "preview.png")
    assert sheet.shape == (3 * 308 + 8, 4 * 408 + 8, 3)
    corners = sheet[8 + 300 - 2 :: 308, 8 + 400 - 2 :: 408][:3, :4, 0].ravel().tolist()  # of each tile: its own grey
    assert corners == [10 + number for number in (0, 2, 3, 5, 7, 9, 10, 12, 14, 16, 17, 19)]
    assert sheet[60, 80].tolist() != [10, 10, 10], "an instance is drawn where it is"


def test_a_preview_that_is_no_png_or_would_be_taken_for_a_picture_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    for place in (folder / "preview.png", folder / "nowhere" / "preview.png", tmp_path / "notes.md"):
        with pytest.raises(OptionError, match="preview"):
            annotate_folder(fake_session(ANSWERS), folder, "coin", preview=place)
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_a_preview_takes_the_place_of_an_earlier_one_and_of_nothing_else(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes((folder / "a.png").read_bytes())
    with pytest.raises(OutputExistsError, match="Only a contact sheet of an earlier run"):
        annotate_folder(fake_session(ANSWERS), folder, "coin", preview=mine)
    assert mine.read_bytes() == (folder / "a.png").read_bytes()
    for _ in range(2):
        annotate_folder(fake_session(ANSWERS), folder, "coin", preview=tmp_path / "preview.png")
