"""The doctor judges a provider by the proof that the runtime has, made anew."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from sam3_onnx._support.distributions import Distribution
from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.cli.doctor.render import as_json, as_markdown
from sam3_onnx.cli.doctor.report import DoctorReport, examine, problems_of
from sam3_onnx.cli.doctor.trial import AUTO, Trial, run_trial
from sam3_onnx.models.runtime.providers import proof
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO
from sam3_onnx.models.runtime.providers.proof import EXACT, HELD, Changes, Limits, Proof

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_openvino import FakeOpenVino


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def report_of(trial: Trial) -> DoctorReport:
    """A report in which each provider came to this."""
    return examine(lambda _: trial)


def test_a_trial_says_what_ran_how_far_it_is_from_cpu_and_how_long_it_took(cache: Path) -> None:
    trial = run_trial("cpu")
    assert trial.right
    assert (trial.active, trial.difference, trial.allowed) == ((CPU,), 0, EXACT.largest)
    assert min(time or 0 for time in (trial.load_ms, trial.encode_ms, trial.word_ms, trial.decode_ms)) > 0
    assert not (cache / "providers.json").exists(), "a trial neither reads nor writes what is remembered"


def test_a_difference_that_is_too_large_is_named_with_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "EXACT", Limits(-0.5, 0, 0))
    trial = run_trial(CPU)
    assert not trial.right
    (problem, *_) = problems_of(report_of(trial))
    assert problem.broken
    assert problem.what.endswith("its answers on the miniature are off by 0, and -0.5 is allowed")


def test_a_proof_without_a_number_is_a_failure_that_json_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Proof(CPU, Changes(float("inf"), 0, 0), EXACT, 0.0, 0.0, "it fails on the miniature: out of memory")
    monkeypatch.setattr(proof, "prove", lambda *_: failed)
    trial = run_trial(CPU)
    assert (trial.right, trial.difference, trial.failure) == (False, None, failed.failure)
    report = report_of(trial)
    problems = problems_of(report)
    assert problems[0].what.endswith(failed.failure)
    assert f"| {CPU}      | no    |" in as_markdown(report, problems)
    shown = json.loads(as_json(report, problems), parse_constant=pytest.fail)
    assert shown["trials"][0] == json.loads(json.dumps(asdict(trial)))


def test_what_auto_takes_is_said_part_by_part(matrix_units: Path, openvino: type[FakeOpenVino]) -> None:
    trial = run_trial(AUTO)
    assert (matrix_units.exists(), bool(openvino.opened)) == (True, True)
    assert (trial.right, trial.difference) == (True, None)
    assert trial.parts == {
        "image_encoder": "openvino, bfloat16",
        "text_encoder": "cpu, float32",
        "decoder": "cpu, float32",
        "geometry_encoder": "cpu, float32",
        "fusion": "openvino, bfloat16",
    }
    (row,) = [line for line in as_markdown(report_of(trial), ()).splitlines() if 'Left to "auto"' in line]
    assert "openvino, bfloat16: image_encoder" in row
    assert "cpu, float32: " in row


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_openvino_is_tried_as_auto_runs_it() -> None:
    trial = run_trial(OPENVINO)
    assert (trial.right, trial.allowed) == (True, HELD.largest)
    assert trial.parts["image_encoder"] == "openvino, bfloat16"
    assert 0 < (trial.difference or 0) < HELD.largest


def test_each_provider_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Distribution("onnxruntime-ep-openvino", "1")
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.installed_packages", lambda: (plugin,))
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.choosing.offered", lambda: (OPENVINO, CPU))
    report = examine(Trial)
    assert [trial.provider for trial in report.trials] == [OPENVINO, CPU]


def test_auto_that_does_not_run_where_a_provider_does_is_broken() -> None:
    report = examine(lambda name: Trial(name, error="it crashed" if name == AUTO else None))
    (problem, *_) = problems_of(report)
    assert (problem.broken, problem.what) == (True, 'provider="auto" does not run: it crashed')


@pytest.mark.parametrize("has_plugin", [True, False])
def test_matrix_units_that_nothing_uses_are_a_note(has_plugin: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a row of the table
    packages = (Distribution("onnxruntime-ep-openvino", "1"),) if has_plugin else ()
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.installed_packages", lambda: packages)
    report = examine(Trial)
    report = replace(report, machine=replace(report.machine, instructions=("amx_bf16",)))
    notes = [problem for problem in problems_of(report) if "matrix units" in problem.what]
    assert [problem.broken for problem in notes] == ([] if has_plugin else [False])
    assert all('Run `pip install "sam3-onnx[openvino]"` makes' not in problem.remedy for problem in notes)
    assert all('`pip install "sam3-onnx[openvino]"`' in problem.remedy for problem in notes)
