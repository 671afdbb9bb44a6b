"""The report on providers has a row for each, measured or refused with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools import gpu_check

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def rows_of(report: str) -> dict[str, list[str]]:
    """Cells of the table by the name of the row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in report.splitlines() if line[:1] == "|"]
    return {row[0]: row[1:] for row in rows[2:]}


def test_every_provider_is_measured_or_refused(tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    assert gpu_check.main(["--rounds", "1", "--providers", "cpu", "directml", "-o", str(out)]) == 0
    rows = rows_of(out.read_text(encoding="utf-8"))
    assert rows["cpu, float32"][-1].startswith("24 instances, scores within 0.0000")
    assert all("(" in ratio for ratio in rows["cpu, auto"][2:4])
    assert "directml, float16" not in rows
    assert "DmlExecutionProvider did not become active" in rows["directml, auto"][-1]


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main(["--model", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
