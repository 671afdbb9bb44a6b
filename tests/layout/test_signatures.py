"""Every type of the library that stands in a public signature can be imported from the face of a package."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import pytest

import sam3_onnx
from tests.layout.test_arrows import MODULES, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

FACES = (
    "",
    "annotate",
    "evaluate",
    "draw",
    "errors",
    "geometry",
    "hub",
    "images",
    "labels",
    "prompts",
    "results",
    "session",
    "testing",
    "video",
)
"""Modules whose `__all__` is public; export and optimize are left out, as their extras are not always installed."""
MADE_BY_SESSIONS = {"EmbeddingCache", "Prefetch"}
"""Classes that nobody else makes: their constructors are no public signatures."""
INTEGRATIONS = ("integrations.rows", "integrations.ray")
"""Public by their own paths, without a face."""


@cache
def exported(face: str) -> frozenset[str]:
    return frozenset(importlib.import_module(f"{PACKAGE}.{face}" if face else PACKAGE).__all__)


PUBLIC = frozenset().union(*map(exported, (*FACES, *INTEGRATIONS)))


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported_names(module: str) -> dict[str, str]:
    """Names that a module takes from others of the library, with where from."""
    return {
        alias.asname or alias.name: node.module.partition(".")[2]
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE}.")
        for alias in node.names
    }


def defined_names(module: str) -> set[str]:
    """Classes and type aliases that a module itself defines."""
    return {
        node.name if isinstance(node, ast.ClassDef) else ast.unparse(node.target)
        for node in tree_of(module).body
        if isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation))
    }


def annotations_of(node: ast.AST) -> Iterator[ast.expr]:
    """The annotations of a function's signature, or of a class's public methods and fields."""
    if isinstance(node, ast.FunctionDef):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        yield from (each.annotation for each in arguments if each and each.annotation)
        if node.returns:
            yield node.returns
    elif isinstance(node, ast.ClassDef):
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef) and (
                not inner.name.startswith("_") or (inner.name == "__init__" and node.name not in MADE_BY_SESSIONS)
            ):
                yield from annotations_of(inner)
            elif isinstance(inner, ast.AnnAssign) and not ast.unparse(inner.target).startswith("_"):
                yield inner.annotation


def names_in(annotation: ast.expr) -> set[str]:
    """Names in an annotation, also where it is written as a string."""
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            names.add(node.value)
    return names


def hidden_types(home: str, name: str) -> set[str]:
    """Types of the library in the signature of a class or function that no face exports."""
    found: set[str] = set()
    for node in ast.walk(tree_of(home)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            named = {each for annotation in annotations_of(node) for each in names_in(annotation)}
            found |= {each for each in named & types_of(home) if not each.startswith("_")} - PUBLIC
    return found


def types_of(module: str) -> set[str]:
    """Types of the library that a module defines or imports; type variables and modules are none."""
    others = {
        name
        for name, home in imported_names(module).items()
        if home in MODULES
        and isinstance(getattr(importlib.import_module(f"{PACKAGE}.{home}"), name, None), TypeVar | ModuleType)
    }
    return {*imported_names(module), *defined_names(module)} - others


def bases_of(value: object) -> Iterator[tuple[str, str]]:
    """Module and name of a class and of the classes of the library that it is made of."""
    for base in value.__mro__ if isinstance(value, type) else [value]:
        module = getattr(base, "__module__", "")
        if module.startswith(f"{PACKAGE}."):
            yield module.partition(".")[2], str(getattr(base, "__name__", ""))


@pytest.mark.parametrize("face", [*FACES, *INTEGRATIONS])
def test_types_in_a_public_signature_are_public(face: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.{face}" if face else PACKAGE)
    hidden = {
        f"{base} of {home}": types
        for name in sorted(exported(face))
        for home, base in bases_of(getattr(module, name))
        if (types := hidden_types(home, base))
    }
    assert hidden == {}


@pytest.mark.parametrize("face", FACES)
def test_a_face_has_what_it_lists(face: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.{face}" if face else PACKAGE)
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_faces_are_those_of_the_packages() -> None:
    packages = {path.parent.name for path in Path(sam3_onnx.__file__).parent.glob("*/__init__.py")}
    assert packages - {*FACES} == {"_support", "cli", "export", "integrations", "models", "optimize"}
