"""The command measures a model on labelled pictures, and says so in its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import pytest

from sam3_onnx.annotate import annotate_folder
from sam3_onnx.cli import main
from sam3_onnx.session import Sam3Session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, coins: Path) -> Path:
    """A picture with the miniature's own labels."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "a.png").write_bytes(coins.read_bytes())
    with Sam3Session.from_pretrained("miniature", provider="cpu") as session:
        annotate_folder(session, folder, "coin")
    return folder


def test_a_model_agrees_with_its_own_labels(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json", str(tmp_path / "out.json"), "--sheet", str(tmp_path / "sheet.png")]
    assert main(["evaluate", str(labelled), "--model", "miniature", *files]) == 0
    printed = capsys.readouterr().out
    assert "1 picture compared" in printed
    assert printed.count("coin") == 2
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert content["all"]["f1"] == 1
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


def test_a_picture_that_cannot_be_compared_shows_in_the_exit_status(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "a.json"):
        (tmp_path / name).write_bytes((labelled / name).read_bytes())
    (tmp_path / "b.png").write_bytes(b"no picture")
    (tmp_path / "b.json").write_bytes((labelled / "a.json").read_bytes())
    assert main(["evaluate", str(tmp_path), "--model", "miniature"]) == 3
    assert "1 picture could not be compared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sheet", "sheet.jpg"], "--sheet must be a file that ends in .png"),
        (["--format", "yolo-detect"], "No labels"),
        (["--json", "{labelled}/a.json"], "is there already and is left as it is. Pass --overwrite"),
        (["--sheet", "{labelled}/a.png"], "no sheet of an earlier run"),
        (["--plot", "nowhere/curves.png"], "--plot must be a file in a folder that is there"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_picture_is_read(
    labelled: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in labelled.iterdir()}
    words = [option.replace("{labelled}", str(labelled)) for option in options]
    assert main(["evaluate", str(labelled), "--model", "miniature", *words]) == 1
    assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in labelled.iterdir()} == before


def test_a_prompt_can_differ_from_the_label(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes((labelled / "a.png").read_bytes())
    text = (labelled / "a.json").read_text(encoding="utf-8")
    (tmp_path / "a.json").write_text(text.replace('"coin"', '"money"'), encoding="utf-8")
    assert main(["evaluate", str(tmp_path), "--label", "coin=money", "--model", "miniature"]) == 0
    assert "1.000" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path), "--model", "miniature"]) == 0
    assert 'the miniature does not know "money"' in capsys.readouterr().err
