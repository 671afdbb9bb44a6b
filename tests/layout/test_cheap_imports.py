"""Do the parts of the library know only what they may, and is what it exports all there?"""

from __future__ import annotations

import ast
import json
import pkgutil
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


def test_onnxruntime_is_imported_by_runtime_and_by_the_rooms_that_write_graphs() -> None:
    assert users_of({"onnxruntime"}) == {"models", "export", "optimize"}


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


def test_what_is_exported_is_there_and_resolves() -> None:
    assert sam3_onnx.__all__ == sorted(sam3_onnx.__all__)
    assert dir(sam3_onnx) == sam3_onnx.__all__
    for name in sam3_onnx.__all__:
        value = getattr(sam3_onnx, name)
        if name != "__version__":
            assert value.__name__ == name
            assert value.__module__.startswith(f"{PACKAGE}.")
    with pytest.raises(AttributeError, match="module 'sam3_onnx' has no attribute 'Sam4Session'"):
        sam3_onnx.Sam4Session  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the test


def test_type_checkers_see_what_is_exported() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    (block,) = [node for node in blocks if isinstance(node.test, ast.Name)]
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(sam3_onnx.__all__) - {"__version__"}


def test_no_exported_name_is_hidden_by_a_module_of_that_name() -> None:
    assert not {found.name for found in pkgutil.iter_modules([str(SOURCE)])} & set(sam3_onnx.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE / "py.typed").is_file()
