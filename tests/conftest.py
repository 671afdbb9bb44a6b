"""What several tests share."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub_fixtures import hashed, quick, registered, server, unhashed

__all__ = ["coins", "hashed", "peer_fixtures", "quick", "registered", "server", "unhashed"]

from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

ROOT = Path(__file__).parent.parent
ROWS: dict[tuple[str, str], list[tuple[float, float]]] = {}


@pytest.fixture(scope="session")
def peer_fixtures() -> Path:
    """The folder of small graphs of each published family; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SAM3_ONNX_FIXTURES", ROOT.parent / "shared" / "fixtures"))
    if not folder.is_dir():
        pytest.skip(f"no fixtures of published families at {folder}")
    return folder


@pytest.fixture(scope="session")
def coins() -> Path:
    """The photograph that ships with the examples."""
    return ROOT / "examples" / "pictures" / "coins.png"


@pytest.fixture(scope="session")
def maker() -> ModuleType:
    """What makes the tiny models of `native/`; the test is skipped where PyTorch is absent."""
    for package in ("torch", "transformers", "onnx", "onnxscript"):
        pytest.importorskip(package)
    spec = importlib.util.spec_from_file_location("native_maker", ROOT / "tests" / "native" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def settings() -> RuntimeSettings:
    """The CPU provider, or the one that SAM3_ONNX_TEST_PROVIDER names, in float32."""
    return RuntimeSettings(os.environ.get("SAM3_ONNX_TEST_PROVIDER", "cpu"), precision="float32")


@pytest.fixture(scope="session")
def note() -> Callable[[str, str, float, float], None]:
    """Adds a row: folder, case, largest difference of scores, smallest mask IoU."""

    def add(folder: str, case: str, difference: float, iou: float) -> None:
        ROWS.setdefault((folder, case), []).append((difference, iou))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    terminalreporter.section("published families against PyTorch")
    terminalreporter.write_line(f"{'folder':<18}{'case':<34}{'scores differ by':>17}{'smallest mask IoU':>19}")
    for (folder, case), answers in sorted(ROWS.items()):
        difference, iou = max(row[0] for row in answers), min(row[1] for row in answers)
        terminalreporter.write_line(f"{folder:<18}{case:<34}{difference:>17.1e}{iou:>19.4f}")
