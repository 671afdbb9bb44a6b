"""The precision that a provider computes in: what can be asked for, and the options that set it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias, get_args

from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, short_name
from sam3_onnx.models.runtime.providers.roles import HOLD_WHEN_COARSE

__all__ = [
    "COARSE",
    "Precision",
    "PrecisionChoice",
    "check_precision",
    "openvino_precision",
    "options_for",
    "require_precision",
    "require_roles",
    "word_for",
]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
"""What matrices are multiplied in, whatever the graph's own type is."""
PrecisionChoice: TypeAlias = "Precision | Mapping[str, Precision]"
"""A precision for all parts of a model that hold in it, or one for each part by its name, such as "image_encoder"."""
COARSE = frozenset({"bfloat16", "float16"})
"""Precisions that move answers."""

_OPENVINO_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CONFIG, _HINT = "load_config", "INFERENCE_PRECISION_HINT"
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


def require_precision(choice: object) -> None:
    """Lets a precision pass, and a mapping of names of parts to precisions.

    Raises:
        OptionError: It is anything else.
    """
    words = get_args(Precision)
    expected = f"one of {_listed(words)}, or a mapping of parts of the model to these"
    if isinstance(choice, Mapping):
        for role, word in choice.items():
            if not isinstance(role, str):
                raise OptionError("precision", expected=expected, got=choice)
            if word not in words:
                raise OptionError(f'precision["{role}"]', expected=f"one of {_listed(words)}", got=word)
    elif not isinstance(choice, str) or choice not in words:
        raise OptionError("precision", expected=expected, got=choice)


def require_roles(choice: PrecisionChoice, roles: Collection[str]) -> None:
    """Makes sure that a model has the parts that a choice names.

    Raises:
        OptionError: One is no part of this model.
    """
    unknown = [] if isinstance(choice, str) else [role for role in choice if role not in roles]
    if unknown:
        raise OptionError("precision", expected=f"given for parts of this model: {', '.join(roles)}", got=unknown[0])


def word_for(choice: PrecisionChoice, role: str) -> Precision:
    """Returns what a choice asks for one part; "auto" where it says nothing of it.

    A coarse precision that is asked for by a word is for the parts that hold in it; the others run in float32.
    """
    if not isinstance(choice, str):
        return choice.get(role, "auto")
    return "float32" if choice in COARSE and role not in HOLD_WHEN_COARSE else choice


def check_precision(word: Precision, provider: str, options: Mapping[str, str], *, name: str, why: str = "") -> None:
    """Makes sure that a provider can be asked to compute in a precision.

    Args:
        word: The precision.
        provider: ONNX Runtime's name of the provider.
        options: The caller's own options for it.
        name: What the caller knows the precision by, for messages.
        why: Why it is this provider, for messages; "" where the caller named it.

    Raises:
        OptionError: The provider has no such choice, or its options say it already.
    """
    if word == "auto":
        return
    choices = _OPENVINO_HINTS if provider == OPENVINO else _CHOICES.get(provider, {})
    if word not in choices:
        raise OptionError(
            name,
            expected=f"{_listed(('auto', *choices))} with provider {short_name(provider)!r}",
            got=word,
            remedy=why or '"auto" leaves it to the provider and the graph.',
        )
    ours = [_CONFIG] if provider == OPENVINO else _CHOICES[provider][word]
    twice = sorted(set(ours) & set(options))
    if twice:
        expected = f"left out where the options of {short_name(provider)!r} hold {twice[0]!r}"
        raise OptionError(name, expected=expected, got=word)


def options_for(
    provider: str, given: Mapping[str, str], *, precision: Precision, threads: int | None
) -> dict[str, str]:
    """Returns options of a provider that make it compute in a precision and with so many threads.

    Args:
        provider: ONNX Runtime's name of it.
        given: The caller's own options, which are kept and go first.
        precision: What it is to compute in; "auto" leaves it to the provider.
        threads: Threads of one run; None leaves it to the provider.
    """
    if provider == OPENVINO:
        return {**given, **_openvino_config(given, precision, threads)}
    return {**_CHOICES.get(provider, {}).get(precision, {}), **given}


def _openvino_config(given: Mapping[str, str], precision: Precision, threads: int | None) -> dict[str, str]:
    device = given.get("device_type", "CPU")
    properties: dict[str, str] = {}
    if precision != "auto":
        properties[_HINT] = _OPENVINO_HINTS[precision]
    if threads is not None and device == "CPU":
        properties["INFERENCE_NUM_THREADS"] = str(threads)
    own = _own_config(given)
    if own is None or not properties:  # what is no JSON, the plug-in itself refuses with a reason
        return {}
    there = own.get(device)
    return {_CONFIG: json.dumps({**own, device: {**properties, **(there if isinstance(there, dict) else {})}})}


def openvino_precision(given: Mapping[str, str]) -> Precision | None:
    """Returns the precision that a caller's own options for OpenVINO name; None if they name none."""
    there = (_own_config(given) or {}).get(given.get("device_type", "CPU"))
    hint = there.get(_HINT) if isinstance(there, dict) else None
    return next((word for word in ("float32", "bfloat16", "float16") if _OPENVINO_HINTS[word] == hint), None)


def _own_config(given: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        content = json.loads(given.get(_CONFIG, "{}"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words)
