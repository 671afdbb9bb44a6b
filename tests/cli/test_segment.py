"""The command line, run as a person runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.cli import main
from sam3_onnx.session.options import SessionSettings
from sam3_onnx.testing import FakeInstance, FakeTracker, fake_session
from tests.support.picture_folders import paint

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model can be loaded."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr(Sam3Session, "from_pretrained", refuse)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results go to `out` unless told otherwise: into an empty folder, whatever lies where the tests are run."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


def test_segment_prints_a_table_and_writes_labels_and_an_overlay(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    labels = json.loads((tmp_path / "coins.json").read_text(encoding="utf-8"))
    assert printed.startswith("label")
    assert f"{len(labels['shapes'])} instances in 384 x 303 pixels" in printed
    assert "times: load model" in printed
    assert len(labels["shapes"]) > 15
    assert (tmp_path / labels["imagePath"]).resolve() == coins
    assert {shape["shape_type"] for shape in labels["shapes"]} == {"polygon"}
    overlay, picture = cv2.imread(str(tmp_path / "coins.png")), cv2.imread(str(coins))
    assert overlay is not None
    assert picture is not None
    assert overlay.shape == picture.shape
    assert np.mean(overlay != picture) > 0.1


def test_a_cache_folder_is_filled_and_changes_no_result(coins: Path, tmp_path: Path) -> None:
    command = ["segment", str(coins), "--text", "coin", "--cache-folder", str(tmp_path / "cache"), "-o"]
    written = []
    for run in ("first", "second"):
        assert main([*command, str(tmp_path / run)]) == 0
        written.append((tmp_path / run / "coins.json").read_bytes())
    assert written[0] == written[1]
    assert len(list((tmp_path / "cache").glob("*.embedding"))) == 2, "the picture and the word"


def test_what_the_label_file_does_not_hold_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = paint(tmp_path / "small", "a.png") / "a.png"
    session = fake_session({"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))]})
    monkeypatch.setattr(Sam3Session, "from_pretrained", lambda *_, **__: session)
    assert main(["segment", str(picture), "--text", "wire", "-o", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"{tmp_path / 'a.json'} does not hold all: wire: mask too thin for a polygon left out" in said


@pytest.mark.parametrize("mode", ["rectangle", "rotation"])
def test_other_outlines(coins: Path, tmp_path: Path, mode: str) -> None:
    assert main(["segment", str(coins), "--text", "coin", "--output-mode", mode, "-o", str(tmp_path)]) == 0
    shapes = json.loads((tmp_path / "coins.json").read_text(encoding="utf-8"))["shapes"]
    assert {(shape["shape_type"], len(shape["points"])) for shape in shapes} == {(mode, 4)}
    assert all(("direction" in shape) == (mode == "rotation") for shape in shapes)


def test_boxes_ask_for_everything_like_them(coins: Path, tmp_path: Path) -> None:
    words = ["segment", str(coins), "--box", "27,36,62,72", "--conf", "0.3", "-o", str(tmp_path)]
    assert main(words) == 0
    shapes = json.loads((tmp_path / "coins.json").read_text(encoding="utf-8"))["shapes"]
    assert len(shapes) > 5
    assert {shape["label"] for shape in shapes} == {"object"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.png", "--text", "coin"], "nowhere.png"),
        (["{coins}"], "Nothing was asked for"),
        (["{coins}", "--text", "coin", "--conf", "3"], "--conf must be a number in 0..1, got 3.0"),
        (["{coins}", "--text", "coin", "--model", "sam99"], "No model is called 'sam99'. Known names: miniature"),
        (
            ["{coins}", "--text", "coin", "--negative-box", "900,900,950,950"],
            "--negative-box 900,900,950,950 cannot be used",
        ),
    ],
)
def test_what_goes_wrong_is_one_message_and_exit_code_one(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    asked = [word.replace("{coins}", str(coins)) for word in words]
    assert main(["segment", *asked, "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sam3-onnx: ")
    assert message in said
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out")]) == 1
    assert "-o must be a folder, got" in capsys.readouterr().err


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_the_picture_itself_is_never_replaced(
    coins: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    overwrite: list[str],
) -> None:
    shutil.copyfile(coins, tmp_path / "coins.png")
    monkeypatch.chdir(tmp_path)
    assert main(["segment", "coins.png", "--text", "coin", "-o", ".", *overwrite]) == 1
    assert "It is the picture itself: name another folder with -o." in capsys.readouterr().err
    assert (tmp_path / "coins.png").read_bytes() == coins.read_bytes()
    assert not (tmp_path / "coins.json").exists()


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("name", ["coins.json", "coins.png"])
def test_what_lies_in_the_way_stays_and_is_said_before_a_model_is_loaded(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_text("by hand")
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path)]) == 1
    assert f"{tmp_path / name} is there already and is left as it is" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "by hand"


def test_results_are_replaced_where_one_says_so(coins: Path, tmp_path: Path) -> None:
    for name in ("coins.json", "coins.png"):
        (tmp_path / name).write_text("of an earlier run")
    assert main(["segment", str(coins), "--text", "coin", "-o", str(tmp_path), "--overwrite"]) == 0
    assert json.loads((tmp_path / "coins.json").read_text(encoding="utf-8"))["shapes"]


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.png", "--text", "coin"], "nowhere.png"),
        (["{coins}"], "Nothing was asked for: expected at least one word or one positive box, got no word and no box"),
        (["{coins}", "--negative-box", "1,1,9,9"], "got 1 negative boxes and no word"),
        (["{coins}", "--text", ","], "Nothing was asked for"),
        (["{coins}", "--point", "900,900"], "it lies outside the picture"),
        (["{coins}", "--negative-point", "9,9"], "got 1 negative points alone"),
        (
            ["{coins}", "--point", "9,9", "--conf", "0.3"],
            "--conf must be left out where one object is cut out, got 0.3",
        ),
    ],
)
def test_what_no_model_could_answer_is_said_before_one_is_loaded(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    asked = [word.replace("{coins}", str(coins)) for word in words]
    assert main(["segment", *asked, "-o", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_a_box_alone_asks_a_tracker_for_the_object_in_it(
    coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Sam3Session(None, tracker=FakeTracker(), model="fake")
    monkeypatch.setattr(Sam3Session, "from_folder", lambda *_, **__: session)
    words = ["segment", str(coins), "--model", str(tmp_path), "--box", "40,30,130,110", "-o", str(tmp_path / "out")]
    assert main([*words, "--conf", "0.3"]) == 1
    assert "--conf must be left out" in capsys.readouterr().err
    session = Sam3Session(None, tracker=FakeTracker(), model="fake")
    assert main(words) == 0
    assert "1 instance in" in capsys.readouterr().out
    (shape,) = json.loads((tmp_path / "out" / "coins.json").read_text(encoding="utf-8"))["shapes"]
    assert shape["label"] == "object"


@pytest.mark.parametrize("model", ["./sam3", "models/sam3", "sam3/", "{file}"])
def test_what_looks_like_a_folder_is_said_to_be_missing(
    coins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    asked = model.replace("{file}", str(coins))
    assert main(["segment", str(coins), "--text", "coin", "--model", asked, "-o", str(tmp_path)]) == 1
    assert "The model folder is missing" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["models", "list", "--json"], ["--help"]])
def test_a_reader_that_has_had_enough_is_no_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "sam3_onnx", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603 - our own
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_malformed_box_is_refused_by_the_parser(coins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["segment", str(coins), "--box", "1,2,3"])
    assert "expected four numbers x1,y1,x2,y2, got '1,2,3'" in capsys.readouterr().err


def test_clicks_are_refused_by_a_model_without_a_tracker(coins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", str(coins), "--point", "10,20", "--negative-point", "3,4"]) == 1
    assert "native model cannot take clicks on one object" in capsys.readouterr().err


@pytest.mark.parametrize("beside", [["--negative-box", "1,1,9,9"], ["--box", "1,1,9,9", "--box", "2,2,9,9"]])
def test_clicks_go_with_one_box_at_most(coins: Path, capsys: pytest.CaptureFixture[str], beside: list[str]) -> None:
    assert main(["segment", str(coins), "--point", "10,20", *beside]) == 1
    assert "--box must be one positive box at most for one object" in capsys.readouterr().err


@pytest.mark.parametrize("point", ["10", "10,20,30", "a,b"])
def test_a_click_is_two_numbers(coins: Path, capsys: pytest.CaptureFixture[str], point: str) -> None:
    with pytest.raises(SystemExit):
        main(["segment", str(coins), "--point", point])
    assert "expected two numbers x,y" in capsys.readouterr().err


@pytest.mark.peers
def test_clicks_cut_out_one_object(
    coins: Path, peer_fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(peer_fixtures / "F_tracker"), "-o", str(tmp_path)]
    assert main(["segment", str(coins), "--point", "85,70", "--box", "40,30,130,110", "--text", "penny", *model]) == 0
    assert "1 instance in" in capsys.readouterr().out
    (shape,) = json.loads((tmp_path / "coins.json").read_text(encoding="utf-8"))["shapes"]
    assert shape["label"] == "penny"


def test_the_help_names_the_defaults_of_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["segment", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    defaults = SessionSettings()
    assert f"polygon simplification (default: {defaults.epsilon})" in told
    assert f"execution provider (default: {defaults.provider})" in told
