"""The version of this package, as its installed metadata states it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("sam3-onnx")
except PackageNotFoundError:  # the source is used without being installed
    __version__ = "0+unknown"
