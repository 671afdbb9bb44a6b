"""A run of a graph whose inputs and outputs lie where they are, in a device's memory or in the host's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.models.runtime.devices.arrays import DeviceArray, on_host

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sam3_onnx.models.runtime.devices.arrays import AnyArray
    from sam3_onnx.models.runtime.devices.operators import Device
    from sam3_onnx.models.runtime.library import ort

__all__ = ["run_bound"]


def run_bound(
    session: ort.InferenceSession,
    outputs: Sequence[str],
    feeds: Mapping[str, AnyArray],
    options: ort.RunOptions | None = None,
    *,
    device: Device,
    stay: bool,
) -> list[AnyArray]:
    """Runs a graph with ONNX Runtime's input and output binding.

    Args:
        session: Runs on the device.
        outputs: Names of the outputs to compute, in the order wanted.
        feeds: Inputs by name. What lies on the device is used there, all else is copied to it.
        options: What can stop the run.
        device: Where the session runs.
        stay: Whether the outputs stay on the device.

    Returns:
        One array per name in `outputs`.

    Raises:
        ValueError: An output that is to stay is of a type that NumPy does not have.
        Exception: Whatever ONNX Runtime raises, of classes of its own.
    """
    binding = session.io_binding()
    for name, array in feeds.items():
        if isinstance(array, DeviceArray) and array.device == device:
            binding.bind_ortvalue_input(name, array.value)
        else:
            binding.bind_cpu_input(name, np.asarray(on_host(array), order="C"))
    for name in outputs:
        binding.bind_output(name, *((device.memory, device.index) if stay else ("cpu", 0)))
    # ONNX Runtime's own helpers wait at both ends: copies may go on in another stream than the run
    binding.synchronize_inputs()
    session.run_with_iobinding(binding, options)
    binding.synchronize_outputs()
    answers = binding.get_outputs()
    return [DeviceArray(value, device) if stay else value.numpy() for value in answers]
