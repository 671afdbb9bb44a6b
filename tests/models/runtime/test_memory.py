"""Does memory stay flat from call to call, and come back when it is asked for?"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, SessionClosedError
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

TOKENS = np.arange(64, dtype=np.int64).reshape(2, 32)

RESIDENT = """
import json
import resource
import sys
from pathlib import Path
import numpy as np

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
"""
DECODES_12_TIMES = """
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

model = OnnxModel(read_graph(Path(sys.argv[1])), role="decoder", settings=RuntimeSettings("cpu", threads=1))
prompts = 64
feeds = {f"fpn_{level}": np.zeros((1, 32, 32 >> level, 48 >> level), np.float32) for level in range(3)}
feeds["text_features"] = np.zeros((prompts, 32, 32), np.float32)
feeds["text_mask"] = np.ones((prompts, 32), np.bool_)
feeds["boxes"] = np.full((prompts, 1, 4), 0.5, np.float32)
feeds["box_labels"] = np.ones((prompts, 1), np.int64)
after = []
for _ in range(12):
    model.run(["logits", "masks"], feeds)
    after.append(resident())
print(json.dumps(after))
"""
FREES_200_MB = """
from sam3_onnx.models.runtime.heap import give_back

small = [np.ones(100_000, np.uint8) for _ in range(2000)]
held = resident()
pin = small[-1]
del small
freed = resident()
give_back()
print(json.dumps([held, freed, resident()]))
"""

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed")


def megabytes(script: str, *arguments: str) -> list[float]:
    """What a script prints in a process of its own, where nothing else moves memory and glibc is as it comes."""
    command = [sys.executable, "-c", RESIDENT + script, *arguments]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=plain)  # noqa: S603 - our own interpreter and text
    return [float(number) for number in json.loads(answer.stdout)]


def text_encoder() -> OnnxModel:
    return OnnxModel(read_graph(NATIVE / "text_encoder.onnx"), role="text_encoder", settings=RuntimeSettings(threads=1))


@needs_proc
def test_many_runs_hold_no_more_memory_than_the_first() -> None:
    after = megabytes(DECODES_12_TIMES, str(NATIVE / "decoder.onnx"))
    assert max(after) < after[0] * 1.05


@needs_proc
@needs_glibc
def test_freed_memory_goes_back_to_the_system() -> None:
    held, freed, given_back = megabytes(FREES_200_MB)
    assert freed > held - 20, "glibc gave it back of its own accord: the call is not needed any more"
    assert given_back < held - 150


def test_a_released_graph_is_loaded_again_when_it_is_needed() -> None:
    model = text_encoder()
    loaded = [model.loaded]
    (before,) = model.run(["text_features"], {"tokens": TOKENS})
    loaded.append(model.loaded)
    model.release()
    loaded.append(model.loaded)
    model.release()
    (after,) = model.run(["text_features"], {"tokens": TOKENS})
    loaded.append(model.loaded)
    assert loaded == [False, True, False, True]
    np.testing.assert_array_equal(after, before)


def test_a_closed_graph_stays_closed_when_it_is_released() -> None:
    model = text_encoder()
    model.close()
    model.release()
    with pytest.raises(SessionClosedError):
        model.run(["text_features"], {"tokens": TOKENS})


def test_releasing_disturbs_no_run_that_is_going_on() -> None:
    model = text_encoder()
    (expected,) = model.run(["text_features"], {"tokens": TOKENS})
    enough = threading.Event()

    def run_until_told() -> int:
        runs = 0
        while not enough.is_set():
            np.testing.assert_array_equal(model.run(["text_features"], {"tokens": TOKENS})[0], expected)
            runs += 1
        return runs

    with ThreadPoolExecutor(3) as pool:
        runners = [pool.submit(run_until_told) for _ in range(3)]
        for _ in range(20):
            before = model.runs
            model.release()
            while model.runs == before and not any(runner.done() for runner in runners):
                enough.wait(0.001)
        enough.set()
        assert sum(runner.result() for runner in runners) + 1 >= model.runs > 20


@pytest.mark.parametrize("threads", [0, -1, True, False, 1.5, "2", np.nan])
def test_threads_that_are_no_count_are_refused(threads: int) -> None:
    with pytest.raises(OptionError, match="threads must be a whole number of at least 1, or None for what this"):
        Sam3Session.from_folder(NATIVE, threads=threads)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_reach_onnxruntime(threads: int) -> None:
    model = OnnxModel(
        read_graph(NATIVE / "text_encoder.onnx"), role="text_encoder", settings=RuntimeSettings(threads=threads)
    )
    session = model.load()
    assert isinstance(session, ort.InferenceSession)
    assert session.get_session_options().intra_op_num_threads == threads


@pytest.mark.parametrize("provider", ["cpu", "auto"])
def test_threads_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setattr("sam3_onnx.models.runtime.settings.allowed_threads", lambda: 3)
    settings = RuntimeSettings(provider, precision="float32")
    session = OnnxModel(read_graph(NATIVE / "text_encoder.onnx"), role="text_encoder", settings=settings).load()
    assert session.get_session_options().intra_op_num_threads == 3
