"""Pictures, and what compares our labels with what other programs find in them.

Runs against what is installed: labelme, pycocotools and supervision by their packages (extra `interop`), X-AnyLabeling
by the environment variable SAM3_ONNX_XANYLABELING, which names a checkout of it whose requirements are installed.
`pytest -s` prints what was compared.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx import Segmentation

XANYLABELING = os.environ.get("SAM3_ONNX_XANYLABELING")
WORDS = "circle, square, triangle, star, ellipse, ring, cross"
LARGEST_DIFFERENCE = 0.001
"""Share of a polygon's area by which two programs may differ."""


def skip_without(*packages: str) -> None:
    """Skips the tests of a module where none of some packages is installed."""
    if not any(map(importlib.util.find_spec, packages)):
        pytest.skip(f"not installed: {', '.join(packages)} (extra interop)", allow_module_level=True)


@dataclass(frozen=True)
class Sample:
    """A picture and what the miniature finds in it."""

    path: Path
    result: Segmentation


def scene(seed: int) -> NDArray[np.uint8]:
    """A scene of the miniature's world."""
    spec = importlib.util.spec_from_file_location("world", ROOT / "tools" / "miniature" / "world.py")
    assert spec is not None
    assert spec.loader is not None
    world = importlib.util.module_from_spec(spec)
    sys.modules["world"] = world  # dataclasses look themselves up there
    spec.loader.exec_module(world)
    picture: NDArray[np.uint8] = world.draw_scene(np.random.default_rng(seed)).picture
    return picture


def area(points: object) -> float:
    """Of a ring in square pixels, by the formula of Gauss; open or closed."""
    x, y = np.array(points, np.float64).reshape(-1, 2).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def differences(ours: Sequence[object], theirs: Sequence[object]) -> list[float]:
    """Of areas, ring by ring, as shares of ours."""
    return [abs(area(a) - area(b)) / max(area(a), 1e-9) for a, b in zip(ours, theirs, strict=True)]


def say(program: str, what: str, count: int, apart: Sequence[float] = ()) -> None:
    largest = f", areas apart by at most {max(apart):.2e}" if apart else ""
    print(f"\n{program}: {count} {what}{largest}", end="")  # noqa: T201 - for whoever runs with -s
