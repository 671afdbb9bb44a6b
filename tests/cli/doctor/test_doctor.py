"""Does the doctor find what is wrong, survive what fails, and keep secrets?"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
from dataclasses import replace
from pathlib import Path

import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx._support.distributions import Distribution
from sam3_onnx._support.processor import instructions_of
from sam3_onnx.cli import main
from sam3_onnx.cli.doctor import trial as trials
from sam3_onnx.cli.doctor.machine import Machine, picked
from sam3_onnx.cli.doctor.probes import FailedProbe
from sam3_onnx.cli.doctor.render import as_json, as_markdown, without_home
from sam3_onnx.cli.doctor.report import DoctorReport, examine, problems_of, shown_variables
from sam3_onnx.cli.doctor.store import HeldModel, Store, cache_folder_state
from sam3_onnx.cli.doctor.trial import Trial, try_provider
from sam3_onnx.hub import where

CPU = "CPUExecutionProvider"
NO_BUILDS = ("onnxruntime-extensions", "onnxruntime-genai", "onnxruntime-tools")
WORKS = Trial(CPU, active=(CPU,), difference=0.0, allowed=0.02, load_ms=1.0, encode_ms=2.0, word_ms=3.0, decode_ms=4.0)
OFF = "answers differ from those of CPU by 0.05, and 0.02 is allowed"
SOUND = DoctorReport(
    version="1.2.3",
    packages=(Distribution("numpy", "2.0"), Distribution("onnxruntime", "1.20")),
    machine=Machine("CPython 3.11", "Linux", "A", ("avx2",), 4, 8, 8, None, 16 << 30, 8 << 30, None),
    providers=(CPU,),
    trials=(WORKS,),
    auto=Trial("auto", parts={"image_encoder": "cpu, float32"}),
    store=Store("/models", exists=True, free=10**12, models=(HeldModel("sam3", "complete", 3 * 10**9),)),
    variables={"OMP_NUM_THREADS": "2"},
    failures=(),
)


def works(provider: str) -> Trial:
    return replace(WORKS, provider=provider)


def refuse(*_: object, **__: object) -> None:
    raise OSError("no such thing here")


@pytest.fixture(scope="module")
def examined() -> DoctorReport:
    """What the doctor finds here, which takes seconds."""
    return examine()


def test_the_doctor_proves_the_cpu_and_says_what_is_installed(
    examined: DoctorReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.examine", lambda: examined)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert f"| onnxruntime            | {ort.__version__}" in printed
    assert f"| {platform.python_implementation()} {platform.python_version()} " in printed
    assert "| off CPU by 0, 0.02 allowed |" in printed
    assert "BROKEN" not in printed
    assert "unknown |" not in printed.replace("0+unknown |", "")


def test_json_holds_every_field(
    examined: DoctorReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.examine", lambda: examined)
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {*DoctorReport.__dataclass_fields__, "problems"}
    assert set(found["machine"]) == set(Machine.__dataclass_fields__)
    (trial,) = [trial for trial in found["trials"] if trial["provider"] == CPU]
    assert trial["active"] == [CPU]
    assert (trial["difference"], trial["allowed"], trial["failure"]) == (0, 0.02, "")
    assert min(trial[f"{stage}_ms"] for stage in ("load", "encode", "word", "decode")) > 0
    assert found["failures"] == []


def test_exit_code_one_means_that_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = replace(SOUND, trials=(replace(WORKS, difference=0.05, failure=OFF),))
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.examine", lambda: wrong)
    assert main(["doctor"]) == 1
    assert f"- BROKEN: CPUExecutionProvider answers wrongly: {OFF}. Use " in capsys.readouterr().out
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.examine", lambda: SOUND)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing is wrong.\n")


@pytest.mark.parametrize(
    ("change", "broken", "said"),
    [
        (
            {"packages": (Distribution("onnxruntime", "1.20"), Distribution("onnxruntime-gpu", "1.21"))},
            True,
            "onnxruntime 1.20, onnxruntime-gpu 1.21 overwrite each other's files",
        ),
        (
            {"packages": (Distribution("opencv-python", "4.11"), Distribution("opencv-python-headless", "5.0"))},
            False,
            "opencv-python 4.11, opencv-python-headless 5.0 overwrite each other's files",
        ),
        ({"trials": ()}, True, f"{CPU} does not run: ONNX Runtime does not offer it"),
        ({"trials": (Trial(CPU, error="it burns"),)}, True, f"{CPU} does not run: it burns"),
        ({"trials": (WORKS, Trial("cuda", error="no driver"))}, False, "cuda does not run: no driver"),
        ({"trials": (WORKS, replace(WORKS, provider="cuda", failure=OFF))}, True, f"cuda answers wrongly: {OFF}"),
        ({"machine": replace(SOUND.machine, core_limit=1.5)}, False, "this process may use 1.5 of 4 cores"),
        ({"machine": replace(SOUND.machine, usable_cores=2)}, False, "this process may use 2 of 4 cores"),
        ({"store": Store("/models", exists=False, free=10**9, models=())}, False, "1.0 GB are free for models"),
        ({"failures": (FailedProbe("processor", "OSError: no"),)}, False, "the probe of processor failed: OSError: no"),
    ],
)
def test_a_problem_is_named_with_what_to_do(change: dict[str, object], broken: bool, said: str) -> None:  # noqa: FBT001 - a row of the table
    assert problems_of(SOUND) == ()
    (problem,) = problems_of(replace(SOUND, **change))  # type: ignore[arg-type]
    assert problem.broken is broken
    assert problem.what.startswith(said)
    assert problem.remedy


def test_what_is_broken_comes_first() -> None:
    report = replace(SOUND, trials=(Trial("cuda", error="no driver"), Trial(CPU, error="it burns")))
    assert [problem.broken for problem in problems_of(report)] == [True, False]


def test_plug_ins_and_different_things_are_no_conflict() -> None:
    names = (*("onnxruntime", "onnxruntime-ep-openvino", "opencv-python-headless"), *NO_BUILDS)
    assert problems_of(replace(SOUND, packages=tuple(Distribution(name, "1") for name in names))) == ()


@pytest.mark.parametrize(
    ("module", "name", "probe"),
    [
        (platform, "platform", "system"),
        (os, "cpu_count", "logical cores"),
        (importlib.metadata, "distributions", "packages"),
        (shutil, "disk_usage", "cache folder"),
        (ort, "get_available_providers", "providers"),
    ],
)
def test_a_probe_that_fails_is_reported_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, probe: str
) -> None:
    monkeypatch.setattr(module, name, refuse)
    report = examine(works)
    assert report.failures == (FailedProbe(probe, "OSError: no such thing here"),)
    assert CPU in {trial.provider for trial in report.trials}
    assert report.machine.python is not None
    assert f"- Note: the probe of {probe} failed: OSError: no such thing here." in as_markdown(
        report, problems_of(report)
    )


def test_a_trial_that_fails_in_an_unforeseen_way_is_reported_too() -> None:
    def fail(provider: str) -> Trial:
        raise ValueError(provider)

    report = examine(fail)
    assert report.trials == ()
    assert FailedProbe(f"trial of {CPU}", f"ValueError: {CPU}") in report.failures
    assert problems_of(report)[0].broken


def test_a_plug_in_that_is_installed_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Distribution("onnxruntime-ep-openvino", "1")
    monkeypatch.setattr("sam3_onnx.cli.doctor.report.installed_packages", lambda: (plugin,))
    assert "OpenVINOExecutionProvider" in {trial.provider for trial in examine(works).trials}


def test_a_trial_runs_this_library_wherever_it_was_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert try_provider(CPU).right


def test_a_provider_that_is_not_installed_says_why() -> None:
    tried = try_provider("cuda")
    assert not tried.right
    assert tried.error is not None
    assert "CUDAExecutionProvider" in tried.error
    assert tried.encode_ms is None


@pytest.mark.parametrize(
    ("child", "time_limit", "said"),
    [
        ("import os; os.abort()", 300, "the process ended with code"),
        ("import sys; print('a'); sys.exit('the driver is too old')", 300, "code 1: the driver is too old"),
        ("import time; time.sleep(60)", 1, "no answer within 1 s"),
    ],
)
def test_a_driver_that_crashes_or_hangs_takes_nothing_with_it(
    monkeypatch: pytest.MonkeyPatch, child: str, time_limit: float, said: str
) -> None:
    monkeypatch.setattr(trials, "_CHILD", child)
    tried = try_provider("cuda", time_limit=time_limit)
    assert tried.error is not None
    assert said in tried.error


def test_secrets_and_logins_are_hidden_and_other_variables_left_out() -> None:
    shown = shown_variables(
        {
            "SAM3_ONNX_CACHE": "/models",
            "SAM3_ONNX_TOKEN": "abc123",
            "HF_TOKEN": "abc123",
            "https_proxy": "http://ann:abc123@proxy:3128",
            "SAM3_ONNX_MIRROR": "https://ann:abc123@mirror/path",
            "HF_HUB_OFFLINE": "1",
            "EDITOR": "vi",
        }
    )
    assert shown == {
        "HF_HUB_OFFLINE": "1",
        "HF_TOKEN": "(hidden)",
        "https_proxy": "http://(hidden)@proxy:3128",
        "SAM3_ONNX_CACHE": "/models",
        "SAM3_ONNX_MIRROR": "https://(hidden)@mirror/path",
        "SAM3_ONNX_TOKEN": "(hidden)",
    }


def test_the_home_folder_is_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "ann"
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(home / "models"))
    report = examine(lambda name: replace(WORKS, provider=name, error=f"no {home / 'driver'}"))
    for text in (as_markdown(report, problems_of(report)), as_json(report, problems_of(report))):
        assert "ann" not in text.replace("cannot", "")
        assert str(Path("~", "models")) in text.replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann", "~"),
        ("/home/ann/x and /home/ann", "~/x and ~"),
        ("/home/anna/x", "/home/anna/x"),
        ("/home/ann.old", "/home/ann.old"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of other systems")
def test_only_the_home_folder_itself_is_replaced(text: str, shown: str) -> None:
    assert without_home(text, Path("/home/ann")) == shown
    assert without_home(text, Path("/")) == text


@given(value=st.text())
@settings(deadline=None, max_examples=100)
def test_no_value_breaks_the_table(value: str) -> None:
    text = as_markdown(replace(SOUND, variables={"SAM3_ONNX_CACHE": value}), ())
    table = text.split("\n\n")[2].split("\n")
    assert len(table) == 3
    assert {line.count("|") for line in table} == {3}
    assert len({len(line) for line in table}) == 1


def test_models_in_the_cache_folder_are_listed_with_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path / "cache"))
    empty = cache_folder_state()
    assert (empty.exists, empty.models) == (False, ())
    assert empty.free > 0
    assert not (tmp_path / "cache").exists()
    found = where("sam3")
    found.folder.mkdir(parents=True)
    found.files[0].path.write_bytes(bytes(1024))
    assert cache_folder_state().models == (HeldModel("sam3", "incomplete", 1024),)


def test_instructions_that_count_for_speed_are_picked() -> None:
    flags = instructions_of("model name\t: A\nflags\t\t: fpu amx_bf16 avx2 sse\n")
    assert picked(flags) == ("avx2", "amx_bf16")
    assert picked(instructions_of("")) == ()
