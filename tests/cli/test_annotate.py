"""Does the command say how it went, in words and in its exit status?"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import cv2
import pytest

from sam3_onnx.cli import main
from sam3_onnx.session import Sam3Session
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.picture_folders import paint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The miniature, unless another model is named."""
    monkeypatch.setenv("SAM3_ONNX_MODEL", "miniature")


@pytest.fixture
def folder(tmp_path: Path, coins: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(coins.read_bytes())
    return folder


def test_a_folder_is_labelled_under_the_names_that_were_asked_for(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--label", "coin=money", "--output-mode", "rectangle", "--preview", str(tmp_path / "preview.png")]
    assert main(["annotate", str(folder), "--text", "coin, star", *options]) == 0
    told = capsys.readouterr().out
    assert "2 of 2 pictures done" in told
    assert "found: 48 money, 0 star" in told
    content = json.loads((folder / "a.json").read_text(encoding="utf-8"))
    assert {(shape["label"], shape["shape_type"]) for shape in content["shapes"]} == {("money", "rectangle")}
    assert cv2.imread(str(tmp_path / "preview.png")) is not None


def test_a_picture_that_fails_shows_in_the_exit_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.png").write_bytes(b"no picture")
    assert main(["annotate", str(folder), "--text", "coin"]) == 3
    told = capsys.readouterr().out
    assert told.count(str(folder / "c.png")) == 1
    assert "1 failed" in told


def test_a_strict_run_tells_of_what_the_format_cannot_hold_in_its_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = paint(tmp_path / "small", "a.png", "b.png")
    session = fake_session({"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))]})
    monkeypatch.setattr(Sam3Session, "from_pretrained", lambda *_, **__: session)
    command = ["annotate", str(folder), "--text", "wire"]
    assert main(command) == 0
    assert "wire: mask too thin for a polygon left out (2x)" in capsys.readouterr().out
    session = fake_session({"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))]})
    assert main([*command, "--strict"]) == 3
    assert "wire: mask too thin for a polygon left out (2x)" in capsys.readouterr().out
    session = fake_session({"wire": [FakeInstance((0.1, 0.5, 0.9, 0.516))]})
    assert main([*command, "--strict", "--output-mode", "rectangle"]) == 0


def test_a_folder_without_pictures_is_told_before_a_model_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["annotate", str(tmp_path), "--text", "coin", "--model", "no-such-model"]) == 1
    assert "No picture to label" in capsys.readouterr().err


def test_an_interruption_says_how_far_the_run_came_and_how_to_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate = Sam3Session.annotate

    def interrupted(session: Sam3Session, pictures: list[Path], text: str, **_: object) -> Iterator[object]:
        with contextlib.closing(annotate(session, pictures, text)) as answers:
            yield next(answers)
        raise KeyboardInterrupt

    monkeypatch.setattr(Sam3Session, "annotate", interrupted)
    command = ["annotate", str(folder), "--text", "coin", "--model", "miniature"]
    assert main(command) == 130
    assert "interrupted: 1 of 2 pictures done; the same command goes on" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(command) == 0
    assert "1 of them done already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "yolo"], "yolo-segment"),
        (["--label", "coin"], "expected PROMPT=LABEL"),
        (["--duplicates", "some"], "expected a number or off"),
    ],
)
def test_a_command_that_is_not_understood_is_told(
    folder: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["annotate", str(folder), "--text", "coin", *options])
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_a_label_for_a_prompt_that_is_not_asked_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", str(folder), "--text", "coin", "--label", "star=sun"]) == 1
    assert "one of coin" in capsys.readouterr().err
