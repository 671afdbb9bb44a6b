"""Which execution providers are wanted, and whether they really became active."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sam3_onnx.errors import OptionError, ProviderError

__all__ = ["CPU", "ProviderChoice", "check_active", "wanted_providers"]

CPU = "CPUExecutionProvider"
_SHORT_NAMES = {
    "cpu": CPU,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "qnn": "QNNExecutionProvider",
}

ProviderChoice: TypeAlias = "str | Sequence[str | tuple[str, Mapping[str, str]]]"
"""A short name such as "cpu" or "cuda", ONNX Runtime's own name, or a list of these, each with options if need be."""


def wanted_providers(choice: ProviderChoice, available: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Spells out a choice as ONNX Runtime takes it.

    Args:
        choice: What the caller asked for. "auto" is the CPU provider: no other is proven yet.
        available: The providers that the installed onnxruntime offers.

    Raises:
        OptionError: A name that stands for no provider.
        ProviderError: A provider that the installed onnxruntime does not offer.
    """
    entries = choice if isinstance(choice, Sequence) and not isinstance(choice, str) else [choice]
    wanted = [_spelt_out(entry) for entry in entries]
    if not wanted:
        raise OptionError("provider", expected="at least one provider", got=choice)
    names = [name for name, _ in wanted]
    missing = [name for name in names if name not in available]
    if missing:
        raise ProviderError(wanted=names, active=[], available=available, reason=f"{missing[0]} is not installed")
    return wanted


def _spelt_out(entry: object) -> tuple[str, dict[str, str]]:
    match entry:
        case str(name):
            options: Mapping[str, str] = {}
        case (str(name), Mapping() as options):
            pass
        case _:
            name, options = "", {}
    full = CPU if name == "auto" else _SHORT_NAMES.get(name.lower(), name)
    if not full.endswith("ExecutionProvider"):
        names = ", ".join(_SHORT_NAMES)
        expected = f'"auto", one of {names}, an onnxruntime provider name, or a list of these and (name, options)'
        raise OptionError("provider", expected=expected, got=entry)
    return full, dict(options)


def check_active(wanted: Sequence[str], active: Sequence[str], available: Sequence[str]) -> None:
    """Makes sure that every provider asked for is active in a session that was just made.

    Raises:
        ProviderError: ONNX Runtime dropped one, as it does with no more than a log line.
    """
    dropped = [name for name in wanted if name not in active]
    if dropped:
        reason = f"onnxruntime dropped {dropped[0]} when the session was created; its log on standard error says why"
        raise ProviderError(wanted=wanted, active=active, available=available, reason=reason)
