"""Who may import whom: one table for every room, and no circle among the modules."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sam3_onnx

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "sam3_onnx"
SOURCE = Path(sam3_onnx.__file__).parent

OPEN_TO_ALL = ("_support", "errors")
"""Rooms that every room may import, but for `errors`, which imports nothing, and `_support`, which imports errors."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "errors": (),
    "_support": (),
    "prompts": (),
    "images": (),
    "geometry": (),
    "hub": (),
    "draw": ("geometry",),
    "models.runtime": (),
    "models.families": ("geometry", "prompts.tokenizer", "models.runtime"),
    "results": ("geometry", "images", "draw", "prompts (types)"),
    "labels": ("geometry", "images", "results"),
    "video": ("geometry", "images", "prompts", "results", "models.runtime", "models.families"),
    "session": (
        *("geometry", "images", "draw", "prompts", "results", "hub", "models.runtime", "models.families"),
        "video",
    ),
    "export": ("prompts", "geometry", "images", "results", "session"),
    "optimize": ("geometry", "images", "prompts.tokenizer", "models.runtime", "models.families"),
    "annotate": ("geometry", "images", "prompts", "draw (types)", "results", "labels", "video", "session"),
    "evaluate": ("geometry", "images", "prompts", "draw", "results", "labels", "session"),
    "integrations": ("geometry", "images", "prompts", "results", "labels", "session"),
    "testing": ("geometry", "prompts", "results", "models.runtime", "models.families", "video", "session"),
    "cli": (
        *("geometry", "images", "prompts", "draw", "results", "labels", "hub", "models.runtime", "models.families"),
        *("video", "session", "annotate", "evaluate", "export", "optimize"),
    ),
}
"""What a room may import, also inside functions and for type checkers only; what is not listed is forbidden.

A name with a dot behind a room is one module of it; "(types)" allows an import for type checkers only.
"""

FACES = ("", "models", "__main__")
"""The package's own `__init__`, which resolves names on first use, and modules that are doors to one room each."""


@dataclass(frozen=True)
class Arrow:
    """One import of one module by another."""

    importer: str
    imported: str
    line: int
    types_only: bool


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name without the package's."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def room(module: str) -> str:
    """`models.families.native` lies in the room `models.families`, `geometry.rle` in `geometry`."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "models" else parts[0]


def type_checking_lines(tree: ast.Module) -> set[int]:
    """Lines of the blocks that type checkers alone run."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {
        inner.lineno for block in blocks for node in block.body for inner in ast.walk(node) if hasattr(inner, "lineno")
    }


def arrows_of(module: str) -> Iterator[Arrow]:
    """Every import of another module of the package, wherever it stands in the file."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for_types = type_checking_lines(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{MODULES[module]}:{node.lineno} imports relatively; the project spells modules out"
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in named:
            if name.split(".")[0] == PACKAGE:
                yield Arrow(module, defining(name.partition(".")[2]), node.lineno, node.lineno in for_types)


def defining(dotted: str) -> str:
    """The module that a dotted name is, or is taken from."""
    return dotted if dotted in MODULES else dotted.rpartition(".")[0]


def is_allowed(arrow: Arrow) -> bool:
    """Whether the table has the arrow."""
    importer, imported = room(arrow.importer), room(arrow.imported)
    if importer in {imported, *FACES}:
        return True
    if imported in OPEN_TO_ALL:
        return importer != "errors"
    allowed = MAY_IMPORT[importer]
    return imported in allowed or arrow.imported in allowed or (arrow.types_only and f"{imported} (types)" in allowed)


def forbidden(module: str) -> list[str]:
    """The imports of a module that the table does not have, each with file and line."""
    return [
        f"{MODULES[module]}:{arrow.line} imports {arrow.imported or PACKAGE}"
        for arrow in arrows_of(module)
        if not is_allowed(arrow)
    ]


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_room_imports_only_what_the_table_allows(name: str) -> None:
    assert [line for module in MODULES if room(module) == name for line in forbidden(module)] == []


def test_every_room_is_in_the_table_and_none_is_forgotten() -> None:
    assert {room(module) for module in MODULES} - {*FACES} == set(MAY_IMPORT)


def test_the_table_has_no_circle() -> None:
    rooms = {name: {entry.split(" ")[0] for entry in allowed} for name, allowed in MAY_IMPORT.items()}
    graph = {name: {entry if entry in rooms else room(entry) for entry in allowed} for name, allowed in rooms.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MAY_IMPORT)


def test_no_module_leads_back_to_itself() -> None:
    graph = {
        module: {arrow.imported for arrow in arrows_of(module) if arrow.imported and not arrow.types_only}
        for module in MODULES
        if module
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_packages_face_is_used_by_nobody_inside() -> None:
    faces = {module for module, path in MODULES.items() if path.name == "__init__.py"} - {"errors", "cli"}
    inside = [
        f"{MODULES[arrow.importer]}:{arrow.line} imports from the face of {arrow.imported or PACKAGE}"
        for module in MODULES
        for arrow in arrows_of(module)
        if arrow.imported in faces and arrow.importer not in FACES
    ]
    assert inside == []


def test_the_root_has_at_most_eighteen_named_entries() -> None:
    entries = {room(module).partition(".")[0] for module in MODULES} - {*FACES, "_support"} | {"models"}
    assert len(entries) <= 18, sorted(entries)
