"""Ranges of the intermediate values of a graph, measured without storing the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, helper

from sam3_onnx.models.runtime.library import ort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["extremes"]

_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


def extremes(
    model: onnx.ModelProto, folder: Path, names: Sequence[str], feeds: Iterable[Mapping[str, NDArray[np.generic]]]
) -> dict[str, tuple[float, float]]:
    """Returns the smallest and the largest number of each of some float32 values, over several runs of a graph.

    Args:
        model: Model from `load_graph`; it is not changed.
        folder: Folder of its external data.
        names: Names of the values.
        feeds: Inputs of the graph for each run, at least one.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    told = [(f"{name}.{operator}", operator, name) for name in names for operator in ("ReduceMin", "ReduceMax")]
    for output, operator, name in told:
        probe.graph.node.append(helper.make_node(operator, [name], [output], keepdims=0))
        probe.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, []))
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(_WEIGHTS_FOLDER, str(folder))
    session = ort.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [output for output, _, _ in told]
    runs = [[float(value) for value in session.run(outputs, dict(each))] for each in feeds]
    return {
        name: (min(run[2 * place] for run in runs), max(run[2 * place + 1] for run in runs))
        for place, name in enumerate(names)
    }
