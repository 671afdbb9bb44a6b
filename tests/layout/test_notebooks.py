"""Do the notebooks run, and do they still print what they show?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypedDict

import pytest

from tests.support.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "examples" / "notebooks"
NOTEBOOKS = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
MOST_BYTES = 300_000
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")


class Output(TypedDict, total=False):
    """What a cell showed, as far as it is compared."""

    name: str
    text: list[str]
    data: dict[str, list[str]]


class Cell(TypedDict):
    """A cell of a notebook."""

    cell_type: str
    source: list[str]
    outputs: list[Output]


def cells_of(text: str) -> list[Cell]:
    cells: list[Cell] = json.loads(text)["cells"]
    return cells


def shown_by(cells: list[Cell]) -> list[tuple[str, list[str]]]:
    """The text of each cell that printed or ended with a value, and whether there was HTML beside."""
    seen = []
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        streams = "".join("".join(output["text"]) for output in cell["outputs"] if "text" in output)
        values = [
            "".join(output["data"]["text/plain"]) + ("text/html" in output["data"]) * " and a drawing"
            for output in cell["outputs"]
            if "data" in output
        ]
        seen.append((streams, values))
    return seen


@NOTEBOOKS
def test_a_notebook_runs_and_prints_what_it_shows(path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert shown_by(cells_of(nbformat.writes(notebook))) == shown_by(cells_of(path.read_text(encoding="utf-8")))


@NOTEBOOKS
def test_a_notebook_is_small_and_holds_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    words = re.sub(r"base64,[^\\\"]*", "", text)
    assert re.findall(r"/(?:home|root|tmp|Users|work|opt)/", words) == []


@NOTEBOOKS
def test_a_notebook_was_run_from_top_to_bottom_and_leads_to_pages_that_exist(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    targets = [target for cell in cells for target in LINK.findall("".join(cell["source"]))]
    assert [target for target in targets if not (FOLDER / target).exists()] == []


def test_an_app_of_ones_own_has_forty_lines() -> None:
    cells = cells_of((FOLDER / "04-your-own-app.ipynb").read_text(encoding="utf-8"))
    (app,) = [cell for cell in cells if "class Labeller" in "".join(cell["source"])]
    assert len(app["source"]) <= 40
