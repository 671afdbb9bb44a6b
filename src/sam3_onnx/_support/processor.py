"""What the system tells of the processor: its name, and the extensions of its instruction set."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from sam3_onnx._support.machine_limits import kernel_text

__all__ = ["MATRIX_UNITS", "cpuinfo", "has_matrix_units", "instructions_of", "processor_name"]

MATRIX_UNITS = "amx_bf16"
"""The flag of /proc/cpuinfo for units that multiply matrices in bfloat16 (Intel's AMX)."""
_CPUINFO = Path("/proc/cpuinfo")


def cpuinfo() -> str:
    """Returns the text of /proc/cpuinfo; "" where there is none."""
    return kernel_text(_CPUINFO) or ""


def processor_name() -> str:
    """Returns the processor's name as far as the system tells."""
    named = re.search(r"^model name\s*:\s*(.+)$", cpuinfo(), re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()


def instructions_of(text: str) -> frozenset[str]:
    """Returns the flags of the first processor in the text of /proc/cpuinfo, on x86 and on Arm."""
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    return frozenset(flags[1].split()) if flags else frozenset()


def has_matrix_units() -> bool:
    """Returns whether this is an Intel processor with AMX in bfloat16, as far as the system tells (Linux does)."""
    text = cpuinfo()
    return "GenuineIntel" in text and MATRIX_UNITS in instructions_of(text)
