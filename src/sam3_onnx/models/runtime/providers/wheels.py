"""Which builds of ONNX Runtime are installed, and what to install for a provider?"""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Wheel", "conflicting", "installed_wheels", "mend"]

_PLAIN = "onnxruntime"
_REPLACEMENTS = {
    "CUDAExecutionProvider": "onnxruntime-gpu",
    "TensorrtExecutionProvider": "onnxruntime-gpu",
    "OpenVINOExecutionProvider": "onnxruntime-openvino",
    "DmlExecutionProvider": "onnxruntime-directml",
    "MIGraphXExecutionProvider": "onnxruntime-migraphx",
    "ROCMExecutionProvider": "onnxruntime-rocm",
    "QNNExecutionProvider": "onnxruntime-qnn",
}
"""The wheel that offers a provider. All of them put their files into the folder `onnxruntime`."""
_PLACES = {
    "CoreMLExecutionProvider": "It is part of onnxruntime's wheel for macOS, and of no other.",
    "DmlExecutionProvider": "It runs on Windows only.",
}


@dataclass(frozen=True)
class Wheel:
    """One installed distribution that belongs to ONNX Runtime."""

    name: str
    version: str
    plugin: bool
    """Whether it lives beside another build, as a provider that is loaded from it."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed_wheels() -> tuple[Wheel, ...]:
    """Every build of ONNX Runtime and every plug-in for it that this environment holds, by name."""
    found = {}
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
        plugin = name.startswith(f"{_PLAIN}-ep-")
        if name == _PLAIN or name in _REPLACEMENTS.values() or plugin:
            found[name] = Wheel(name, distribution.version, plugin)
    return tuple(found[name] for name in sorted(found))


def conflicting(wheels: Sequence[Wheel]) -> tuple[Wheel, ...]:
    """Builds that overwrite each other's files; empty if there is no more than one."""
    builds = tuple(wheel for wheel in wheels if not wheel.plugin)
    return builds if len(builds) > 1 else ()


def mend(provider: str, wheels: Sequence[Wheel], *, plugin_tried: bool = False) -> str:
    """What to do so that a provider is offered.

    Args:
        provider: ONNX Runtime's name of it.
        wheels: What is installed.
        plugin_tried: The plug-in wheel for it is there and does not help on this machine.

    Returns:
        One or more sentences with the command lines, or "" where nothing is known.
    """
    if provider in _PLACES and provider not in _REPLACEMENTS:
        return _PLACES[provider]
    build = _REPLACEMENTS.get(provider)
    if build is None:
        return ""
    builds = [wheel.name for wheel in wheels if not wheel.plugin]
    replace = f"`pip uninstall -y {' '.join(builds or [_PLAIN])}`, then `pip install {build}`"
    place = f" {_PLACES[provider]}" if provider in _PLACES else ""
    if conflicting(wheels):
        return f"Keep one build only: {replace}.{place}"
    if build in builds:
        return ""
    if provider == "OpenVINOExecutionProvider":
        install = 'Install the plug-in that lives beside plain onnxruntime: `pip install "sam3-onnx[openvino]"`.'
        return "" if plugin_tried else install
    return f"Install the build that offers it: {replace}.{place}"
