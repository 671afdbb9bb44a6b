"""Where and with what was it measured?"""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

from sam3_onnx._support.processor import cpuinfo, instructions_of, processor_name

__all__ = ["describe", "load"]

_PACKAGES = (
    *("sam3-onnx", "onnxruntime", "onnxruntime-ep-openvino", "numpy", "opencv-python-headless", "pillow"),
    *("torch", "transformers"),
)
_NUMBERS = ("cpu family", "model")
_COARSE_PRODUCTS = {
    "amx_bf16": "AMX bfloat16",
    "amx_int8": "AMX int8",
    "avx512_bf16": "AVX-512 bfloat16",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "bf16": "Arm bfloat16",
    "i8mm": "Arm int8",
    "asimddp": "Arm dot product",
}
"""Flags of /proc/cpuinfo for products of matrices or vectors in bfloat16 or 8 bits, and their names."""


def describe() -> dict[str, object]:
    """The machine and the versions, ready for JSON."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": _processor(),
        "coarse_products": [name for flag, name in _COARSE_PRODUCTS.items() if flag in instructions_of(cpuinfo())],
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def load() -> float | None:
    """Processes that ran or waited in the last minute, on average; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _processor() -> str:
    numbers = [re.search(rf"^{key}\s*: (.+)$", cpuinfo(), re.MULTILINE) for key in _NUMBERS]
    told = [f"{key} {found[1]}" for key, found in zip(_NUMBERS, numbers, strict=True) if found]
    return ", ".join([processor_name(), *told])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
