"""How graphs are run: one bundle of settings that is handed from a session down to every graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sam3_onnx.runtime.providers import ProviderChoice

__all__ = ["RuntimeSettings"]


@dataclass(frozen=True)
class RuntimeSettings:
    """What the graphs of one session have in common."""

    provider: ProviderChoice = "auto"
    """Which execution providers to use."""
    threads: int | None = None
    """Threads of one run; None leaves it to ONNX Runtime."""
