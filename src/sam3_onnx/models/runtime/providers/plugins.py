"""Providers that come from wheels of their own, and the devices that they have on this machine.

A plug-in is a shared library that ONNX Runtime loads beside its own providers. It is registered
once in a process, when a provider of it is first considered.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx.models.runtime.library import ort

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Plugin", "built_in", "plugin_of"]

_LIBRARIES = {"OpenVINOExecutionProvider": ("onnxruntime_ep_openvino", "onnxruntime-ep-openvino")}
"""Module and distribution of the plug-in that offers a provider."""
_registered: dict[str, Plugin] = {}
_lock = ForkSafeLock()


@dataclass(frozen=True)
class Plugin:
    """A provider's plug-in as this process has it."""

    provider: str
    version: str
    """Of the wheel."""
    devices: Sequence[ort.OrtEpDevice]
    """What it can run on here; empty if it cannot run."""
    failure: str = ""
    """Why there is no device."""

    def device(self, kind: str) -> ort.OrtEpDevice | None:
        """The device of a kind ("CPU", "GPU", "NPU"), or None."""
        return next((device for device in self.devices if device.device.type.name == kind), None)


def built_in() -> tuple[str, ...]:
    """Providers of the installed build of ONNX Runtime itself, in its order."""
    foreign = {provider for provider, plugin in _registered.items() if plugin.devices}
    # a plug-in also adds names of its own devices, such as "OpenVINOExecutionProvider.AUTO"
    return tuple(name for name in ort.get_available_providers() if name not in foreign and "." not in name)


def plugin_of(provider: str) -> Plugin | None:
    """The plug-in that offers a provider, registered if need be; None where its wheel is not installed."""
    module, distribution = _LIBRARIES.get(provider, ("", ""))
    if not module or importlib.util.find_spec(module) is None:
        return None
    from importlib.metadata import version  # noqa: PLC0415 - 20 ms, for plug-ins only

    with _lock:
        if provider not in _registered:
            _registered[provider] = _register(provider, module, version(distribution))
        return _registered[provider]


def _register(provider: str, module: str, version: str) -> Plugin:
    if not hasattr(ort, "register_execution_provider_library"):
        failure = f"onnxruntime {ort.__version__} cannot load plug-ins; 1.23 and newer can"
        return Plugin(provider, version, (), failure)
    try:
        ort.register_execution_provider_library(provider, importlib.import_module(module).get_library_path())
    except Exception as error:  # noqa: BLE001 - whatever keeps the library from loading is the reason that is told
        return Plugin(provider, version, (), f"its library cannot be loaded: {error}")
    devices = [device for device in ort.get_ep_devices() if device.ep_name == provider]
    if not devices:
        hardware = sorted({f"{d.device.type.name} by {d.device.vendor}" for d in ort.get_ep_devices()})
        return Plugin(
            provider, version, (), f"its library takes none of this machine's devices ({', '.join(hardware)})"
        )
    return Plugin(provider, version, devices)
