"""The memory and processor time that this process may take, also inside a container."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

__all__ = ["allowed_threads", "available_memory", "core_limit", "kernel_text", "memory_left", "memory_limit"]

_UNLIMITED = 1 << 60
"""Control groups of version 1 write "no limit" as the largest number of pages."""
_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
_DEVICES = Path("/sys/devices/system/cpu")


def allowed_threads(proc: Path = _PROC, cgroups: Path = _CGROUPS, devices: Path = _DEVICES) -> int | None:
    """How many threads may compute at a time in this process, if that is less than the machine has cores for.

    That is the number of cores among the processors that it may run on (sched_setaffinity(2); two processors of one
    core count once), and no more than the processor time of its control groups, rounded down.

    Args:
        proc: Where the proc file system is.
        cgroups: Where control groups are.
        devices: Where the processors are described.

    Returns:
        At least 1; None where the process may use the whole machine, or the system does not tell.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed, limit = os.sched_getaffinity(0), core_limit(proc, cgroups)
    if limit is None and len(allowed) >= (os.cpu_count() or 1):
        return None
    cores = {kernel_text(devices / f"cpu{number}/topology/thread_siblings_list") or str(number) for number in allowed}
    return max(1, len(cores) if limit is None else min(len(cores), int(limit)))


def core_limit(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> float | None:
    """Processor time that the control groups of this process may take, in cores; None for all there is.

    Args:
        proc: Where the proc file system is.
        cgroups: Where control groups are.
    """
    limits = []
    for folder in _cgroup_folders(proc, cgroups, "cpu"):
        quota, period = (kernel_text(folder / "cpu.max") or "max 1").split()[:2]
        if quota == "max":  # version 1 has two files and writes -1
            quota, period = (
                kernel_text(folder / "cpu.cfs_quota_us") or "-1",
                kernel_text(folder / "cpu.cfs_period_us") or "1",
            )
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
        kernel_text(folder / name)
        for folder in _cgroup_folders(proc, cgroups, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    limits = [int(text) for text in texts if text and text != "max" and int(text) < _UNLIMITED]
    return min(limits, default=None)


def memory_left(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Bytes that the control groups of this process would still give it; None where none of them has a limit.

    What files keep in memory and could be dropped counts as free.

    Args:
        proc: Where the proc file system is.
        cgroups: Where control groups are.
    """
    left = []
    for folder in _cgroup_folders(proc, cgroups, "memory"):
        for most, now in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            limit, used = kernel_text(folder / most), kernel_text(folder / now)
            if limit and used and limit != "max" and int(limit) < _UNLIMITED:
                told = dict(re.findall(r"^(\w+) (\d+)$", kernel_text(folder / "memory.stat") or "", re.MULTILINE))
                droppable = told.get("total_inactive_file") or told.get("inactive_file") or 0
                left.append(int(limit) - int(used) + int(droppable))
    return max(0, min(left)) if left else None


def available_memory() -> tuple[int, int | None]:
    """Bytes of memory: all there is, and what could be taken now (None where the system does not tell)."""
    if sys.platform == "win32":
        status = (ctypes.c_uint64 * 8)()  # MEMORYSTATUSEX: its own size and the load share the first place
        status[0] = ctypes.sizeof(status)
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(status):
            raise ctypes.WinError()
        return int(status[1]), int(status[2])
    meminfo = kernel_text(_PROC / "meminfo")
    if meminfo is None:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), None
    sizes = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", meminfo, re.MULTILINE)}
    return sizes["MemTotal"], sizes.get("MemAvailable")


def kernel_text(path: Path) -> str | None:
    """A file of the kernel without the line's end; None if there is none, or none for this user."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _cgroup_folders(proc: Path, cgroups: Path, controller: str) -> list[Path]:
    """The folders of this process's group and of all groups around it, of either version (cgroups(7))."""
    folders = []
    for line in (kernel_text(proc / "self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controller if controllers else cgroups
        parts = path.strip("/").split("/")
        folders += [root.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return folders
