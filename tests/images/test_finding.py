"""Are the pictures of a folder found, each once, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.annotate import find_pictures
from sam3_onnx.errors import FolderError, NoPicturesError
from sam3_onnx.images import find_left_out

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("names_of_any_letters")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.png",
        "a.JPG",
        "notes.txt",
        "a.json",
        ".hidden.png",
        "train/c.tiff",
        "train/deep/ü 好.webp",
        ".git/d.png",
    ):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "pictures"


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_picture_files_are_taken_by_their_endings_in_the_order_of_names(folder: Path) -> None:
    assert names(find_pictures(folder), folder) == ["a.JPG", "b.png"]


def test_folders_within_are_gone_through_when_asked_for(folder: Path) -> None:
    found = names(find_pictures(folder, recursive=True), folder)
    assert found == ["a.JPG", "b.png", "train/c.tiff", "train/deep/ü 好.webp"]


def test_patterns_choose_by_name_or_by_path(folder: Path) -> None:
    assert names(find_pictures(folder, recursive=True, include=["*.png", "train/*"], exclude=["ü*"]), folder) == [
        "b.png",
        "train/c.tiff",
    ]


def test_links_are_followed_and_a_loop_of_them_ends(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "far.png").touch()
    (folder / "linked").symlink_to(elsewhere)
    (folder / "train" / "loop").symlink_to(folder)
    (folder / "near.png").symlink_to(folder / "b.png")
    found = names(find_pictures(folder, recursive=True, include=["*.png"]), folder)
    assert found == ["b.png", "linked/far.png", "near.png"]


def test_a_folder_without_pictures_says_what_would_be_one_and_where_some_are(folder: Path) -> None:
    (folder / "a.JPG").unlink()
    (folder / "b.png").unlink()
    (folder / "empty").mkdir()
    with pytest.raises(NoPicturesError, match=r"end in .*\.webp.*pass recursive=True"):
        find_pictures(folder)
    with pytest.raises(NoPicturesError, match="Check the patterns"):
        find_pictures(folder, recursive=True, include=["*.bmp"])
    with pytest.raises(NoPicturesError, match="Check the path"):
        find_pictures(folder / "empty")


def test_a_folder_that_is_not_there_or_is_a_file_is_an_error(folder: Path) -> None:
    with pytest.raises(FolderError, match="it does not exist"):
        find_pictures(folder / "nowhere")
    with pytest.raises(FolderError, match="it is a file"):
        find_pictures(folder / "b.png")


@pytest.mark.parametrize(
    "name",
    [
        *("a.jpg", "a.JPEG", "a.jpe", "a.jfif", "a.jfi", "a.jif", "a.pjpeg", "a.pjp", "a.mpo", "a.png", "a.apng"),
        *("a.webp", "a.gif", "a.bmp", "a.dib", "a.tif", "a.TIFF", "a.btf", "a.tf8", "a.avif", "a.avifs", "a.jp2"),
        *("a.j2k", "a.j2c", "a.jpc", "a.jpf", "a.jpx", "a.pbm", "a.pgm", "a.ppm", "a.pnm"),
    ],
)
def test_every_ending_of_a_format_that_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert names(find_pictures(tmp_path), tmp_path) == [name]
    assert find_left_out(tmp_path) == []


def test_what_looks_like_a_picture_and_is_not_read_is_named(folder: Path) -> None:
    for name in ("x.CR2", "train/y.heic", "train/z.psd", ".hidden.nef", "notes.pdf", "movie.mp4"):
        (folder / name).touch()
    assert names(find_left_out(folder), folder) == ["x.CR2"]
    assert names(find_left_out(folder, recursive=True), folder) == ["train/y.heic", "train/z.psd", "x.CR2"]
    assert names(find_left_out(folder, recursive=True, exclude=["train/*"]), folder) == ["x.CR2"]
    assert names(find_left_out(folder, recursive=True, include=["*.heic"]), folder) == ["train/y.heic"]


def test_a_folder_of_raw_files_alone_says_that_they_are_not_read(tmp_path: Path) -> None:
    for name in ("a.nef", "b.nef"):
        (tmp_path / name).touch()
    with pytest.raises(NoPicturesError, match=r"There are 2 files of unsupported formats, such as a\.nef"):
        find_pictures(tmp_path)
