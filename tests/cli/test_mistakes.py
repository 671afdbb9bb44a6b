"""What people write by mistake is answered in the words of the shell, with what was meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sam3_onnx
from sam3_onnx.cli import main
from sam3_onnx.cli.wording import PHRASES, in_shell_words
from tests.support.picture_folders import paint

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON = re.compile(
    r"Sam3Session|from_\w+\(|predict\w*\(|\bNone\b|\bTrue\b|load_image|_threshold|np\.|"
    r"(?<![-\w])(provider|offline|variant|family|restart|recursive|truncate|folder|max_pixels|boxes|points)="
)
"""What somebody who sees options of a command would not understand."""


@pytest.fixture
def asked(
    tmp_path: Path, coins: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a command in a folder with `coins.png`, a folder `pics` and an empty one, and returns status and message."""
    paint(tmp_path / "pics", "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "coins.png").write_bytes(coins.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAM3_ONNX_MODEL", raising=False)

    def run(*words: str) -> tuple[int, str]:
        try:
            status = main(words)
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsys.readouterr().err
        assert not PYTHON.search(said), said
        return status, said

    return run


SEGMENT = ("segment", "coins.png", "--text", "coin")
ANNOTATE = ("annotate", "pics", "--text", "coin", "--model", "miniature")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((*SEGMENT, "--conf", "50"), 1, "--conf must be a number in 0..1, got 50.0. Did you mean 0.5?"),
        ((*SEGMENT, "--conf", "-1"), 1, "--conf must be a number in 0..1, got -1.0."),
        ((*SEGMENT, "--conf", "nan"), 1, "--conf must be a number in 0..1, got nan."),
        ((*SEGMENT, "--conf", "0,5"), 2, "got '0,5': did you mean 0.5?"),
        ((*SEGMENT, "--conf", "50%"), 2, "got '50%': did you mean 0.5?"),
        ((*SEGMENT, "--conf", "high"), 2, "expected a number, such as 0.5, got 'high'\n"),
        ((*SEGMENT, "--epsilon", "5"), 1, "--epsilon must be a number in 0..1, got 5.0."),
        ((*SEGMENT, "--nms", "70"), 1, "--nms must be a number in 0..1, got 70.0. Did you mean 0.7?"),
        ((*SEGMENT, "--threads", "0"), 1, "--threads must be a whole number of at least 1, got 0."),
        ((*SEGMENT, "--threads", "two"), 2, "expected a whole number, got 'two'"),
        ((*SEGMENT, "--provider", "gpu"), 1, "--provider must be one of auto, cpu, cuda, "),
        (
            (*SEGMENT, "--precision", "int4"),
            1,
            '--precision must be one of "auto", "float32", "bfloat16", "float16", or parts',
        ),
        ((*SEGMENT, "--precision", "decoder=int4"), 1, "--precision decoder=... must be one of"),
        ((*SEGMENT, "--variant", "fp16"), 1, "--variant must be left out with miniature, a registered model"),
        ((*SEGMENT, "--model", "empty"), 1, "Put the .onnx files of an export there"),
        ((*SEGMENT, "--model", "coins.png"), 1, "coins.png is a file. Name the folder that holds it."),
        ((*SEGMENT, "--model", "sam33"), 1, "Did you mean 'sam3'? For model files that you already have, name their"),
        ((*SEGMENT, "--model", "sam3", "--offline"), 1, "offline mode is on (--offline, SAM3_ONNX_OFFLINE or"),
        ((*SEGMENT, "--point", "41,128"), 1, "it takes words and boxes of examples. They need a tracker head"),
        ((*SEGMENT, "--point", "41;128"), 2, "expected two numbers x,y, got '41;128': did you mean 41,128?"),
        ((*SEGMENT, "-o", "out.json"), 1, "-o must be a folder, got 'out.json'. Results are written into it"),
        ((*SEGMENT, "--overwr"), 2, "Did you mean --overwrite in place of --overwr?"),
        ((*SEGMENT, "--threshold", "0.4"), 2, "Did you mean --conf in place of --threshold?"),
        ((*SEGMENT, "--device=cpu"), 2, "Did you mean --provider in place of --device?"),
        (("segment", "coins.png", "--txt", "coin"), 2, "Did you mean --text in place of --txt?"),
        (("segment", "coins.png", "--text", "person,", "car"), 2, 'need quotes: --text "person, car".'),
        (("segment", "--text", "person,", "car", "coins.png"), 2, 'need quotes: --text "person, car".'),
        (("segment", "coins.png", "--text", "red", "coin", "--conf", "0.3"), 2, 'need quotes: --text "red coin".'),
        (("segment", "coins.png", "--box", "20 12 64 58"), 2, "got '20 12 64 58': did you mean 20,12,64,58?"),
        (("segment", "coins.png", "--box", "20", "12", "64", "58"), 2, "Did you mean --box 20,12,64,58?"),
        (("segment", "coins.png", "--box", "-5,10,60"), 2, "expected four numbers x1,y1,x2,y2, got '-5,10,60'"),
        (("segment", "coins.png", "--box", "900,900,950,950"), 1, "sam3-onnx: --box 900,900,950,950 cannot be used"),
        (("segment", "coins.png"), 1, 'Pass --text "person, car", or --box X1,Y1,X2,Y2.'),
        (("segment", "coins.png", "--text", "word " * 40), 1, "Shorten it, or pass --truncate to have it cut."),
        (("segment", "pics", "--text", "coin"), 1, "To label all its pictures: sam3-onnx annotate FOLDER."),
        (("annotate", "pics", "--text", "coin"), 2, "required: --model\n  For pictures of your own: --model sam3"),
        ((*ANNOTATE, "--format", "COCO"), 2, "got 'COCO': did you mean coco?"),
        ((*ANNOTATE, "--format", "yolo"), 2, "did you mean yolo-detect or yolo-segment or yolo-obb?"),
        ((*ANNOTATE, "--output-mode", "polygons"), 2, "did you mean polygon?"),
        ((*ANNOTATE, "-o", "annotations.json"), 1, "-o must be a folder, got 'annotations.json'"),
        ((*ANNOTATE, "--duplicates", "80"), 1, "--duplicates must be a number in 0..1, got 80.0. Did you mean 0.8?"),
        ((*ANNOTATE, "--duplicates", "0"), 1, "--duplicates must be above 0 and at most 1"),
        ((*ANNOTATE, "--min-area", "-3"), 1, "--min-area must be a whole number of at least 0, got -3."),
        ((*ANNOTATE, "--recurse"), 2, "Did you mean --recursive in place of --recurse?"),
        (("annotate", "coins.png", *ANNOTATE[2:]), 1, 'For one picture: sam3-onnx segment coins.png --text "coin".'),
        (("segment", "coins.png", "coin"), 2, 'What to find stands behind --text: --text "coin".'),
        (("segment", "coins.png", "pics/a.png", "--text", "coin"), 2, "of a folder: sam3-onnx annotate pics --text"),
        (("segment", "*.jpg", "--text", "coin"), 1, 'sam3-onnx annotate . --include "*.jpg" --text "coin".'),
        ((*SEGMENT, "--model", "sam3"), 1, "be downloaded: about 3.5 GB. Fetch them first with sam3-onnx models"),
        ((*SEGMENT, "-y"), 2, "Did you mean --yes in place of -y?"),
        (("annotate", "pics/*.jpg", *ANNOTATE[2:]), 1, 'sam3-onnx annotate pics --include "*.jpg".'),
        (("annotate", "pics", "--model", "miniature"), 2, 'required: --text\n  What to find: --text "person, car".'),
        (("evaluate", "pics", "--iou", "50"), 1, "--iou must be a number in 0..1, got 50.0. Did you mean 0.5?"),
        (("evaluate", "pics", "--iou", "0"), 1, "--iou must be a number above 0 and at most 1, got 0.0."),
        (("evaluate", "pics", "pics"), 2, "Did you mean --pictures pics?"),
        (
            ("export", "pics", "-o", "out", "--threshold", "50"),
            1,
            "--threshold must be a number in 0..1, got 50.0.",
        ),
        (
            ("export", "pics", "-o", "out", "--size", "0", "14"),
            1,
            "--size must be a whole number of at least 1, got 0.",
        ),
        (("eval", "pics"), 2, "Did you mean sam3-onnx evaluate?"),
        (("evalute", "pics"), 2, "Did you mean sam3-onnx evaluate?"),
        (("help",), 2, "Did you mean sam3-onnx --help?"),
        (("models", "fetch", "sam3"), 2, "Did you mean sam3-onnx models pull?"),
        (("predict", "coins.png"), 2, "Did you mean sam3-onnx segment?"),
        (("coins.png",), 2, "To find things in a picture: sam3-onnx segment coins.png"),
        (("pics",), 2, "To label a folder of pictures: sam3-onnx annotate pics"),
        (("models", "pull", "sam33"), 1, "Did you mean 'sam3'?"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_answered_with_what_was_meant(
    asked: Callable[..., tuple[int, str]], words: tuple[str, ...], status: int, message: str
) -> None:
    ended, said = asked(*words)
    assert message in said
    assert ended == status


@pytest.mark.parametrize("command", ["segment", "annotate"])
def test_an_unknown_option_shows_the_usage_of_its_command(asked: Callable[..., tuple[int, str]], command: str) -> None:
    _, said = asked(command, "pics", "--text", "coin", "--model", "miniature", "--sharpen")
    assert said.startswith(f"usage: sam3-onnx {command} ")
    assert f"sam3-onnx {command}: error: unrecognized arguments: --sharpen" in said


def test_a_box_that_begins_with_a_minus_sign_is_a_box(asked: Callable[..., tuple[int, str]]) -> None:
    assert asked("segment", "coins.png", "--box", "-5,10,64,58") == (0, "")


def test_corners_that_are_put_in_order_are_told_as_they_may_be_a_width_and_a_height(
    asked: Callable[..., tuple[int, str]],
) -> None:
    status, said = asked("segment", "coins.png", "--box", "300,200,80,90")
    assert status == 0
    assert "the corners of --box 300,200,80,90 are put in order" in said
    assert "width and height, write --box 300,200,380,290" in said


def test_every_phrase_that_is_put_into_the_words_of_the_shell_is_one_of_the_library() -> None:
    source = Path(sam3_onnx.__file__).parent
    files = [path for path in source.rglob("*.py") if path.name != "wording.py"]
    text = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text(encoding="utf-8") for path in files))
    plain = text.replace('\\"', '"')
    assert [phrase for phrase in PHRASES if phrase not in plain] == []
    assert all(in_shell_words(phrase) == shell for phrase, shell in PHRASES.items())
