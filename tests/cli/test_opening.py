"""The options that choose a model and how it answers, and what a run says of its model."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.annotate.summary import AnnotateProgress
from sam3_onnx.cli import main
from sam3_onnx.cli.opening import TOY_WORDS
from sam3_onnx.cli.progress import RunProgress
from sam3_onnx.testing import FakeInstance, fake_session
from tests.support.picture_folders import paint

NAMES = {"COLORS", "SHAPES", "COIN", "PLURALS", "ARTICLES", "EVERYTHING", "VISUAL"}
ANSWERS = {"coin": [FakeInstance((0.1, 0.1, 0.5, 0.6), 0.9), FakeInstance((0.1, 0.1, 0.5, 0.62), 0.8)]}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, dict[str, Any]]]:
    """Every model that is opened, with its options; each is a fake one."""
    calls: list[tuple[object, dict[str, Any]]] = []

    def opening(name: object, **options: Any) -> Sam3Session:  # noqa: ANN401 - as they come
        calls.append((name, options))
        return fake_session(ANSWERS)

    for method in ("from_pretrained", "from_folder"):
        monkeypatch.setattr(Sam3Session, method, opening)
    monkeypatch.delenv("SAM3_ONNX_MODEL", raising=False)
    return calls


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return paint(tmp_path / "pics", "a.png", "b.png")


@pytest.mark.parametrize("command", [("segment", "pics/a.png"), ("annotate", "pics")])
def test_options_reach_the_model(
    opened: list[tuple[object, dict[str, Any]]], folder: Path, command: tuple[str, str]
) -> None:
    (folder.parent / "models").mkdir()
    given = "--provider cpu,openvino --precision float32 --threads 2 --family native --variant fp16 --conf 0.3"
    assert main([*command, "--text", "coin", "--model", "models", *given.split()]) == 0
    assert opened == [
        (
            "models",
            {
                "family": "native",
                "variant": "fp16",
                "provider": ["cpu", "openvino"],
                "precision": "float32",
                "threads": 2,
                "conf_threshold": 0.3,
            },
        )
    ]


def test_the_network_is_left_alone_where_one_says_so(opened: list[tuple[object, dict[str, Any]]], folder: Path) -> None:
    assert main(["annotate", str(folder), "--text", "coin", "--model", "sam3", "--offline"]) == 0
    assert opened == [("sam3", {"offline": True})]


@pytest.mark.parametrize(("answer", "status", "models"), [("y", 0, ["sam3"]), ("", 1, [])])
def test_a_download_is_asked_about_in_a_terminal(
    opened: list[tuple[object, dict[str, Any]]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
    models: list[str],
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", ask)
    assert main(["annotate", str(folder), "--text", "coin", "--model", "sam3"]) == status
    assert asked == ["The model sam3 is not here yet. Download about 3.5 GB? [y/N] "]
    assert [name for name, _ in opened] == models


def test_the_environment_names_the_model_of_every_run(
    opened: list[tuple[object, dict[str, Any]]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAM3_ONNX_MODEL", "sam3-v0.2")
    assert main(["annotate", str(folder), "--text", "coin", "--yes"]) == 0
    assert main(["segment", str(folder / "a.png"), "--text", "coin", "--yes"]) == 0
    assert main(["segment", str(folder / "b.png"), "--text", "coin", "--model", "sam3", "--yes"]) == 0
    assert [name for name, _ in opened] == ["sam3-v0.2", "sam3-v0.2", "sam3"]


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(("option", "found"), [((), 2), (("--nms", "0.5"), 1), (("--nms", "off"), 2)])
def test_overlaps_are_left_out_where_one_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...], found: int
) -> None:
    assert main(["segment", str(folder / "a.png"), "--text", "coin", *option]) == 0
    assert f"{found} instance" in capsys.readouterr().out
    assert (
        main(["annotate", str(folder), "--text", "coin", "--model", "miniature", "--duplicates", "off", *option]) == 0
    )
    assert f"found: {2 * found} coin" in capsys.readouterr().out


@pytest.mark.usefixtures("opened")
def test_words_that_are_too_long_are_cut_where_one_says_so(folder: Path) -> None:
    words = ["segment", str(folder / "a.png"), "--text", "word " * 40]
    assert main(words) == 1
    assert main([*words, "--truncate", "--no-cut-to-box"]) == 0


def test_a_run_says_which_model_answered_and_which_words_a_toy_does_not_know(
    folder: Path, coins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(coins), "--text", "coin, red star, person"]) == 0
    said = capsys.readouterr()
    assert "model: miniature (native, run by CPU): a toy that knows coins and coloured shapes, nothing else" in said.out
    assert 'the miniature does not know "person"' in said.err
    assert "--model sam3" in said.err
    assert main(["annotate", str(folder), "--text", "coin, Red Stars", "--model", "miniature"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("model: miniature (native, ")
    assert "does not know" not in said.err


def test_without_a_terminal_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("sam3_onnx.cli.progress.time.monotonic", lambda: now)
    assert not sys.stderr.isatty()
    with RunProgress() as told:
        for done in range(1, 101):
            now += 1.0
            told(AnnotateProgress(Path("a.png"), done, 100, failures=done // 50, instances=2 * done))
    assert capsys.readouterr().err.splitlines() == [
        "sam3-onnx: 30 of 100 pictures, 60 found",
        "sam3-onnx: 60 of 100 pictures, 120 found, 1 failed",
        "sam3-onnx: 90 of 100 pictures, 180 found, 1 failed",
    ]
    assert told.done == "100 of 100 pictures done; "


@pytest.mark.parametrize("precision", ["float32", "image_encoder=float32, decoder=auto"])
def test_a_precision_may_be_a_word_or_parts_with_words(coins: Path, tmp_path: Path, precision: str) -> None:
    words = ["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out"), "--provider", "cpu"]
    assert main([*words, "--precision", precision]) == 0


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ("bfloat16", "precision must be \"auto\", \"float32\" with provider 'cpu', got 'bfloat16'"),
        ("neck=float32", "precision must be given for parts of this model: image_encoder, text_encoder, decoder"),
        ("decoder=", "--precision decoder=... must be one of"),
        ("quick", "precision must be one of"),
    ],
)
def test_a_precision_that_cannot_be_had_is_told(
    coins: Path, tmp_path: Path, precision: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out"), "--provider", "cpu"]
    assert main([*words, "--precision", precision]) == 1
    assert said in capsys.readouterr().err


def test_the_words_of_the_miniature_are_those_that_it_was_trained_with() -> None:
    constants: dict[str, Any] = {}
    for file in ("world.py", "vocabulary.py"):
        source = (Path(__file__).parents[2] / "tools/miniature" / file).read_text(encoding="utf-8")
        wanted = [node for node in ast.parse(source).body if _name(node) in NAMES]
        exec(compile(ast.Module(wanted, []), file, "exec"), constants)  # noqa: S102 - our own constants
    trained = {*constants["COLORS"], *constants["SHAPES"], constants["COIN"], *constants["PLURALS"].values()}
    assert trained | {*constants["ARTICLES"], *constants["EVERYTHING"], constants["VISUAL"]} == TOY_WORDS


def _name(node: ast.stmt) -> str:
    return getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
