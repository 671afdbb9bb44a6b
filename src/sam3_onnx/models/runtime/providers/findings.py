"""What was found out about the providers of this machine before, kept in the cache folder."""

from __future__ import annotations

import contextlib
import json
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.notes import keep_notes, read_notes
from sam3_onnx._support.processor import MATRIX_UNITS, has_matrix_units, processor_name
from sam3_onnx.models.runtime.library import ort
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["finding_key", "machine_name", "recall", "remember"]

_FILE = "providers.json"
_GPU_NAME = re.compile(r"^Model:\s*(.+)$", re.MULTILINE)


def recall(key: str, names: Collection[str]) -> dict[str, float] | None:
    """Returns the numbers of these names that are remembered under a key; None where one is missing."""
    numbers = _read().get(key, {})
    return {name: numbers[name] for name in names} if set(names) <= set(numbers) else None


def remember(key: str, numbers: dict[str, float]) -> None:
    """Writes numbers into the cache folder; a folder that cannot be written keeps nothing."""
    keep_notes(_FILE, {**_read(), key: numbers})


def machine_name() -> str:
    """Returns names of the processor, with its matrix units, and of graphics cards, as far as the system tells."""
    names = [f"{processor_name()} {MATRIX_UNITS}" if has_matrix_units() else processor_name()]
    for card in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        names += _GPU_NAME.findall(_text(card))
    return ", ".join([platform.system(), *names])


def finding_key(provider: str, options: Mapping[str, str], what: str) -> str:
    """Returns what a finding holds for: versions, a provider with its options, and this machine.

    Args:
        provider: ONNX Runtime's name of it.
        options: The caller's own for it.
        what: What else the finding depends on, such as a precision.
    """
    plugin = None if provider in built_in() else plugin_of(provider)
    version = f" {plugin.version}" if plugin else ""
    given = json.dumps(dict(options), sort_keys=True)
    return f"onnxruntime {ort.__version__} | {provider}{version} {given} | {what} | {machine_name()}"


def _read() -> dict[str, dict[str, float]]:
    """What the file holds; nothing where it is missing or not as it was written."""
    return {
        key: numbers
        for key, numbers in read_notes(_FILE).items()
        if isinstance(numbers, dict) and all(isinstance(number, int | float) for number in numbers.values())
    }


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
