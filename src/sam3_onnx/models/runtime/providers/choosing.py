"""The providers that are tried for a part of a model, in their order."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.processor import has_matrix_units
from sam3_onnx.errors import OptionError, ProviderError
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, SHORT_NAMES, spelt_out
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of
from sam3_onnx.models.runtime.providers.ways import PLAIN, Way, way_of
from sam3_onnx.models.runtime.providers.wheels import QUICKER_WITH_OPENVINO, conflicting, installed_wheels, mend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = [
    "FASTEST_FIRST",
    "Plan",
    "offered",
    "plan_of",
    "provider_error",
    "say_what_is_quicker",
    "why_not_offered",
]

FASTEST_FIRST = tuple(
    SHORT_NAMES[name] for name in ("tensorrt", "cuda", "migraphx", "rocm", "directml", "coreml", "openvino")
)
"""What "auto" tries before CPU: graphics cards, one maker's neural engines, then other ways to use the CPU."""


_LOG = logging.getLogger("sam3_onnx.providers")


@dataclass(frozen=True)
class Plan:
    """What to try for one part of a model."""

    ways: tuple[Way, ...]
    """Best first; the last is the plain one where they are alternatives."""
    auto: bool
    """Whether they are alternatives of which the first that works is taken, or all have to become active together."""
    skipped: tuple[str, ...] = ()
    """Why providers whose wheels are installed cannot be tried."""


def plan_of(settings: RuntimeSettings, role: str, graph: GraphInfo | None = None) -> Plan:
    """Works out what to try for a part of a model.

    Args:
        settings: Providers and precision.
        role: The part's name, such as "image_encoder".
        graph: The part; None for one of which nothing is known.

    Raises:
        OptionError: A name that stands for no provider, or a precision that a provider does not offer for this part.
        ProviderError: A provider asked for by name is not offered here.
    """
    if isinstance(settings.provider, str) and settings.provider == "auto":
        return _automatic(settings, role, graph)
    wanted = spelt_out(settings.provider)
    names = [name for name, _ in wanted]
    ways = []
    for each in [each for each in wanted if each[0] != CPU] or [(CPU, {})]:
        ways.append(way_of(each, settings.precision, role=role, graph=graph))
        reason = why_not_offered(each[0])
        if reason:
            raise provider_error(names, each[0], reason)
    return Plan(tuple(way for way in ways if way != PLAIN) or (PLAIN,), auto=False)


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


def provider_error(
    wanted: Sequence[str],
    name: str,
    reason: str,
    active: Sequence[str] = (),
    *,
    fault: str = "did not become active",
) -> ProviderError:
    """Returns the error that names a provider, why it is not active or what else is its fault, and what to do."""
    tried = name not in built_in() and plugin_of(name) is not None
    advice = mend(name, installed_wheels(), plugin_tried=tried)
    return ProviderError(wanted=wanted, active=active, available=offered(), reason=reason, mend=advice, fault=fault)


def _automatic(settings: RuntimeSettings, role: str, graph: GraphInfo | None) -> Plan:
    ways, skipped = [], []
    for name in FASTEST_FIRST:
        if name not in built_in() and plugin_of(name) is None:
            continue
        try:
            way = way_of((name, {}), settings.precision, role=role, graph=graph)
        except OptionError:  # it cannot do what is asked for, and another one may
            continue
        reason = "" if way == PLAIN else why_not_offered(name)
        if reason:
            skipped.append(str(provider_error([name], name, reason)))
        elif way != PLAIN:
            ways.append(way)
    if not ways:
        way_of((CPU, {}), settings.precision, role=role, graph=graph)
        if OPENVINO not in built_in() and plugin_of(OPENVINO) is None:
            _consider_openvino(settings, role, graph)
    return Plan((*ways, PLAIN), auto=True, skipped=tuple(skipped))


def _consider_openvino(settings: RuntimeSettings, role: str, graph: GraphInfo | None) -> None:
    """Says what to install where OpenVINO would run a part in bfloat16 on matrix units."""
    if way_of((OPENVINO, {}), settings.precision, role=role, graph=graph).is_coarse and has_matrix_units():
        say_what_is_quicker()


@functools.cache
def say_what_is_quicker() -> None:
    """Says it once in a process."""
    _LOG.warning("%s", QUICKER_WITH_OPENVINO)
