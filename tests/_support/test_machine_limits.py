"""Are the limits of a container found, and is what it has left?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sam3_onnx._support.machine_limits import allowed_threads, available_memory, core_limit, memory_left, memory_limit

if TYPE_CHECKING:
    from pathlib import Path


def control_groups(folder: Path, groups: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A small proc and control group file system."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "proc", folder / "cgroup"


@pytest.mark.parametrize(
    ("groups", "files", "cores", "memory"),
    [
        ("0::/\n", {}, None, None),
        ("0::/a/b\n", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1.5, None),
        ("0::/a/b\n", {"a/memory.max": "1000\n", "a/b/memory.max": "2000\n"}, None, 1000),
        (
            "4:memory:/x\n3:cpu,cpuacct:/x\n0::/\n",
            {
                "cpu/x/cpu.cfs_quota_us": "50000",
                "cpu/x/cpu.cfs_period_us": "100000",
                "memory/x/memory.limit_in_bytes": "4096",
                "memory/memory.limit_in_bytes": "9223372036854771712",
            },
            0.5,
            4096,
        ),
        (
            "4:memory:/\n3:cpu:/\n",
            {
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": "9223372036854771712",
            },
            None,
            None,
        ),
    ],
)
def test_limits_of_a_container_are_found(
    tmp_path: Path, groups: str, files: dict[str, str], cores: float | None, memory: int | None
) -> None:
    proc, cgroups = control_groups(tmp_path, groups, files)
    assert core_limit(proc, cgroups) == cores
    assert memory_limit(proc, cgroups) == memory


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, None),
        ({"x/memory.max": "9000", "x/memory.current": "7000"}, 2000),
        ({"x/memory.max": "9000", "x/memory.current": "7000", "x/memory.stat": "anon 1\ninactive_file 500\n"}, 2500),
        ({"x/memory.max": "9000", "x/memory.current": "7000", "memory.max": "9500", "memory.current": "9000"}, 500),
        ({"x/memory.max": "max", "x/memory.current": "7000"}, None),
        ({"x/memory.max": "9000", "x/memory.current": "9100"}, 0),
    ],
)
def test_what_a_container_has_left_is_its_limit_less_what_it_uses(
    tmp_path: Path, files: dict[str, str], left: int | None
) -> None:
    assert memory_left(*control_groups(tmp_path, "0::/x\n", files)) == left


def test_memory_is_there() -> None:
    total, available = available_memory()
    assert total > 10**8
    assert available is None or 0 < available <= total


@pytest.mark.parametrize(
    ("affinity", "quota", "threads"),
    [
        ({0, 1, 2, 3, 4, 5, 6, 7}, "max", None),
        ({0, 1, 2, 3, 4, 5, 6, 7}, "350000", 3),
        ({0, 1, 2, 3, 4, 5, 6, 7}, "50000", 1),
        ({0, 1, 2, 3, 4, 5, 6, 7}, "1600000", 4),
        ({0, 1}, "max", 1),
        ({0, 2, 4}, "max", 3),
        ({0, 2, 4}, "200000", 2),
    ],
)
def test_threads_are_those_that_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, affinity: set[int], quota: str, threads: int | None
) -> None:
    proc, cgroups = control_groups(tmp_path, "0::/a\n", {"a/cpu.max": f"{quota} 100000\n"})
    for number in range(8):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{number // 2 * 2}-{number // 2 * 2 + 1}\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: affinity, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert allowed_threads(proc, cgroups, tmp_path) == threads
