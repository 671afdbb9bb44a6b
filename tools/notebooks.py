"""Runs the notebooks and keeps what they show, so that they can be looked at without running them.

`python tools/notebooks.py` needs the extra `notebooks`. The drawing of a result is kept once: its PNG, which says again
what its HTML shows, is dropped.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "examples" / "notebooks"
MOST_BYTES = 300_000


def main() -> None:
    """Runs each notebook in its folder and writes it back."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook, timeout=120, record_timing=False, resources={"metadata": {"path": str(FOLDER)}}
        )
        client.execute()
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
            if {"text/html", "image/png"} <= set(output.get("data", {})):
                del output.data["image/png"]
        text = nbformat.writes(notebook) + "\n"
        if len(text) > MOST_BYTES:
            sys.exit(f"{path.name} would be {len(text)} bytes long, more than {MOST_BYTES}: show less")
        if match := re.search(rf"{re.escape(str(Path.home()))}|{re.escape(str(FOLDER.parent.parent))}", text):
            sys.exit(f"{path.name} would hold a path of this machine: {match[0]}")
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
