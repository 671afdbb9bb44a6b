"""The providers that are tried for the graphs of a session, in their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sam3_onnx.errors import OptionError, ProviderError
from sam3_onnx.models.runtime.providers.names import CPU, SHORT_NAMES, short_name, spelt_out
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of
from sam3_onnx.models.runtime.providers.precision import check_precision
from sam3_onnx.models.runtime.providers.wheels import conflicting, installed_wheels, mend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.models.runtime.providers.names import Wanted
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["FASTEST_FIRST", "Plan", "for_auto", "offered", "plan_of", "provider_error", "why_not_offered"]

FASTEST_FIRST = tuple(
    SHORT_NAMES[name] for name in ("tensorrt", "cuda", "migraphx", "rocm", "directml", "coreml", "openvino")
)
"""What "auto" tries before CPU: graphics cards, one maker's neural engines, then other ways to use the CPU."""


@dataclass(frozen=True)
class Plan:
    """What to try for each graph of a session."""

    wanted: tuple[Wanted, ...]
    """Providers, best first."""
    auto: bool
    """Whether they are alternatives of which the first that works is taken, or all have to become active."""
    skipped: tuple[str, ...] = ()
    """Why providers whose wheels are installed cannot be tried."""


def plan_of(settings: RuntimeSettings) -> Plan:
    """Works out what to try.

    Raises:
        OptionError: A name that stands for no provider, or a precision that a provider does not offer.
        ProviderError: A provider asked for by name is not offered here.
    """
    if settings.provider == "auto":
        return _automatic(settings)
    wanted = spelt_out(settings.provider)
    names = [name for name, _ in wanted]
    for name in [name for name in names if name != CPU] or [CPU]:
        check_precision(settings.precision, name)
        reason = why_not_offered(name)
        if reason:
            raise provider_error(names, name, reason)
    return Plan(tuple(wanted), auto=False)


def offered() -> tuple[str, ...]:
    """Providers that can be tried here: those of the installed onnxruntime, and plug-ins that have a device."""
    names = built_in()
    plugins = [name for name in SHORT_NAMES.values() if name not in names and (it := plugin_of(name)) and it.devices]
    return (*names, *plugins)


def why_not_offered(name: str) -> str:
    """Why a provider cannot be tried here; "" if it can."""
    if name in built_in():
        return ""
    plugin = plugin_of(name)
    if plugin is not None:
        return f"its plug-in {plugin.version} is installed, but {plugin.failure}" if plugin.failure else ""
    wheels = installed_wheels()
    installed = " and ".join(str(wheel) for wheel in wheels) or "none that pip knows of"
    if conflicting(wheels):
        return f"several builds of onnxruntime are installed and hide each other's providers ({installed})"
    return f"no installed wheel offers it (installed: {installed})"


def provider_error(wanted: Sequence[str], name: str, reason: str, active: Sequence[str] = ()) -> ProviderError:
    """The error that names a provider, why it is not active, and what to do about it."""
    tried = name not in built_in() and plugin_of(name) is not None
    advice = mend(name, installed_wheels(), plugin_tried=tried)
    return ProviderError(wanted=wanted, active=active, available=offered(), reason=reason, mend=advice)


def for_auto(settings: RuntimeSettings, name: str) -> RuntimeSettings:
    """Settings with which "auto" runs a provider.

    OpenVINO computes in bfloat16 by itself on CPUs that can, and answers then differ from those of
    CPU in the second digit. What "auto" chooses must not change answers, so it asks for float32.
    """
    if settings.precision == "auto" and short_name(name) == "openvino":
        return replace(settings, precision="float32")
    return settings


def _automatic(settings: RuntimeSettings) -> Plan:
    names, skipped = [], []
    for name in FASTEST_FIRST:
        installed = name in built_in() or plugin_of(name) is not None
        if installed and _can(settings.precision, name):
            reason = why_not_offered(name)
            if reason:
                skipped.append(str(provider_error([name], name, reason)))
            else:
                names.append(name)
    if not names:
        check_precision(settings.precision, CPU)
    return Plan((*((name, {}) for name in names), (CPU, {})), auto=True, skipped=tuple(skipped))


def _can(precision: str, name: str) -> bool:
    try:
        check_precision(precision, name)
    except OptionError:
        return precision == "auto"
    return True
