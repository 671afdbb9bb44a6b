"""Does `sam3-onnx optimize` compare on one's own pictures?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.cli import main
from sam3_onnx.hub import model_folder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def miniature() -> Path:
    return model_folder("miniature")


def test_the_command_compares_on_ones_own_pictures(
    miniature: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sam3_onnx.images.writing import write_png  # noqa: PLC0415

    picture = np.full((120, 160, 3), 60, np.uint8)
    picture[40:90, 50:110] = (220, 30, 30)
    (tmp_path / "mine").mkdir()
    write_png(tmp_path / "mine" / "square.png", picture)
    arguments = ["optimize", str(miniature), "-o", str(tmp_path / "out"), "--pictures", str(tmp_path / "mine")]
    assert main([*arguments, "--text", "red square, circle"]) == 0
    printed = capsys.readouterr()
    assert "square.png: red square, circle" in printed.out
    assert "comparing on square.png" in printed.err
    assert main([*arguments]) == 1
    assert "expected a folder that does not exist yet" in capsys.readouterr().err
