"""Does a part of the library import only what it needs?"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import sam3_onnx

SOURCE = Path(sam3_onnx.__file__).parent
PACKAGE = "sam3_onnx"
LOADED_BY_IMPORT = """
import importlib, json, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join((PACKAGE, *(part for part in parts if part != "__init__")))] = path
    return found


def room(module: str) -> str:
    """`sam3_onnx.geometry.rle` lies in the room `geometry`."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports(module: str) -> frozenset[str]:
    """Everything that a module names in an import, also inside functions and for type checkers only."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively; the project spells modules out"
            assert node.module is not None
            named.add(node.module)
            named.update(f"{node.module}.{alias.name}" for alias in node.names if node.module == PACKAGE)
    return frozenset(named)


def users_of(packages: set[str]) -> set[str]:
    """Rooms that import one of some third-party packages."""
    return {room(module) for module in modules() if packages & {name.split(".")[0] for name in imports(module)}}


def test_onnxruntime_is_imported_in_one_place_of_models_and_by_the_room_that_compares_exports() -> None:
    assert users_of({"onnxruntime"}) == {"models", "export"}
    assert [module for module in modules() if room(module) == "models" and "onnxruntime" in imports(module)] == [
        f"{PACKAGE}.models.runtime.library"
    ]


def test_ray_and_what_comes_with_it_is_imported_by_integrations_only() -> None:
    assert users_of({"ray", "pyarrow"}) == {"integrations"}


def test_pytorch_is_imported_by_export_only() -> None:
    assert users_of({"torch", "transformers", "onnxscript"}) == {"export"}


def test_onnx_is_imported_by_the_rooms_that_rewrite_graphs() -> None:
    assert users_of({"onnx"}) == {"export", "optimize"}


@pytest.mark.parametrize(
    ("module", "loads"),
    [
        ("sam3_onnx", set()),
        ("sam3_onnx.errors", set()),
        ("sam3_onnx.geometry", {"cv2", "numpy"}),
        ("sam3_onnx.prompts", {"numpy"}),
        ("sam3_onnx.images", {"cv2", "numpy"}),
        ("sam3_onnx.results", {"cv2", "numpy"}),
        ("sam3_onnx.labels.formats", set()),
        ("sam3_onnx.labels.label_file", {"cv2", "numpy"}),
        ("sam3_onnx.draw", {"cv2", "numpy"}),
        ("sam3_onnx.cli", set()),
        ("sam3_onnx.cli.doctor.report", {"platformdirs"}),
    ],
)
def test_importing_a_part_loads_nothing_that_it_does_not_need(module: str, loads: set[str]) -> None:
    command = [sys.executable, "-c", LOADED_BY_IMPORT, module]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter and text
    # older NumPy registers helper modules of its compiler, "_cython_3_0_8" and "cython_runtime"
    loaded = {name for name in json.loads(answer.stdout) if "cython" not in name}
    assert loaded - set(sys.stdlib_module_names) - {PACKAGE} <= loads
