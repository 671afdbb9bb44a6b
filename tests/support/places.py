"""Where the checkout, the golden files and the graphs of published families lie."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"

NATIVE = DATA / "native"
"""A native bundle of random weights, made by `make_native`."""

VIDEO = DATA / "video"
"""A native bundle of random weights that follows objects through videos, made by `make_video`."""

FIXTURES = Path(os.environ.get("SAM3_ONNX_FIXTURES", ROOT.parent / "shared" / "fixtures"))
"""Small graphs of each published family; the folder need not be there."""
