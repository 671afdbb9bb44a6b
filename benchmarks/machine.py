"""Where and with what was it measured?"""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe", "load"]

_PACKAGES = ("sam3-onnx", "onnxruntime", "numpy", "opencv-python-headless", "pillow", "onnxruntime-ep-openvino")
_CPU_KEYS = ("model name", "cpu family", "model")


def describe() -> dict[str, object]:
    """The machine and the versions, ready for JSON."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def load() -> float | None:
    """Processes that ran or waited in the last minute, on average; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.is_file():
        text = table.read_text(encoding="utf-8")
        name, family, model = (re.search(rf"^{key}\s*: (.+)$", text, re.MULTILINE) for key in _CPU_KEYS)
        if name:
            numbers = f", family {family[1]}, model {model[1]}" if family and model else ""
            return f"{name[1]}{numbers}"
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
