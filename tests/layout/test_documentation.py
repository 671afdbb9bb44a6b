"""What the pages say can be run, and what they name is there."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import io
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import sam3_onnx
from sam3_onnx import errors
from sam3_onnx.errors import MissingExtraError
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph
from tests.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.is_file()]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
PAGES += sorted((ROOT / "examples").rglob("README.md"))
LANGUAGES = {"python", "bash", "text", "json", "yaml", "diff", "mermaid"}
MOST_NOT_RUN = 17
"""Blocks that are shown and not run. One more is a decision, to be taken here."""

FENCE = re.compile(
    r"^(?:<!-- not run:(?P<why>.*?)-->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
OUTPUT = re.compile(r"\s*^```text\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(sam3_onnx(?:\.\w+)+)[^`]*`")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    """Of the first line of code, counted from 1."""
    language: str
    code: str
    not_run: str | None
    """Why it is not run, as the page says."""
    printed: str | None
    """What the page says that it prints: a `text` block that follows directly."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        output = OUTPUT.match(text, match.end())
        yield Block(page, line, match["language"], match["code"], match["why"], output and output["text"])


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
NOT_RUN = [block for block in BLOCKS if block.language == "python" and block.not_run is not None]


@pytest.fixture
def pictures(tmp_path: Path, coins: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the pictures that pages speak of."""
    (tmp_path / "examples" / "pictures").mkdir(parents=True)
    shutil.copy(coins, tmp_path / "examples" / "pictures" / "coins.png")
    shutil.copy(coins, tmp_path / "coins.png")
    cv2.imwrite(str(tmp_path / "street.jpg"), np.full((120, 160, 3), 128, np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run_and_print_what_it_says(page: Path) -> None:
    namespace: dict[str, object] = {"__name__": "page"}
    for block in blocks_of(page):
        if block.language != "python" or block.not_run is not None:
            continue
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)  # noqa: S102 - that a page can be run is what is tested
        if block.printed is not None:
            assert printed.getvalue() == block.printed, str(block)


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "docs/get-started.md"])
def test_the_first_pages_name_pictures_that_a_clone_has(name: str) -> None:
    blocks = [block for block in blocks_of(ROOT / name) if block.language == "python" and block.not_run is None]
    named = [picture for block in blocks for picture in re.findall(r'"([^"]+\.(?:png|jpg))"', block.code)]
    assert named
    assert [picture for picture in named if not (ROOT / picture).is_file()] == []


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_a_block_that_is_not_run_says_why_and_names_what_exists(block: Block) -> None:
    assert block.not_run
    assert block.not_run.strip()
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sam3_onnx"):
            assert all(resolves(f"{node.module}.{alias.name}") for alias in node.names), str(block)


def test_few_blocks_are_not_run() -> None:
    assert len(NOT_RUN) <= MOST_NOT_RUN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_fences_are_closed_and_of_a_language_that_is_checked(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^\s*```", text, re.MULTILINE)) == 2 * sum(1 for _ in blocks_of(page))
    assert len(re.findall(r"^<!-- not run", text, re.MULTILINE)) == sum(
        block.not_run is not None for block in blocks_of(page)
    )
    assert {block.language for block in blocks_of(page)} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_dotted_names_in_a_page_exist(page: Path) -> None:
    named = set(INLINE.findall(page.read_text(encoding="utf-8"))) - manifest_keys()
    assert [name for name in sorted(named) if not resolves(name)] == []


def test_the_contract_page_names_every_manifest_key() -> None:
    page = (ROOT / "docs" / "native-bundle.md").read_text(encoding="utf-8")
    assert [key for key in sorted(manifest_keys()) if f"`{key}`" not in page] == []


def test_the_errors_page_has_a_heading_for_every_error() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in errors.__all__ if f"`{name}`" not in headings] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def listed_on_the_api_page() -> dict[str, set[str]]:
    """What follows each `:::`, with the members that are chosen of it; none for all."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return {
        directive["name"]: set(re.findall(r"^ +- (\w+)$", directive["options"], re.MULTILINE))
        for directive in re.finditer(r"^::: (?P<name>\S+)\n(?P<options>(?: +.*\n)*)", text, re.MULTILINE)
    }


def test_the_api_page_lists_what_the_package_offers() -> None:
    listed = listed_on_the_api_page()
    named = {name.rpartition(".")[2] for name in listed}.union(*listed.values())
    assert set(sam3_onnx.__all__) - named == {"Sam3Error", "__version__"}, "the first stands among the errors"


@pytest.mark.parametrize("package", [name for name, members in listed_on_the_api_page().items() if members])
def test_the_api_page_lists_all_that_a_room_offers(package: str) -> None:
    assert listed_on_the_api_page()[package] == set(exported_by(package))


def manifest_keys() -> set[str]:
    """Keys in the graphs of a native bundle; they look like names of the library and are none."""
    return {*read_graph(model_folder("miniature") / "decoder.onnx").metadata, "sam3_onnx.precision"}


def resolves(dotted: str) -> bool:
    """Whether a module, or a name in one, is there."""
    found: object = importlib.import_module("sam3_onnx")
    path = "sam3_onnx"
    for part in dotted.split(".")[1:]:
        path = f"{path}.{part}"
        if hasattr(found, part):
            found = getattr(found, part)
        elif dataclasses.is_dataclass(found) and part in {field.name for field in dataclasses.fields(found)}:
            return dotted == path
        else:
            try:
                found = importlib.import_module(path)
            except MissingExtraError:
                return dotted == path or dotted.removeprefix(f"{path}.") in exported_by(path)
            except ImportError:
                return False
    return True


def exported_by(module: str) -> list[str]:
    """`__all__` of a package, read without importing it."""
    source = ROOT.joinpath("src", *module.split("."), "__init__.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert isinstance(names, list)
            return [str(name) for name in names]
    return []
