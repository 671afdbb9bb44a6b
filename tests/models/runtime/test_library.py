"""What is left of a broken ONNX Runtime is an error of this library that names the command which mends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sam3_onnx
from sam3_onnx._support.distributions import Distribution
from sam3_onnx.models.runtime.providers.wheels import mend_runtime

PLAIN, GPU = Distribution("onnxruntime", "1.32.0"), Distribution("onnxruntime-gpu", "1.31.1")
OPEN = """
from sam3_onnx.errors import Sam3Error
try:
    from sam3_onnx import Sam3Session
except Sam3Error as error:
    assert isinstance(error, ImportError)
    print(type(error).__name__, error)
"""
LOST = {
    "not installed": "import sys; sys.modules['onnxruntime'] = None",
    "an empty folder": "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime')",
    "a part is gone": "import sys; sys.modules['onnxruntime.capi._pybind_state'] = None",
}


def run(code: str, *, fails: bool = False) -> str:
    """What a fresh interpreter prints on standard output."""
    paths = os.pathsep.join([str(Path(sam3_onnx.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", code]
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == int(fails), done.stderr
    return done.stdout


@pytest.mark.parametrize("lost", LOST)
def test_a_session_cannot_be_imported_and_the_command_that_mends_it_is_named(lost: str) -> None:
    printed = run(LOST[lost] + "\n" + OPEN)
    assert printed.startswith("OnnxRuntimeError ONNX Runtime cannot be used: expected a complete installation, got o")
    assert "`pip install --force-reinstall --no-deps onnxruntime" in printed


def test_what_the_start_of_onnxruntime_raises_is_the_reason(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text("raise OSError('libcudart.so.12 is not there')\n")
    printed = run(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + OPEN)
    assert "the import fails with: libcudart.so.12 is not there. Install it anew" in printed


def test_the_command_line_says_so_in_one_line(coins: Path, tmp_path: Path) -> None:
    words = ["segment", str(coins), "--text", "coin", "-o", str(tmp_path / "out")]
    code = f"from sam3_onnx.cli import main; sys.stderr = sys.stdout; sys.exit(main({words!r}))"
    printed = run(LOST["an empty folder"] + "\n" + code, fails=True)
    assert printed.startswith("sam3-onnx: ONNX Runtime cannot be used: ")
    assert printed.count("\n") == 1


def test_the_doctor_says_that_it_is_broken_once_and_how_to_mend_it() -> None:
    code = "from sam3_onnx.cli import main; sys.exit(main(['doctor']))"
    last = run(LOST["an empty folder"] + "\n" + code, fails=True).partition("- BROKEN: ")[2]
    assert "onnxruntime has no InferenceSession" in last
    assert last.count("`pip install ") == 1
    assert "BROKEN" not in last
    assert "Please report it" not in last


@pytest.mark.parametrize(
    ("wheels", "advice"),
    [
        ((), "Install it: `pip install onnxruntime`."),
        ((PLAIN,), "Install it anew: `pip install --force-reinstall --no-deps onnxruntime==1.32.0`."),
        ((GPU,), "Install it anew: `pip install --force-reinstall --no-deps onnxruntime-gpu==1.31.1`."),
        (
            (PLAIN, GPU),
            "Keep one build only: `pip uninstall -y onnxruntime onnxruntime-gpu`, then `pip install onnxruntime-gpu`.",
        ),
        ((Distribution("onnxruntime-ep-openvino", "1"),), "Install it: `pip install onnxruntime`."),
    ],
)
def test_the_advice_fits_what_is_installed(wheels: tuple[Distribution, ...], advice: str) -> None:
    assert mend_runtime(wheels) == advice
