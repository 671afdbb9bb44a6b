"""Versions of what the library needs, and builds of OpenCV that overwrite one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.distributions import installed_distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx._support.distributions import Distribution

__all__ = ["conflicting_opencv", "installed_packages"]

_OPENCV = "opencv"
_NAMED = ("numpy", "tokenizers")
_FAMILIES = ("onnxruntime", _OPENCV)
"""Packages of these names, and of these names with something behind a hyphen, are listed too."""


def installed_packages() -> tuple[Distribution, ...]:
    """Returns what of the library's needs is installed, and what belongs to ONNX Runtime or OpenCV by its name."""
    return tuple(
        package
        for package in installed_distributions()
        if package.name in _NAMED or package.name.partition("-")[0] in _FAMILIES
    )


def conflicting_opencv(packages: Sequence[Distribution]) -> tuple[Distribution, ...]:
    """Returns the builds of OpenCV, which write into the same folder, if there are several; else none."""
    builds = tuple(package for package in packages if package.name.partition("-")[0] == _OPENCV)
    return builds if len({build.name for build in builds}) > 1 else ()
