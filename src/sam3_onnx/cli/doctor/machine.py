"""This machine: its system, processor, cores and memory, and what a container leaves of them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.machine_limits import available_memory, core_limit, memory_limit
from sam3_onnx._support.processor import cpuinfo, instructions_of, processor_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from sam3_onnx.cli.doctor.probes import Probes

__all__ = [
    "Machine",
    "physical_cores",
    "picked",
    "processor",
    "usable_cores",
]

_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16")
"""Flags of /proc/cpuinfo that decide how fast a graph runs, on x86 and on Arm."""


@dataclass(frozen=True)
class Machine:
    """What a machine has. None stands for what could not be found out, and for a limit that is not set."""

    python: str | None
    system: str | None
    processor: str | None
    instructions: tuple[str, ...] | None
    """Extensions of the instruction set that count for speed."""
    physical_cores: int | None
    logical_cores: int | None
    usable_cores: int | None
    """Cores that this process may run on (its affinity)."""
    core_limit: float | None
    """Processor time that a container may take, in cores."""
    memory_total: int | None
    """Bytes."""
    memory_available: int | None
    """Bytes that could be taken without swapping."""
    memory_limit: int | None
    """Bytes that a container may take."""

    @classmethod
    def here(cls, probes: Probes) -> Machine:
        """Asks this machine.

        Args:
            probes: Notes what fails.
        """
        ask = probes.ask
        total, available = ask("memory", available_memory) or (None, None)
        return cls(
            python=ask("Python", lambda: f"{platform.python_implementation()} {platform.python_version()}"),
            system=ask("system", platform.platform),
            processor=ask("processor", processor),
            instructions=ask("instructions", lambda: picked(instructions_of(cpuinfo()))),
            physical_cores=ask("physical cores", physical_cores),
            logical_cores=ask("logical cores", os.cpu_count),
            usable_cores=ask("usable cores", usable_cores),
            core_limit=ask("limit of cores", core_limit),
            memory_total=total,
            memory_available=available,
            memory_limit=ask("limit of memory", memory_limit),
        )


def processor() -> str | None:
    """The processor's name as it gives it itself."""
    return (_sysctl("machdep.cpu.brand_string") if sys.platform == "darwin" else processor_name()) or None


def picked(flags: Collection[str]) -> tuple[str, ...]:
    """Those of a processor's flags that count for speed."""
    return tuple(name for name in _INSTRUCTIONS if name in flags)


def physical_cores() -> int | None:
    """Cores without counting hyper-threads twice."""
    if sys.platform == "darwin":
        return int(_sysctl("hw.physicalcpu"))
    blocks = cpuinfo().split("\n\n")
    places = {tuple(re.findall(r"^(?:physical id|core id)\s*:\s*(\d+)$", block, re.MULTILINE)) for block in blocks}
    return len(places - {()}) or None


def usable_cores() -> int | None:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else None


def _sysctl(name: str) -> str:
    command = ["/usr/sbin/sysctl", "-n", name]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()  # noqa: S603 - fixed words
