"""Are two runs kept apart that write into one folder, and no others?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.annotate import AnnotateProgress, annotate_folder
from sam3_onnx.errors import FolderBusyError
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS, content_of, paint

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.testing import fake_session
from tests.support.picture_folders import ANSWERS

kill = lambda progress: os.kill(os.getpid(), signal.SIGKILL)
annotate_folder(fake_session(ANSWERS), sys.argv[1], "coin", recursive=True, progress=kill)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "sub/b.png", "sub/deep/c.png", "other/d.png")


def run(folder: Path, **options: object) -> None:
    annotate_folder(fake_session(ANSWERS), folder, "coin", **options)  # type: ignore[arg-type]


def meets(first: tuple[Path, dict[str, object]], second: tuple[Path, dict[str, object]]) -> bool:
    """Whether the second run is refused while the first is at work; both leave nothing but labels."""
    refused: list[FolderBusyError] = []

    def meanwhile(_: AnnotateProgress) -> None:
        if not refused:
            try:
                run(second[0], **second[1])
            except FolderBusyError as error:
                refused.append(error)

    run(first[0], **first[1], progress=meanwhile)
    for error in refused:
        assert f"process {os.getpid()}, which labels the pictures of {os.path.realpath(first[0])}" in str(error)
        assert "Wait until that run has ended, or write the labels of this run to another folder." in str(error)
    run(second[0], **second[1])
    return bool(refused)


DEEP: dict[str, object] = {"recursive": True}
CASES: dict[str, tuple[tuple[str, dict[str, object]], tuple[str, dict[str, object]], bool]] = {
    "the same folder": ((".", {}), (".", {}), True),
    "one within": ((".", DEEP), ("sub", {}), True),
    "one within that is deep": ((".", DEEP), ("sub/deep", {}), True),
    "one within, recursively": ((".", DEEP), ("sub", DEEP), True),
    "a format with one file for all": ((".", DEEP), ("sub", {"label_format": "coco"}), True),
    "only one folder of theirs is the same": ((".", {**DEEP, "include": ["sub/deep/*"]}), ("sub", DEEP), True),
    "one within that is not reached": ((".", {}), ("sub", {}), False),
    "other folders within": ((".", {**DEEP, "include": ["sub/*"]}), ("other", {}), False),
    "neighbours": (("sub", DEEP), ("other", DEEP), False),
    "one file for all, above": ((".", {**DEEP, "label_format": "coco"}), ("sub", {}), False),
}


@pytest.mark.parametrize("turned", [False, True], ids=["as named", "the other way round"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_runs_meet_where_they_write_into_one_folder(
    folder: Path, case: tuple[tuple[str, dict[str, object]], tuple[str, dict[str, object]], bool], *, turned: bool
) -> None:
    first, second = (case[1], case[0]) if turned else (case[0], case[1])
    met = meets((folder / first[0], first[1]), (folder / second[0], second[1]))
    assert met == case[2]
    assert not [name for name in content_of(folder) if ".sam3" in name]


def test_runs_of_other_pictures_meet_in_a_folder_of_labels(tmp_path: Path) -> None:
    mine, theirs = paint(tmp_path / "mine", "sub/a.png"), paint(tmp_path / "theirs", "b.png")
    assert meets((mine, {"out": tmp_path / "labels", **DEEP}), (theirs, {"out": tmp_path / "labels"}))
    assert meets((mine, {"out": tmp_path / "labels", **DEEP}), (theirs, {"out": tmp_path / "labels" / "sub"}))
    assert not meets((mine, {"out": tmp_path / "labels", **DEEP}), (theirs, {"out": tmp_path / "labels" / "new"}))


@pytest.mark.parametrize("turned", [False, True])
def test_runs_meet_behind_links(folder: Path, tmp_path: Path, *, turned: bool) -> None:
    elsewhere = paint(tmp_path / "elsewhere", "e.png", "below/f.png")
    (folder / "link").symlink_to(elsewhere)
    (tmp_path / "same").symlink_to(folder)
    pairs: list[tuple[tuple[Path, dict[str, object]], tuple[Path, dict[str, object]]]] = [
        ((folder, DEEP), (elsewhere, {})),
        ((folder, DEEP), (elsewhere / "below", {})),
        ((folder, {}), (tmp_path / "same", {})),
        ((folder, DEEP), (tmp_path / "same" / "sub", {})),
    ]
    for one, other in pairs:
        assert meets(*((other, one) if turned else (one, other)))
    assert not [name for name in (*content_of(folder), *content_of(elsewhere)) if ".sam3" in name]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_run_that_was_killed_stands_in_nobodys_way(folder: Path, tmp_path: Path) -> None:
    elsewhere = paint(tmp_path / "elsewhere", "e.png")
    (folder / "link").symlink_to(elsewhere)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)  # noqa: S603 - our own command
    assert killed.returncode == -signal.SIGKILL
    assert list(folder.glob(".sam3*.run"))
    run(folder / "sub", recursive=True)
    run(elsewhere)
    assert not [path for path in elsewhere.iterdir() if path.suffix == ".run"]
    run(folder, recursive=True)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_a_note_that_says_nonsense_stands_in_nobodys_way(folder: Path) -> None:
    (folder / ".sam3-onnx-annotate.0.run").write_text("nonsense")
    (folder / ".sam3-onnx-annotate.1.run").write_text('{"lock": 1}')
    run(folder, recursive=True)
    assert len(list(folder.glob("**/*.json"))) == 4
