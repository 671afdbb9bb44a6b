"""Does an interrupted run go on where it was?"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import AnnotateProgress, annotate_folder
from sam3_onnx.errors import CancelledError, FolderError, UnfinishedRunError
from sam3_onnx.testing import FakeFamily, fake_session
from tests.support.picture_folders import ANSWERS, content_of, paint, shapes_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", "a.png", "b.png", "c.png")


def test_after_a_run_that_ended_with_a_failure_another_question_may_be_asked(folder: Path) -> None:
    (folder / "b.png").write_bytes(b"")
    session = fake_session(ANSWERS)
    annotate_folder(session, folder, "coin")
    summary = annotate_folder(session, folder, "tree")
    assert (summary.finished, summary.resumed, summary.instances) == (2, 0, {"tree": 2})


def interrupted_after(folder: Path, count: int, text: str = "coin") -> None:
    """A run that stops dead, as one that is killed."""

    class Killed(BaseException):
        pass

    def stop(progress: AnnotateProgress) -> None:
        if progress.done == count:
            raise Killed

    with pytest.raises(Killed):
        annotate_folder(fake_session(ANSWERS), folder, text, progress=stop)


def test_an_interrupted_run_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    other = paint(tmp_path / "other", "a.png", "b.png", "c.png")
    annotate_folder(fake_session(ANSWERS), other, "coin")
    interrupted_after(folder, 2)
    family = FakeFamily(ANSWERS)
    told: list[AnnotateProgress] = []
    summary = annotate_folder(Sam3Session(family, model="fake"), folder, "coin", progress=told.append)
    assert family.calls["encode_image"] == 1
    assert (summary.finished, summary.resumed, summary.added, summary.resumed_added) == (3, 2, 6, 4)
    assert "found in all: 6 coin\nshapes: 6 added in all, 4 of them before this run began" in str(summary)
    assert [step.done for step in told] == [3]
    assert content_of(folder) == content_of(other)


def test_a_line_that_was_cut_off_counts_as_not_written(folder: Path) -> None:
    interrupted_after(folder, 2)
    (journal,) = folder.glob(".sam3*.jsonl")
    journal.write_bytes(journal.read_bytes()[:-7])
    summary = annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert (summary.resumed, summary.duplicates, summary.added) == (1, 2, 4)


def test_a_picture_or_label_file_that_changed_meanwhile_is_not_finished(folder: Path) -> None:
    interrupted_after(folder, 2)
    (folder / "a.json").unlink()
    paint(folder, "c.png", "b.png")
    os.utime(folder / "b.png", ns=(1, 1))
    assert annotate_folder(fake_session(ANSWERS), folder, "coin").resumed == 0


def test_another_question_waits_for_an_interrupted_run_unless_told_to_begin_anew(folder: Path) -> None:
    interrupted_after(folder, 2)
    with pytest.raises(UnfinishedRunError, match=r"pictures done: 2\): text was 'coin' and is 'tree'\. .*--restart"):
        annotate_folder(fake_session(ANSWERS), folder, "tree")
    summary = annotate_folder(fake_session(ANSWERS), folder, "tree", restart=True)
    assert (summary.finished, summary.resumed) == (3, 0)
    assert [label for label, _ in shapes_of(folder / "a.json")] == ["coin", "coin", "tree"]


def test_a_journal_that_says_nonsense_is_told_and_can_be_left_aside(folder: Path) -> None:
    (folder / ".sam3-onnx-annotate.jsonl").write_text("{}\nnonsense\n")
    with pytest.raises(FolderError, match="restart"):
        annotate_folder(fake_session(ANSWERS), folder, "coin")
    assert annotate_folder(fake_session(ANSWERS), folder, "coin", restart=True).finished == 3


def test_cancelling_keeps_what_is_finished(folder: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        annotate_folder(fake_session(ANSWERS), folder, "coin", cancel=cancel, progress=lambda _: cancel.set())
    assert annotate_folder(fake_session(ANSWERS), folder, "coin").resumed == 1
