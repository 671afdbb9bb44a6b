"""Errors and warnings of execution providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.models import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ProviderError", "ProviderWarning"]


class ProviderError(ModelError, RuntimeError):
    """An execution provider that was requested by name did not become active, or failed while it ran.

    Also raised when a provider lost what was in the memory of its device.
    """

    def __init__(
        self,
        *,
        wanted: Sequence[str],
        active: Sequence[str],
        available: Sequence[str],
        reason: str,
        mend: str = "",
        fault: str = "did not become active",
    ) -> None:
        self.reason = reason
        advice = f"{mend} Or choose provider='cpu'." if mend else "Choose provider='cpu' to run without it."
        super().__init__(
            f"Execution provider {', '.join(wanted)} {fault}: {reason}. "
            f"Active: {', '.join(active) or 'none'}; offered by the installed onnxruntime: {', '.join(available)}. "
            f"{advice}"
        )


class ProviderWarning(UserWarning):
    """A graph does not run on the preferred execution provider."""
