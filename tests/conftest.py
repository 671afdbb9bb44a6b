"""What several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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
