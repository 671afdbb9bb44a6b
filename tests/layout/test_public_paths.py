"""What users of the last release import is where it was; what went is listed in CHANGELOG.md."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import MissingExtraError
from tests.support.places import ROOT

if TYPE_CHECKING:
    from types import ModuleType

PATHS: dict[str, list[str]] = json.loads(
    (ROOT / "tests" / "data" / "public_paths" / "0.1.0.json").read_text(encoding="utf-8")
)
"""Names by module: what release 0.1.0 listed in `__all__` of its public modules, without what went."""


def opened(module: str) -> ModuleType:
    """A public module; the test is skipped where the packages of its extra are not installed."""
    try:
        return importlib.import_module(module)
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("module", PATHS)
def test_a_public_path_still_has_its_names(module: str) -> None:
    assert [name for name in PATHS[module] if not hasattr(opened(module), name)] == []


@pytest.mark.parametrize("module", PATHS)
def test_a_name_is_the_same_object_wherever_it_is_public(module: str) -> None:
    package = importlib.import_module("sam3_onnx")
    shared = set(PATHS[module]) & set(PATHS["sam3_onnx"])
    assert [name for name in shared if getattr(opened(module), name) is not getattr(package, name)] == []
