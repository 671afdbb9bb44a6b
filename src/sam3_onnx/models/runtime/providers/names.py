"""The names of execution providers, short and in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sam3_onnx.errors import OptionError

__all__ = ["CPU", "OPENVINO", "SHORT_NAMES", "ProviderChoice", "Wanted", "short_name", "spelt_out", "survives_fork"]

CPU = "CPUExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
SHORT_NAMES = {
    "cpu": CPU,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": OPENVINO,
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "qnn": "QNNExecutionProvider",
}
"""The names that callers use, with ONNX Runtime's own."""

ProviderChoice: TypeAlias = "str | Sequence[str | tuple[str, Mapping[str, str]]]"
"""A short name such as "cpu" or "cuda", ONNX Runtime's own name, or a list of these, each with options if need be."""
Wanted: TypeAlias = tuple[str, dict[str, str]]
"""ONNX Runtime's name of a provider, and options for it."""


def short_name(provider: str) -> str:
    """What callers call a provider: "cuda" for "CUDAExecutionProvider"; a name without a short form stays as it is."""
    return next((short for short, name in SHORT_NAMES.items() if name == provider), provider)


def survives_fork(provider: str) -> bool:
    """Whether the child of a fork can use a provider that its parent has used.

    CUDA cannot ("cudaErrorInitializationError", CUDA's programming guide), and the others that drive devices or keep
    threads of their own beside ONNX Runtime's promise nothing.
    """
    return provider == CPU


def spelt_out(choice: ProviderChoice) -> list[Wanted]:
    """Spells out a choice, other than "auto", as ONNX Runtime takes it.

    Args:
        choice: What the caller asked for.

    Raises:
        OptionError: A name that stands for no provider, or no provider at all.
    """
    entries = choice if isinstance(choice, Sequence) and not isinstance(choice, str) else [choice]
    wanted = [_entry(entry) for entry in entries]
    if not wanted:
        raise OptionError("provider", expected="at least one provider", got=choice)
    return wanted


def _entry(entry: object) -> Wanted:
    match entry:
        case str(name):
            options: Mapping[str, str] = {}
        case (str(name), Mapping() as options):
            pass
        case _:
            name, options = "", {}
    full = SHORT_NAMES.get(name.lower(), name)
    if not full.endswith("ExecutionProvider"):
        names = ", ".join(SHORT_NAMES)
        expected = f'"auto", one of {names}, an onnxruntime provider name, or a list of these and (name, options)'
        raise OptionError("provider", expected=expected, got=entry)
    return full, {str(key): str(value) for key, value in options.items()}
