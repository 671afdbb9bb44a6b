"""The options of a command that choose how a model is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("precision", ["float32", "image_encoder=float32, decoder=auto"])
def test_a_precision_may_be_a_word_or_parts_with_words(coins: Path, tmp_path: Path, precision: str) -> None:
    words = ["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out"), "--provider", "cpu"]
    assert main([*words, "--precision", precision]) == 0


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ("bfloat16", "precision must be \"auto\", \"float32\" with provider 'cpu', got 'bfloat16'"),
        ("neck=float32", "precision must be given for parts of this model: image_encoder, text_encoder, decoder"),
        ("decoder=", 'precision["decoder"] must be one of'),
        ("quick", "precision must be one of"),
    ],
)
def test_a_precision_that_cannot_be_had_is_told(
    coins: Path, precision: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(coins), "--text", "coin", "--provider", "cpu", "--precision", precision]) == 1
    assert said in capsys.readouterr().err
