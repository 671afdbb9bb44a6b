"""The report on providers has a row for each, measured or refused with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.places import NATIVE
from tools import gpu_check

if TYPE_CHECKING:
    from pathlib import Path


def rows_of(report: str) -> dict[str, list[str]]:
    """Cells of the table by the name of the row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in report.splitlines() if line[:1] == "|"]
    return {row[0]: row[1:] for row in rows[2:]}


def test_every_provider_is_measured_or_refused(tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    assert gpu_check.main(["--rounds", "1", "--providers", "cpu", "directml", "-o", str(out)]) == 0
    rows = rows_of(out.read_text(encoding="utf-8"))
    assert rows["cpu, float32"][-1].startswith("24 instances, scores within 0.0000")
    assert all("(" in ratio for ratio in rows["cpu, auto"][2:5])
    assert rows["cpu, auto"][-3:-1] == ["0.0", "passed, off by 0"]
    assert "directml, float16" not in rows
    assert "DmlExecutionProvider did not become active" in rows["directml, auto"][-1]


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main(["--model", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.usefixtures("card")
def test_a_card_is_measured_in_every_way_that_it_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report.md"
    monkeypatch.setattr(gpu_check, "PRECISIONS", ("auto", "float16"))
    monkeypatch.setattr(gpu_check, "proof_of", lambda provider, precision: f"{provider} passed in {precision}")
    model = [str(NATIVE), "--half", str(NATIVE), "--rounds", "1", "-o", str(out)]
    assert gpu_check.main(["--model", *model, "--providers", "cuda", "tensorrt"]) == 0
    rows = rows_of(out.read_text(encoding="utf-8"))
    assert set(rows) >= {
        "cuda, auto",
        "cuda, auto, model in half precision",
        "tensorrt, float16",
        "tensorrt, float16, engines kept",
        "tensorrt, auto, model in half precision",
    }
    assert all(float(row[-3]) > 0 for name, row in rows.items() if not name.startswith("cpu")), "features stay"
    assert rows["tensorrt, float16"][-2] == "tensorrt passed in float16"
    assert len({len(row) for row in rows.values()}) == 1
