"""The summary says which files were left out, and of how many files it took the first of several frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS, paint
from tests.support.pictures import encoded, noise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "within/b.png")


def of_two(kind: str) -> bytes:
    return encoded(Image.fromarray(noise()), kind, save_all=True, append_images=[Image.fromarray(noise(seed=1))])


def test_the_first_of_several_frames(folder: Path) -> None:
    (folder / "film.gif").write_bytes(of_two("GIF"))
    (folder / "scan.tif").write_bytes(of_two("TIFF"))
    (folder / "cut.png").write_bytes(of_two("PNG")[:-200])
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert (summary.finished, len(summary.failures), summary.with_more_frames) == (3, 1, 2)
    assert "2 hold several frames or pages, of which the first was taken" in str(summary)


def test_files_that_look_like_pictures(folder: Path) -> None:
    for name in ("raw.CR2", "phone.heic", "within/deep.psd", "notes.txt"):
        (folder / name).write_bytes(b"no picture")
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert [path.name for path in summary.left_out] == ["phone.heic", "raw.CR2"]
    assert "2 files named like pictures and of no format that is read, left out: phone.heic, raw.CR2" in str(summary)
    everywhere = annotate_folder(fake_session(ANSWERS), folder, "coin", recursive=True)
    assert [path.name for path in everywhere.left_out] == ["phone.heic", "raw.CR2", "deep.psd"]


def test_nothing_is_said_where_there_is_nothing_to_say(folder: Path) -> None:
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert (summary.left_out, summary.with_more_frames) == ((), 0)
    assert "left out" not in str(summary)
    assert "first was taken" not in str(summary)
