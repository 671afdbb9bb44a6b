"""How graphs are run: one bundle of settings that is handed from a session down to every graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path, require_whole
from sam3_onnx._support.machine_limits import allowed_threads
from sam3_onnx.models.runtime.providers.precision import require_precision

if TYPE_CHECKING:
    from os import PathLike

    from sam3_onnx.models.runtime.providers.names import ProviderChoice
    from sam3_onnx.models.runtime.providers.precision import PrecisionChoice

__all__ = ["RuntimeSettings"]


@dataclass(frozen=True)
class RuntimeSettings:
    """What the graphs of one session have in common.

    Raises:
        OptionError: `threads` is not a whole number of at least 1, there is no such precision, or `engine_folder` is no
            path.
    """

    provider: ProviderChoice = "auto"
    """Which execution providers to use."""
    threads: int | None = None
    """Threads of one run, at least 1; None for `run_threads` to choose."""
    precision: PrecisionChoice = "auto"
    """What providers compute in, where they can choose."""
    engine_folder: str | PathLike[str] | None = None
    """Where TensorRT keeps the engines that it builds; None for nowhere."""

    def __post_init__(self) -> None:
        require_precision(self.precision)
        if self.engine_folder is not None:
            require_path("engine_folder", self.engine_folder)
        require_whole("threads", self.threads, least=1, none="for what this process may use")

    @property
    def run_threads(self) -> int | None:
        """Threads of one run: those asked for, or else what this process may use.

        None where that is the whole machine: ONNX Runtime then takes one for each core, and binds them to their cores.
        """
        return allowed_threads() if self.threads is None else self.threads
