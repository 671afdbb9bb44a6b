"""The fuzzer notices what is wrong, and the library is right in a short run of it.

`python -m tools.fuzz pictures --count 20000` is a long one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import fuzz_subjects as wrong
from tools.fuzz import __main__ as command
from tools.fuzz.examining import examine
from tools.fuzz.inputs import Answer
from tools.fuzz.labels import LabelSubject
from tools.fuzz.pictures import PictureSubject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.fuzz.inputs import AnySubject, Outcome


def found(subject: AnySubject, count: int = 1000) -> list[Outcome]:
    """What is found in the first inputs of a subject, up to a number of them."""
    return [outcome for outcome in (examine(subject, at) for at in range(count)) if outcome.is_finding]


@pytest.mark.parametrize(
    ("what", "count"), [("pictures", 900), ("labels", 600), ("hub", 27), ("bundles", 18), ("cache", 80), ("api", 320)]
)
def test_the_library_is_right_in_a_short_run(what: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    status = command.main([what, "--count", str(count), "--seed", "12", "--processes", "2"])
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize("what", command.SUBJECTS)
def test_the_same_seed_makes_the_same_inputs_and_another_one_makes_others(what: str) -> None:
    subject, same, other = (command.SUBJECTS[what](seed) for seed in (1, 1, 2))
    files = [[one.make(number).files for number in range(120)] for one in (subject, same, other)]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_a_picture_reader_that_reads_everything_is_wrong_about_each_impossible_kind() -> None:
    outcomes = found(PictureSubject(5, wrong.reads_black))
    assert {outcome.answer for outcome in outcomes} == {Answer.WRONG}
    impossible = {one.mutation for one in outcomes if one.reason.startswith("an impossible file is read")}
    assert impossible == {
        "absurd size",
        "checksum",
        "checksum of Deflate",
        "cut",
        "length beyond the end",
        "size of 0",
        "unknown kind",
    }
    assert {"whole", "longer"} <= {one.mutation for one in outcomes}


def test_a_picture_reader_that_refuses_everything_is_wrong_about_whole_files() -> None:
    outcomes = found(PictureSubject(5, wrong.reads_no_picture))
    assert {(outcome.answer, outcome.mutation) for outcome in outcomes} == {(Answer.WRONG, "whole")}


def test_every_format_is_cut_and_read_whole() -> None:
    subject = PictureSubject(6)
    pairs = {(made.format, made.mutation) for made in map(subject.make, range(1000))}
    formats = {name for name, _ in pairs}
    assert {name for name, mutation in pairs if mutation == "cut"} == formats
    assert {name for name, mutation in pairs if mutation == "whole"} == formats


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        (wrong.reads_nothing, "an impossible file is read as 0 shapes"),
        (wrong.moves_points, "is read as Shape("),
        (wrong.refuses_the_whole_file, "another picture of the file is refused, too"),
        (wrong.empties_what_it_refuses, "refused, and changed on the disk all the same: a."),
    ],
)
def test_a_label_reader_that_is_wrong_is_found(reader: Any, reason: str) -> None:  # noqa: ANN401 - of several kinds
    assert any(reason in outcome.reason for outcome in found(LabelSubject(5, reader), 300))


@pytest.mark.parametrize(
    ("writer", "reason"),
    [
        (wrong.adds_nothing, "one was added"),
        (wrong.adds_and_cuts, "what was written is refused"),
        (wrong.adds_and_changes_rows, "a row is gone or changed, and no loss is reported"),
    ],
)
def test_a_label_writer_that_is_wrong_is_found(writer: Any, reason: str) -> None:  # noqa: ANN401 - as above
    assert any(reason in outcome.reason for outcome in found(LabelSubject(5, add=writer), 300))


def test_a_plain_exception_is_a_finding_and_its_files_are_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status = command.main(
        ["pictures", "--count", "4", "--processes", "1", "--keep", str(tmp_path)], {"pictures": wrong.Raising}
    )
    printed = capsys.readouterr().out
    assert status == 1
    assert "input 1: script, raise: plain exception: KeyError" in printed
    header = "format mutation inputs refused read wrong plain exceptions over a limit slowest ms peak MB"
    assert " ".join(printed.splitlines()[0].split()) == header
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001", "000003"]
    assert (tmp_path / "000003" / "input.bin").read_bytes() == b"\0\3"
    assert "KeyError" in (tmp_path / "000003" / "what-is-wrong.txt").read_text(encoding="utf-8")


def test_one_input_is_read_alone_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    subjects: dict[str, Any] = {"pictures": wrong.Raising}
    assert command.main(["pictures", "--only", "2"], subjects) == 0
    assert capsys.readouterr().out.splitlines() == ["input 2: script, read: may be read or refused", "read"]
    with pytest.raises(KeyError):
        command.main(["pictures", "--only", "3"], subjects)


def test_an_interrupted_run_prints_the_table_so_far(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(subject: AnySubject, *_: object, **__: object) -> Iterator[Outcome]:
        yield examine(subject, 0)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "outcomes", interrupted)
    assert command.main(["pictures"], {"pictures": wrong.Script}) == 130
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Stopped after 1 of 2000 inputs."
    assert printed[2].split()[:3] == ["script", "read", "1"]
