"""What several tests share."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.fake_openvino import matrix_units, openvino
from tests.support.hub_fixtures import hashed, quick, registered, server, unhashed
from tests.support.places import FIXTURES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

__all__ = ["coins", "hashed", "matrix_units", "openvino", "peer_fixtures", "quick", "registered", "server", "unhashed"]

_AGAINST_PYTORCH = "against PyTorch"


@pytest.fixture(scope="session")
def peer_fixtures() -> Path:
    """The folder of small graphs of each published family; the test is skipped where it is absent."""
    if not FIXTURES.is_dir():
        pytest.skip(f"no fixtures of published families at {FIXTURES}")
    return FIXTURES


@pytest.fixture(scope="session")
def coins() -> Path:
    """The photograph that ships with the examples."""
    return ROOT / "examples" / "pictures" / "coins.png"


@pytest.fixture(scope="session")
def names_of_any_letters() -> None:
    """The test is skipped where the locale leaves names of files no other letters than its own."""
    if sys.getfilesystemencoding().lower() != "utf-8":
        pytest.skip(f"names of files are {sys.getfilesystemencoding()} here")


@pytest.fixture(scope="session")
def maker() -> ModuleType:
    """What makes the tiny models of `data/native`; the test is skipped where PyTorch is absent."""
    for package in ("torch", "transformers", "onnx", "onnxscript"):
        pytest.importorskip(package)
    return importlib.import_module("tests.support.make_native")


@pytest.fixture(scope="session")
def settings() -> RuntimeSettings:
    """The CPU provider, or the one that SAM3_ONNX_TEST_PROVIDER names, in float32."""
    return RuntimeSettings(os.environ.get("SAM3_ONNX_TEST_PROVIDER", "cpu"), precision="float32")


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str, str, float, float], None]:
    """Adds a row: folder, case, largest difference of scores, smallest mask IoU."""

    def add(folder: str, case: str, difference: float, iou: float) -> None:
        record_property(_AGAINST_PYTORCH, (folder, case, difference, iou))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[tuple[str, str], list[list[float]]] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, row in report.user_properties:
            if name == _AGAINST_PYTORCH:
                folder, case, *figures = row
                rows.setdefault((folder, case), []).append(figures)
    if not rows:
        return
    terminalreporter.section("published families against PyTorch")
    terminalreporter.write_line(f"{'folder':<18}{'case':<34}{'scores differ by':>17}{'smallest mask IoU':>19}")
    for (folder, case), answers in sorted(rows.items()):
        difference, iou = max(row[0] for row in answers), min(row[1] for row in answers)
        terminalreporter.write_line(f"{folder:<18}{case:<34}{difference:>17.1e}{iou:>19.4f}")
