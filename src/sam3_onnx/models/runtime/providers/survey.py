"""What can run graphs on this machine, and how well? Data for a report; nothing is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import onnxruntime as ort

from sam3_onnx.models.runtime.providers.choosing import FASTEST_FIRST, for_auto, offered, why_not_offered
from sam3_onnx.models.runtime.providers.names import CPU
from sam3_onnx.models.runtime.providers.plugins import built_in, plugin_of
from sam3_onnx.models.runtime.providers.proof import Proof, prove
from sam3_onnx.models.runtime.providers.wheels import conflicting, installed_wheels
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.providers.wheels import Wheel

__all__ = ["OfferedProvider", "Survey", "prove_all", "survey"]


@dataclass(frozen=True)
class OfferedProvider:
    """A provider whose wheel is installed."""

    name: str
    kind: Literal["built-in", "plug-in"]
    version: str
    """Of the wheel that it comes from."""
    failure: str
    """Why it has nothing to run on here; "" if it has."""


@dataclass(frozen=True)
class Survey:
    """What is installed."""

    wheels: tuple[Wheel, ...]
    """Builds of ONNX Runtime and plug-ins."""
    conflicts: tuple[Wheel, ...]
    """Builds that overwrite each other; empty if all is well."""
    providers: tuple[OfferedProvider, ...]


def survey() -> Survey:
    """Looks at what is installed; runs no graph."""
    wheels = installed_wheels()
    names = built_in()
    providers = [OfferedProvider(name, "built-in", ort.__version__, "") for name in names]
    for name in FASTEST_FIRST:
        plugin = None if name in names else plugin_of(name)
        if plugin is not None:
            providers.append(OfferedProvider(name, "plug-in", plugin.version, why_not_offered(name)))
    return Survey(wheels, conflicting(wheels), tuple(providers))


def prove_all(settings: RuntimeSettings | None = None) -> tuple[Proof, ...]:
    """Runs the miniature on every provider that "auto" would consider, and on CPU; a few seconds for each.

    Args:
        settings: Threads and precision; None for the defaults.
    """
    given = settings or RuntimeSettings()
    names = [name for name in (*FASTEST_FIRST, CPU) if name in offered()]
    return tuple(prove((name, {}), for_auto(given, name)) for name in names)
