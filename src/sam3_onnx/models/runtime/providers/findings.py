"""What was found out about the providers of this machine before, kept in the cache folder."""

from __future__ import annotations

import contextlib
import json
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.notes import keep_notes, read_notes
from sam3_onnx.models.runtime.library import ort
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.providers.names import Wanted

__all__ = ["NUMBERS", "finding_key", "machine_name", "recall", "remember"]

NUMBERS = ("difference", "seconds", "cpu_seconds")
"""What is kept of a proof."""

_FILE = "providers.json"
_CPU_NAME = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_GPU_NAME = re.compile(r"^Model:\s*(.+)$", re.MULTILINE)


def recall(key: str) -> dict[str, float] | None:
    """The numbers remembered under a key, or None."""
    return _read().get(key)


def remember(key: str, numbers: dict[str, float]) -> None:
    """Writes numbers into the cache folder; a folder that cannot be written keeps nothing."""
    keep_notes(_FILE, {**_read(), key: numbers})


def machine_name() -> str:
    """The processor's and the graphics cards' names, as far as the system tells."""
    names = _CPU_NAME.findall(_text(Path("/proc/cpuinfo")))[:1] or [platform.processor() or platform.machine()]
    for card in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        names += _GPU_NAME.findall(_text(card))
    return ", ".join([platform.system(), *names])


def finding_key(wanted: Wanted, precision: str) -> str:
    """What a finding holds for: versions, a provider with its options, a precision and this machine."""
    provider, options = wanted
    plugin = None if provider in built_in() else plugin_of(provider)
    version = f" {plugin.version}" if plugin else ""
    given = json.dumps(options, sort_keys=True)
    return f"onnxruntime {ort.__version__} | {provider}{version} {given} | {precision} | {machine_name()}"


def _read() -> dict[str, dict[str, float]]:
    """What the file holds; nothing where it is missing or not as it was written."""
    return {
        key: numbers
        for key, numbers in read_notes(_FILE).items()
        if isinstance(numbers, dict)
        and set(numbers) == set(NUMBERS)
        and all(isinstance(number, int | float) for number in numbers.values())
    }


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
