"""What every part may use knows nothing of pictures, models or arrays."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import sam3_onnx

SUPPORT = Path(sam3_onnx.__file__).parent / "_support"
ALLOWED = ("platformdirs", "sam3_onnx.errors", "sam3_onnx._support", "PyInstaller")
"""What modules of `_support` may import besides the standard library. PyInstaller runs the hook that imports it."""


def imported_by(path: Path) -> list[str]:
    """The dotted names of what a module imports, also inside functions and for type checkers only."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}:{node.lineno} imports relatively"
            names.append(node.module)
    return names


@pytest.mark.parametrize("path", sorted(SUPPORT.rglob("*.py")), ids=lambda path: path.name)
def test_support_imports_the_standard_library_platformdirs_and_errors_only(path: Path) -> None:
    foreign = [name for name in imported_by(path) if name.partition(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not f"{name}.".startswith(tuple(f"{one}." for one in ALLOWED))] == []
