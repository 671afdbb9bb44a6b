"""Builds of ONNX Runtime: which are installed, and what to install for a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.distributions import installed_distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx._support.distributions import Distribution

__all__ = ["QUICKER_WITH_OPENVINO", "conflicting", "installed_wheels", "is_build", "is_plugin", "mend", "mend_runtime"]

QUICKER_WITH_OPENVINO = (
    "This processor has matrix units (AMX), which plain onnxruntime does not use for SAM 3. "
    'Run `pip install "sam3-onnx[openvino]"`, and the image encoder is about 4.5 times as fast.'
)
"""Measured on two cores of such a processor in November 2026, at full size: 4.5 s in place of 20.5 s."""
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
_OTHER_BUILDS = ("onnxruntime-training", "onnxruntime-silicon", "onnxruntime-coreml", "onnxruntime-cann")
"""More builds, which put their files there too."""
_PLACES = {
    "CoreMLExecutionProvider": "It is part of onnxruntime's wheel for macOS, and of no other.",
    "DmlExecutionProvider": "It runs on Windows only.",
}


def is_plugin(name: str) -> bool:
    """Returns whether a distribution lives beside a build of ONNX Runtime, as a provider that is loaded from it."""
    return name.startswith(f"{_PLAIN}-ep-")


def is_build(name: str) -> bool:
    """Returns whether a distribution is a build of ONNX Runtime; its extensions, tools and plug-ins are none."""
    return name == _PLAIN or name in _REPLACEMENTS.values() or name in _OTHER_BUILDS


def installed_wheels() -> tuple[Distribution, ...]:
    """Returns every build of ONNX Runtime and every plug-in for it that this environment holds, by name."""
    return tuple(wheel for wheel in installed_distributions() if is_build(wheel.name) or is_plugin(wheel.name))


def conflicting(wheels: Sequence[Distribution]) -> tuple[Distribution, ...]:
    """Returns the builds that overwrite each other's files; none if there are not several.

    Args:
        wheels: What is installed; what is no build is passed over.
    """
    builds = tuple(wheel for wheel in wheels if is_build(wheel.name))
    return builds if len({build.name for build in builds}) > 1 else ()


def mend(provider: str, wheels: Sequence[Distribution], *, plugin_tried: bool = False) -> str:
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
    builds = [wheel.name for wheel in wheels if is_build(wheel.name)]
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


def mend_runtime(wheels: Sequence[Distribution]) -> str:
    """Returns the command lines that bring ONNX Runtime back where its files are missing.

    A build that was uninstalled has taken files along that it shared with the one that is left.

    Args:
        wheels: What is installed, as far as its records tell.
    """
    builds = {wheel.name: wheel for wheel in wheels if is_build(wheel.name)}
    if not builds:
        return f"Install it: `pip install {_PLAIN}`."
    if len(builds) == 1:
        (build,) = builds.values()
        return f"Install it anew: `pip install --force-reinstall --no-deps {build.name}=={build.version}`."
    keep = next(name for name in builds if name != _PLAIN)
    return f"Keep one build only: `pip uninstall -y {' '.join(builds)}`, then `pip install {keep}`."
