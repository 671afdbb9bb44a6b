"""The page on the architecture says what the code is, and its walk-throughs can be followed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sam3_onnx
from tests.layout.test_arrows import MAY_IMPORT
from tests.support.places import ROOT

SOURCE = Path(sam3_onnx.__file__).parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"^```diff\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FAMILY_FILES = ("text_only.py", "recognition.py")
FOLLOW = """
from pathlib import Path
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.labels import picture_format
from sam3_onnx.session import Sam3Session

with Sam3Session.from_pretrained("miniature") as session:
    annotate_folder(session, "pictures", "coin", label_format="csv-boxes")
file = picture_format("csv-boxes").read("pictures/coins.csv", image_size=(303, 384))
print(len(file.shapes), {shape.label for shape in file.shapes})
"""


def applied(diff: str, root: Path) -> None:
    """Applies the changes of one diff to files below a folder."""
    for old, new, body in re.findall(r"^--- (\S+)\n\+\+\+ (\S+)\n((?:[ +\-@].*\n)+?)(?=--- |\Z)", diff, re.MULTILINE):
        path = root / new.removeprefix("b/")
        lines = [line for line in body.splitlines(keepends=True) if not line.startswith("@@")]
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        if old == "/dev/null":
            path.write_text(after, encoding="utf-8")
        else:
            text = path.read_text(encoding="utf-8")
            assert text.count(before) == 1, f"{new} has other lines than the page"
            path.write_text(text.replace(before, after), encoding="utf-8")


def test_the_label_format_of_the_page_labels_a_folder(tmp_path: Path, coins: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "src" / "sam3_onnx", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pictures").mkdir()
    shutil.copy(coins, tmp_path / "pictures" / "coins.png")

    applied(DIFFS[0], tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", FOLLOW], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert ran.stdout == "24 {'coin'}\n", ran.stderr


def test_the_family_of_the_page_is_the_one_in_the_library() -> None:
    added = [line[1:] for diff in DIFFS[1:] for line in diff.splitlines() if line[0] == "+" and line[:3] != "+++"]
    text = "".join((SOURCE / "models" / "families" / name).read_text(encoding="utf-8") for name in FAMILY_FILES)

    assert len(added) > 50
    assert [line for line in added if line not in text] == []


def test_every_arrow_of_the_diagram_is_allowed_and_every_room_is_in_it() -> None:
    (diagram,) = re.findall(r"^```mermaid\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    titles = dict(re.findall(r'^\s+(\w+)\["([\w/]+)<br>', diagram, re.MULTILINE))
    rooms = {name: title.replace("/", ".") for name, title in titles.items()}
    arrows = re.findall(r"^\s+(\w+) --> (\w+)$", diagram, re.MULTILINE)

    assert set(rooms.values()) == set(MAY_IMPORT) - {"errors", "_support"}
    assert [(one, other) for one, other in arrows if rooms[other] not in MAY_IMPORT[rooms[one]]] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|json))?)`", PAGE))))
def test_every_file_and_folder_that_the_page_names_exists(path: str) -> None:
    assert (SOURCE / path).exists() or (ROOT / path).exists()
