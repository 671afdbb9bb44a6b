"""Do the tests lie as the source does, in files that can be read at a sitting?

Every package folder of the source has a folder of tests of the same name at the same place below `tests`, and at least
one test in it or below it. Some have none, each for the reason that is given here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import sam3_onnx
from tests.support.places import ROOT

SOURCE = Path(sam3_onnx.__file__).parent
TESTS = ROOT / "tests"

WITHOUT_A_FOLDER = {
    "export/operators": "they are in every graph that the tests of `export` compare with its model",
}

MOST_LINES = 300
LONGER: dict[str, str] = {}
"""Files of tests that may have more lines, each with the reason."""


def package_folders() -> list[str]:
    """Every package below the library's own, as a path with slashes."""
    return sorted(path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.glob("*/**/__init__.py"))


def python_files() -> list[Path]:
    return sorted(TESTS.rglob("*.py"))


@pytest.mark.parametrize("folder", package_folders())
def test_a_folder_of_the_source_has_a_folder_of_tests(folder: str) -> None:
    has_tests = any(TESTS.joinpath(folder).rglob("test_*.py"))
    assert has_tests != (folder in WITHOUT_A_FOLDER), f"tests/{folder}"


def test_folders_without_tests_of_their_own_are_folders_of_the_source() -> None:
    assert set(WITHOUT_A_FOLDER) <= set(package_folders())


def test_no_file_of_tests_is_longer_than_can_be_read_at_a_sitting() -> None:
    lines = {path.relative_to(TESTS).as_posix(): len(path.read_bytes().splitlines()) for path in python_files()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES and name not in LONGER} == {}


def test_every_folder_of_tests_and_helpers_is_a_package() -> None:
    """Two files of one name in folders that are none would be taken for one module."""
    scripts = TESTS / "apps" / "inside"
    folders = {path.parent for path in python_files()} - {scripts}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
