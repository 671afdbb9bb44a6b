"""Is everything there that the library exports?"""

from __future__ import annotations

import ast
import pkgutil
from pathlib import Path

import pytest

import sam3_onnx

SOURCE = Path(sam3_onnx.__file__).parent
PACKAGE = "sam3_onnx"


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
    assert seen == set(sam3_onnx.__all__)


def test_no_exported_name_is_hidden_by_a_module_of_that_name() -> None:
    assert not {found.name for found in pkgutil.iter_modules([str(SOURCE)])} & set(sam3_onnx.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE / "py.typed").is_file()
