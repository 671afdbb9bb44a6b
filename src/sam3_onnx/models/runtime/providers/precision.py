"""The precision that a provider computes in, and the options that set it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from sam3_onnx._support.checks import require_choice
from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.providers.names import CPU, short_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Precision", "check_precision", "options_for"]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
"""What matrices are multiplied in, whatever the graph's own type is."""

_OPENVINO = "OpenVINOExecutionProvider"
_OPENVINO_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CHOICES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    CPU: {"float32": {}},
    # CUDA's default multiplies float32 in TF32 where the card has it
    "CUDAExecutionProvider": {"float32": {"use_tf32": "0"}},
    "TensorrtExecutionProvider": {
        "float32": {},
        "float16": {"trt_fp16_enable": "1"},
        "bfloat16": {"trt_bf16_enable": "1"},
    },
}
"""Provider options by provider and precision, as onnxruntime.ai/docs/execution-providers has them."""


def check_precision(precision: str, provider: str) -> None:
    """Makes sure that a provider can be told to compute in a precision.

    Raises:
        OptionError: No such precision, or the provider has no such choice.
    """
    require_choice("precision", precision, get_args(Precision))
    choices = _OPENVINO_HINTS if provider == _OPENVINO else _CHOICES.get(provider, {})
    if precision != "auto" and precision not in choices:
        offered = ", ".join(f'"{name}"' for name in ("auto", *choices))
        raise OptionError(
            "precision",
            expected=f"{offered} with provider {short_name(provider)!r}",
            got=precision,
            remedy='"auto" leaves it to the provider and the graph.',
        )


def options_for(
    provider: str, given: Mapping[str, str], *, precision: Precision, threads: int | None
) -> dict[str, str]:
    """Options of a provider that make it compute in a precision and with so many threads.

    Args:
        provider: ONNX Runtime's name of it.
        given: The caller's own options, which are kept.
        precision: As checked by `check_precision`.
        threads: Threads of one run; None leaves it to the provider.

    Raises:
        OptionError: The caller's own options already say what `precision` says again.
    """
    ours = _openvino(given, precision, threads) if provider == _OPENVINO else _built_in(provider, precision)
    twice = sorted(set(ours) & set(given))
    if twice and precision != "auto":
        raise OptionError(
            "precision",
            expected=f"left out where the options of {short_name(provider)!r} hold {twice[0]!r}",
            got=precision,
        )
    return {**ours, **given}


def _built_in(provider: str, precision: Precision) -> dict[str, str]:
    return dict(_CHOICES.get(provider, {}).get(precision, {}))


def _openvino(given: Mapping[str, str], precision: Precision, threads: int | None) -> dict[str, str]:
    device = given.get("device_type", "CPU")
    properties: dict[str, str] = {}
    if precision != "auto":
        properties["INFERENCE_PRECISION_HINT"] = _OPENVINO_HINTS[precision]
    if threads is not None and device == "CPU":
        properties["INFERENCE_NUM_THREADS"] = str(threads)
    return {"load_config": json.dumps({device: properties})} if properties else {}
