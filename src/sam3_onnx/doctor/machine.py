"""What is this machine: system, processor, cores and memory, and what a container leaves of them?"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sam3_onnx.doctor.probes import Probes

__all__ = [
    "Machine",
    "available_memory",
    "core_limit",
    "instructions_of",
    "memory_limit",
    "physical_cores",
    "processor",
    "usable_cores",
]

_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16")
"""Flags of /proc/cpuinfo that decide how fast a graph runs, on x86 and on Arm."""
_UNLIMITED = 1 << 60
"""Control groups of version 1 write "no limit" as the largest number of pages."""
_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")


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
            instructions=ask("instructions", lambda: instructions_of(_cpuinfo())),
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
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    named = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine() or None


def instructions_of(cpuinfo: str) -> tuple[str, ...]:
    """Those of a processor's flags that count for speed, from the text of /proc/cpuinfo."""
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    there = set(flags[1].split()) if flags else set()
    return tuple(name for name in _INSTRUCTIONS if name in there)


def physical_cores() -> int | None:
    """Cores without counting hyper-threads twice."""
    if sys.platform == "darwin":
        return int(_sysctl("hw.physicalcpu"))
    blocks = _cpuinfo().strip().split("\n\n")
    places = {tuple(re.findall(r"^(?:physical id|core id)\s*:\s*(\d+)$", block, re.MULTILINE)) for block in blocks}
    return len(places - {()}) or None


def usable_cores() -> int | None:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else None


def core_limit(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> float | None:
    """Processor time that the control groups of this process may take, in cores; None for all there is.

    Args:
        proc: Where the proc file system is.
        cgroups: Where control groups are.
    """
    limits = []
    for folder in _cgroup_folders(proc, cgroups, "cpu"):
        quota, period = (_text(folder / "cpu.max") or "max 1").split()[:2]
        if quota == "max":  # version 1 has two files and writes -1
            quota, period = _text(folder / "cpu.cfs_quota_us") or "-1", _text(folder / "cpu.cfs_period_us") or "1"
        if int(quota) > 0:
            limits.append(int(quota) / int(period))
    return min(limits, default=None)


def memory_limit(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Bytes that the control groups of this process may take; None for all there is.

    Args:
        proc: Where the proc file system is.
        cgroups: Where control groups are.
    """
    texts = [
        _text(folder / name)
        for folder in _cgroup_folders(proc, cgroups, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    limits = [int(text) for text in texts if text and text != "max" and int(text) < _UNLIMITED]
    return min(limits, default=None)


def available_memory() -> tuple[int, int | None]:
    """Bytes of memory: all there is, and what could be taken now (None where the system does not tell)."""
    if sys.platform == "win32":
        status = (ctypes.c_uint64 * 8)()  # MEMORYSTATUSEX: its own size and the load share the first place
        status[0] = ctypes.sizeof(status)
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(status):
            raise ctypes.WinError()
        return int(status[1]), int(status[2])
    meminfo = _text(_PROC / "meminfo")
    if meminfo is None:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), None
    sizes = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", meminfo, re.MULTILINE)}
    return sizes["MemTotal"], sizes.get("MemAvailable")


def _cgroup_folders(proc: Path, cgroups: Path, controller: str) -> list[Path]:
    """The folders of this process's group and of all groups around it, of either version (cgroups(7))."""
    folders = []
    for line in (_text(proc / "self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controller if controllers else cgroups
        parts = path.strip("/").split("/")
        folders += [root.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return folders


def _cpuinfo() -> str:
    return _text(_PROC / "cpuinfo") or ""


def _text(path: Path) -> str | None:
    """A file of the kernel without the line's end; None if there is none."""
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def _sysctl(name: str) -> str:
    command = ["/usr/sbin/sysctl", "-n", name]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()  # noqa: S603 - fixed words
