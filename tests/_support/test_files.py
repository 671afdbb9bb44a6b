"""Does a path lead to its file from where it is read, whichever of the folders are links?"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sam3_onnx._support.files import seen_from
from sam3_onnx.errors import PictureNameError

PLACES = {
    "plain folders": ("work/labels", "work/pictures/a.png"),
    "labels beside the picture": ("work/pictures", "work/pictures/a.png"),
    "labels behind a link": ("link to deep", "work/pictures/a.png"),
    "labels below a link": ("link to deep/x/y", "work/pictures/a.png"),
    "labels behind a relative link": ("work/relative", "work/pictures/a.png"),
    "pictures behind a link": ("work/labels", "link to pictures/a.png"),
    "labels and pictures behind links": ("link to deep", "link to pictures/a.png"),
    "labels beside the picture behind a link": ("link to pictures", "link to pictures/a.png"),
    "a link as a picture": ("work/labels", "work/pictures/linked.png"),
    "dots behind a link": ("link to deep/../labels", "link to pictures/../pictures/a.png"),
    "a link to a link": ("link to a link", "work/pictures/a.png"),
    "a folder that is yet to be made": ("link to deep/not/yet", "work/pictures/a.png"),
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("work/labels", "work/pictures", "disk/deep/down/x/y", "disk/deep/labels"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("work/pictures/a.png", "disk/stored.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "link to deep").symlink_to(tmp_path / "disk/deep/down")
    (tmp_path / "link to a link").symlink_to(tmp_path / "link to deep")
    (tmp_path / "link to pictures").symlink_to(tmp_path / "work/pictures")
    (tmp_path / "work/relative").symlink_to("../disk/deep/down")
    (tmp_path / "work/pictures/linked.png").symlink_to(tmp_path / "disk/stored.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("whole", [False, True], ids=["relative", "absolute"])
@pytest.mark.parametrize("names", PLACES.values(), ids=PLACES)
def test_the_system_finds_the_file(tree: Path, names: tuple[str, str], *, whole: bool) -> None:
    folder, path = (tree / name if whole else Path(name) for name in names)
    seen = seen_from(folder, path)
    folder.mkdir(parents=True, exist_ok=True)
    assert Path(folder, seen).read_bytes() == path.read_bytes()
    assert Path(seen).name == path.name
    assert not Path(seen).is_absolute()


def test_the_plain_way_stays_where_it_leads_there(tree: Path) -> None:
    assert seen_from(tree / "work/labels", tree / "work/pictures/a.png") == "../pictures/a.png"
    assert seen_from(tree / "link to pictures", tree / "link to pictures/a.png") == "a.png"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_way_that_is_no_unicode_is_refused(tree: Path) -> None:
    odd = tree / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    with pytest.raises(PictureNameError, match="expected a name in Unicode"):
        seen_from(tree / "work/labels", odd / "a.png")
    (tree / "link to odd").symlink_to(odd)
    assert seen_from(tree / "work/labels", tree / "link to odd/a.png") == "../../link to odd/a.png"


def test_between_drives_the_path_is_absolute(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_way(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", no_way)
    assert seen_from(Path("work/labels"), Path("work/pictures/a.png")) == (tree / "work/pictures/a.png").as_posix()
