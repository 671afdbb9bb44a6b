"""The command line offers the formats and modes of the table, and new labels are read back without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx.annotate import LABEL_FORMATS, annotate_folder
from sam3_onnx.cli import main
from sam3_onnx.labels import FORMAT_NAMES, picture_format
from sam3_onnx.testing import FakeInstance, fake_session

if TYPE_CHECKING:
    from pathlib import Path


def test_the_command_offers_every_format_and_every_mode_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["annotate", "--help"])
    told = "".join(capsys.readouterr().out.split())
    modes = dict.fromkeys(mode for name in FORMAT_NAMES for mode in picture_format(name).modes)
    assert f"--format{{{','.join(LABEL_FORMATS)}}}" in told
    assert f"--output-mode{{{','.join(modes)}}}" in told
    assert (*FORMAT_NAMES, "coco") == LABEL_FORMATS


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_labels_are_read_back_without_a_file(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), 10, np.uint8))
    session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    monkeypatch.setattr(type(picture_format(name)), "read", None)
    out = tmp_path.with_name(f"{tmp_path.name}-labels")
    assert annotate_folder(session, tmp_path, "coin", label_format=name, out=out).added == 1
