"""A program that PyInstaller has frozen finds its model, its versions and its modules."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import pytest

from sam3_onnx._support.freezing import hook_folders

_PROGRAM = """
import numpy as np
import sam3_onnx
from sam3_onnx import Sam3Session, hub

session = Sam3Session.from_pretrained("miniature", provider="cpu")
print(len(session.predict(np.zeros((50, 50, 3), np.uint8), "coin")), len(hub.list_models()) > 1, sam3_onnx.__version__)
"""


def test_the_hook_is_where_pyinstaller_looks_for_it() -> None:
    (folder,) = hook_folders()
    assert (Path(folder) / "hook-sam3_onnx.py").is_file()


def test_a_frozen_program_answers(tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller")
    try:
        installed = version("sam3-onnx")
    except PackageNotFoundError:
        pytest.skip("sam3-onnx is not installed, so that PyInstaller finds no entry point of it")
    if not any(point.value.startswith("sam3_onnx.") for point in entry_points(group="pyinstaller40")):
        pytest.skip("the installed sam3-onnx is of a time before its hook")
    (tmp_path / "app.py").write_text(_PROGRAM, encoding="utf-8")
    build = [sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level", "ERROR", "app.py"]
    subprocess.run(build, cwd=tmp_path, check=True)  # noqa: S603 - our own
    program = tmp_path / "dist" / "app" / ("app.exe" if sys.platform == "win32" else "app")
    told = subprocess.check_output([str(program)], cwd=tmp_path, text=True)  # noqa: S603 - our own
    assert told.split() == ["0", "True", installed]
