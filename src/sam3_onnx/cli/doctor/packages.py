"""Which versions are installed, and which packages overwrite one another?"""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Package", "conflicts_of", "installed_packages", "is_plugin"]

_NAMED = ("numpy", "tokenizers")
_FAMILIES = ("onnxruntime", "opencv")
"""Packages of these names, and of these names with something behind a hyphen, are listed too."""
_PLUGIN = "onnxruntime-ep-"


@dataclass(frozen=True)
class Package:
    """An installed distribution."""

    name: str
    """In the normal form of PEP 503: lower case, hyphens."""
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def installed_packages() -> tuple[Package, ...]:
    """What of the library's own needs is installed: every build of ONNX Runtime and of OpenCV among them."""
    found = set()
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
        if name in _NAMED or name.partition("-")[0] in _FAMILIES:
            found.add(Package(name, distribution.version))
    return tuple(sorted(found, key=lambda package: (package.name, package.version)))


def is_plugin(package: Package) -> bool:
    """Whether a package lives beside a build of ONNX Runtime, as a provider that is loaded from it."""
    return package.name.startswith(_PLUGIN)


def conflicts_of(packages: Sequence[Package], family: str) -> tuple[Package, ...]:
    """Builds of one thing that write into the same folder, of which the last one installed has won.

    Args:
        packages: What is installed.
        family: "onnxruntime" or "opencv".

    Returns:
        The builds; empty if there is no more than one.
    """
    builds = tuple(
        package for package in packages if package.name.partition("-")[0] == family and not is_plugin(package)
    )
    return builds if len({build.name for build in builds}) > 1 else ()
