"""The fuzzer of downloads, bundles and cache folders notices readers that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import OptionError
from tools.fuzz.bundles import BundleSubject
from tools.fuzz.caches import CacheSubject
from tools.fuzz.examining import examine
from tools.fuzz.hubs import HubSubject
from tools.fuzz.inputs import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.hub import PublishedModel
    from tools.fuzz.inputs import AnySubject


def reasons(subject: AnySubject, count: int) -> dict[str, tuple[Answer, str]]:
    """What is said of the first input of each mutation that is a finding."""
    found: dict[str, tuple[Answer, str]] = {}
    for outcome in (examine(subject, at) for at in range(count)):
        if outcome.is_finding:
            found.setdefault(outcome.mutation, (outcome.answer, outcome.reason))
    return found


def takes_anything(model: PublishedModel, folder: Path) -> None:
    """Writes what it is told to, wherever that is."""
    folder.joinpath(model.files[0].name.replace("\0", "")).write_bytes(b"anything")


def refuses(*_: object) -> list[float]:
    raise OptionError("x", expected="y", got="z")


def test_a_download_that_is_not_verified_is_a_finding() -> None:
    found = reasons(HubSubject(1, takes_anything), 9)
    assert found["a byte of the file"] == (Answer.WRONG, "an impossible download is taken")
    assert found["whole"] == (Answer.WRONG, "another file lies under the final name")


def test_a_file_outside_the_folder_is_a_finding() -> None:
    def slips(_: PublishedModel, folder: Path) -> None:
        folder.parent.parent.joinpath("slip.onnx").write_bytes(b"evil")
        refuses()

    outcomes = [examine(HubSubject(1, slips), at) for at in range(1, 9)]
    assert {outcome.reason for outcome in outcomes} == {"something was written outside the folder"}


@pytest.mark.parametrize("subject", [HubSubject(1, refuses), BundleSubject(1, refuses)])
def test_what_refuses_everything_is_wrong_about_whole_files(subject: AnySubject) -> None:
    found = reasons(subject, 9)
    assert found.keys() <= {"whole", "junk beside it"}
    assert all(reason.startswith("a whole ") for _, reason in found.values())


def test_what_opens_everything_is_wrong_about_impossible_bundles() -> None:
    found = reasons(BundleSubject(1, lambda _: [0.5]), 9)
    assert found["cut"] == (Answer.WRONG, "an impossible bundle is opened")
    assert found["whole"] == (Answer.WRONG, "answers otherwise than the bundle")


def test_a_cache_that_reads_changed_entries_is_wrong() -> None:
    assert reasons(CacheSubject(1, lambda _: ([77.0], True)), 8).keys() == {
        *("a bit", "cut", "longer", "bytes of chance", "lengths"),
        *("header, right hash", "arrays, right hash"),
    }
    assert reasons(CacheSubject(1, lambda _: ([77.0], False)), 8) == {
        "whole": (Answer.WRONG, "a whole entry is encoded anew")
    }
    assert len(reasons(CacheSubject(1, lambda _: ([76.0], True)), 8)) == 8


def test_a_plain_exception_is_a_finding() -> None:
    def breaks(_: Path) -> tuple[list[float], bool]:
        raise KeyError("label")

    assert reasons(CacheSubject(1, breaks), 8)["whole"] == (Answer.PLAIN, "KeyError: 'label'")
