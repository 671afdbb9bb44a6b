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
PURE = (
    *(
        "errors",
        "checks",
        "files",
        "geometry",
        "images",
        "picture_header",
        "locks",
        "prompts",
        "tokenizer",
        "masks",
        "shapes",
        "instances",
        "suppression",
        "origins",
        "results",
    ),
    *("conversions", "embeddings", "labels", "draw", "folders", "clicks", "stopwatch", "limits"),
)
ABOVE_RUNTIME = {
    *("families", "hub", "cache", "asking", "selection", "config", "session"),
    *("testing", "doctor", "cli", "export", "optimize", "__main__"),
    *(
        "disk",
        "embedder",
        "concepts",
        "objects",
        "tracking",
        "opening",
        "prefetching",
        "heads",
        "streaming",
        "annotate",
        "integrations",
    ),
}
FORBIDDEN = {
    **{name: {"runtime", *ABOVE_RUNTIME} for name in PURE},
    "geometry": {"runtime", "images", "prompts", "tokenizer", "masks", "results", "labels", "draw", *ABOVE_RUNTIME},
    **{
        name: {"runtime", "results", "labels", *ABOVE_RUNTIME}
        for name in ("instances", "draw", "conversions", "origins", "suppression")
    },
    "runtime": ABOVE_RUNTIME | {"images", "prompts", "results", "labels", "draw", "geometry"},
    "families": ABOVE_RUNTIME - {"families"} | {"labels", "draw"},
    "disk": {"runtime", "families", "hub", "session", "testing", "doctor", "cli"},
    "options": {"session", "testing", "doctor", "cli", "families"},
    "hub": {"session", "testing", "doctor", "cli", "families", "runtime"},
    "session": {"testing", "doctor", "cli", "labels", "export", "optimize", "integrations"},
    "integrations": {"testing", "doctor", "cli", "export", "optimize"},
    "doctor": {"testing", "cli", "integrations", "labels", "export", "optimize"},
    "export": {"session", "doctor", "cli", "labels", "draw"},
    "optimize": {"session", "doctor", "cli", "labels", "draw", "export"},
}
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


def reached(name: str) -> dict[str, str]:
    """Rooms that one room leads to, step by step, each with the module that opens the door."""
    waiting, doors = [name], {name: ""}
    while waiting:
        here = waiting.pop()
        for module in (module for module in modules() if room(module) == here):
            for other in imports(module):
                if other.startswith(f"{PACKAGE}.") and room(other) not in doors:
                    doors[room(other)] = module
                    waiting.append(room(other))
    return doors


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_room_leads_to_none_that_it_must_not_know(name: str) -> None:
    doors = reached(name)
    assert {other: doors[other] for other in FORBIDDEN[name] if other in doors} == {}


def test_every_room_is_there_and_none_is_forgotten() -> None:
    there = {room(module) for module in modules()} - {""}
    named = set(FORBIDDEN).union(*FORBIDDEN.values())
    assert there == named, "a new room needs a line in FORBIDDEN, an old one none"


def test_onnxruntime_is_imported_by_runtime_and_by_the_rooms_that_write_graphs() -> None:
    assert users_of({"onnxruntime"}) == {"runtime", "export", "optimize"}


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
        ("sam3_onnx.labels", {"cv2", "numpy"}),
        ("sam3_onnx.draw", {"cv2", "numpy"}),
        ("sam3_onnx.cli", set()),
        ("sam3_onnx.doctor", {"platformdirs"}),
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
