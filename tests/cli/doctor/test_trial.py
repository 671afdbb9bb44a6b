"""The doctor judges a provider by the proof that the runtime has, made anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from sam3_onnx._support.folders import CACHE_VARIABLE
from sam3_onnx.cli.doctor.render import as_json, as_markdown
from sam3_onnx.cli.doctor.report import DoctorReport, examine, problems_of
from sam3_onnx.cli.doctor.trial import run_trial
from sam3_onnx.models.runtime.providers import proof
from sam3_onnx.models.runtime.providers.names import CPU
from sam3_onnx.models.runtime.providers.proof import TOLERANCES, Proof

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.cli.doctor.trial import Trial


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
    assert (trial.active, trial.difference, trial.allowed) == ((CPU,), 0, TOLERANCES["auto"])
    assert min(time or 0 for time in (trial.load_ms, trial.encode_ms, trial.word_ms, trial.decode_ms)) > 0
    assert not cache.exists(), "a trial neither reads nor writes what is remembered"


def test_a_difference_that_is_too_large_is_named_with_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOLERANCES, "auto", -0.5)
    trial = run_trial(CPU)
    assert not trial.right
    (problem, *_) = problems_of(report_of(trial))
    assert problem.broken
    assert problem.what.endswith("answers differ from those of CPU by 0, and -0.5 is allowed")


def test_a_proof_without_a_number_is_a_failure_that_json_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Proof(CPU, float("inf"), 0.0, 0.0, "it fails on the miniature: out of memory")
    monkeypatch.setattr(proof, "prove", lambda *_: failed)
    trial = run_trial(CPU)
    assert (trial.right, trial.difference, trial.failure) == (False, None, failed.failure)
    report = report_of(trial)
    problems = problems_of(report)
    assert problems[0].what.endswith(failed.failure)
    assert f"| {CPU}      | no    |" in as_markdown(report, problems)
    shown = json.loads(as_json(report, problems), parse_constant=pytest.fail)
    assert shown["trials"][0] == json.loads(json.dumps(asdict(trial)))
