"""The whole decoder of a native bundle, cut into geometry encoder, fusion and decoder.

The borders are where the graph's own inputs say: words and boxes are joined in one prompt, and the picture goes through
one value between the layers that fuse it with the prompt and those that find instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sam3_onnx.optimize.graphs import needed_for, reads_of, replace_nodes, set_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refusal", "cut_decoder"]

_BOXES = {"boxes": [4], "box_labels": []}
"""Inputs of (prompts, slots), and their further sizes."""
_TEXT = ("text_features", "text_mask")
_FEATURES, _MASK, _FUSED = "geometry_features", "geometry_mask", "fused_features"
_CONTRACT = "2"
"""Version of the native contract whose decoders are in parts."""


@dataclass(frozen=True)
class Refusal:
    """Why a decoder cannot be cut."""

    reason: str


@dataclass(frozen=True)
class _Borders:
    """Names of the values that go from one part to another."""

    features: str
    mask: str
    fused: str


def cut_decoder(model: onnx.ModelProto) -> Mapping[str, onnx.ModelProto] | Refusal:
    """Returns the parts of a decoder by their roles, each with its manifest.

    Args:
        model: Decoder of a native bundle of version 1, with or without its mask head, as `load_graph` reads it.

    Returns:
        "geometry_encoder", "fusion" and "decoder"; or why the borders between them are not where they should be.
    """
    borders = _borders(model)
    if isinstance(borders, Refusal):
        return borders
    types = _types(model)
    prompt = {borders.features: _FEATURES, borders.mask: _MASK}
    outputs = {output.name: output.name for output in model.graph.output}
    parts = {
        "geometry_encoder": _part(model, {}, prompt, types),
        "fusion": _part(model, prompt, {borders.fused: _FUSED}, types),
        "decoder": _part(model, prompt | {borders.fused: _FUSED}, outputs, types),
    }
    allowed = {
        "geometry_encoder": {"fpn_2", *_BOXES},
        "fusion": {"fpn_2", *_TEXT, _FEATURES, _MASK},
        "decoder": {"fpn_0", "fpn_1", *_TEXT, _FEATURES, _MASK, _FUSED},
    }
    for role, part in parts.items():
        strange = {each.name for each in part.graph.input} - allowed[role]
        if strange:
            return Refusal(f"its {role.replace('_', ' ')} would need {', '.join(sorted(strange))} as well")
        set_metadata(part, "sam3_onnx.contract", _CONTRACT)
        set_metadata(part, "sam3_onnx.role", role)
    return parts


def _borders(model: onnx.ModelProto) -> _Borders | Refusal:
    joined = [
        [node for node in model.graph.node if node.op_type == "Concat" and list(node.input[:1]) == [name]]
        for name in _TEXT
    ]
    if any(len(nodes) != 1 or len(nodes[0].input) != 2 for nodes in joined):  # noqa: PLR2004 - words and boxes
        return Refusal("words and boxes are not joined as one prompt")
    features, mask = (nodes[0].input[1] for nodes in joined)
    fused = _last_bottleneck(model, apart={features, mask})
    if not fused or not needed_for(model, {fused}) & {joined[0][0].output[0]}:
        return Refusal("no single value holds the picture between fusion and the search for instances")
    return _Borders(features, mask, fused)


def _last_bottleneck(model: onnx.ModelProto, *, apart: set[str]) -> str:
    """The last value that all paths from the picture's coarsest features to the outputs go through; "" for none.

    Nodes stand in an order in which each follows those that it reads, and all of them are needed: a value is such a
    bottleneck if nothing made before it from the picture is read behind it.

    Args:
        model: A decoder.
        apart: Values that do not count as made from the picture.
    """
    seen = {"fpn_2"}
    read_until: dict[str, int] = {}
    needed = needed_for(model, {output.name for output in model.graph.output})
    nodes = [node for node in model.graph.node if needed & set(node.output)]
    for index, node in enumerate(nodes):
        reads = reads_of(node) & seen
        read_until |= dict.fromkeys(reads, index)
        seen |= set(node.output) - apart if reads else set()
    read_until |= {output.name: len(nodes) for output in model.graph.output}
    found, open_until = "", read_until.get("fpn_2", 0)
    for index, node in enumerate(nodes):
        ends = [read_until.get(name, 0) for name in node.output if name in seen]
        if ends and len(node.output) == 1 and open_until <= index and ends[0] < len(nodes):
            found = node.output[0]
        open_until = max(open_until, *ends, 0)
    return found


def _types(model: onnx.ModelProto) -> dict[str, onnx.TypeProto]:
    """Types of the inputs and outputs of the parts."""
    known = {value.name: value.type for value in (*model.graph.input, *model.graph.output)}
    picture, text = ([each.dim_value for each in known[name].tensor_type.shape.dim] for name in ("fpn_2", _TEXT[0]))
    channels, cells = text[-1], picture[-1] * picture[-2]
    number = known[_TEXT[0]].tensor_type.elem_type
    made = {
        _FEATURES: (number, ["prompts", "geometry_tokens", channels]),
        _MASK: (TensorProto.BOOL, ["prompts", "geometry_tokens"]),
        _FUSED: (number, ["prompts", cells, channels]),
    }
    return known | {name: helper.make_tensor_type_proto(*each) for name, each in made.items()}


def _part(
    model: onnx.ModelProto, given: Mapping[str, str], wanted: Mapping[str, str], types: Mapping[str, onnx.TypeProto]
) -> onnx.ModelProto:
    """What computes some values of a graph from others.

    Args:
        model: The graph.
        given: Values that become inputs, with their new names.
        wanted: Values that become outputs, with their new names.
        types: Of inputs and outputs, by their new names.
    """
    needed = {name for name in wanted if name not in given}
    nodes: list[onnx.NodeProto] = []
    for node in reversed(model.graph.node):
        if needed & set(node.output) - set(given):
            made = _sizes_of(node) if given and _tells_sizes(node) else [node]
            nodes[:0] = made
            needed = needed.union(*map(reads_of, made))
    begins = [helper.make_node("Identity", [new], [old]) for old, new in given.items() if old in needed]
    ends = [helper.make_node("Identity", [old], [new]) for old, new in wanted.items() if old != new]
    inputs = [each.name for each in model.graph.input if each.name in needed]
    inputs += [new for old, new in given.items() if {old, new} & needed]
    part = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    part.metadata_props.extend(model.metadata_props)
    part.graph.name = model.graph.name
    for field, names in ((part.graph.input, inputs), (part.graph.output, wanted.values())):
        field.extend(onnx.ValueInfoProto(name=name, type=types[name]) for name in names)
    part.graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in needed)
    replace_nodes(part, [*begins, *nodes, *ends])
    return part


def _tells_sizes(node: onnx.NodeProto) -> bool:
    """Whether a node reads of the boxes how many there are, and nothing else."""
    return node.op_type == "Shape" and node.input[0] in _BOXES


def _sizes_of(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """The same sizes read from the geometry encoder's mask, (prompts, slots + 1), behind which there are no boxes."""
    name = node.output[0]
    further = _BOXES[node.input[0]]
    borders = {each.name: each.i for each in node.attribute}
    wanted = range(2 + len(further))[borders.get("start", 0) : borders.get("end")]
    constants = {"cls": [0, 1], "wanted": wanted, **({"further": further} if further else {})}
    joined = helper.make_node("Concat", [f"{name}.slots", f"{name}.further"], [f"{name}.boxes"], axis=0)
    return [
        *(
            helper.make_node(
                "Constant", [], [f"{name}.{each}"], value=numpy_helper.from_array(np.array(values, np.int64))
            )
            for each, values in constants.items()
        ),
        helper.make_node("Shape", [_MASK], [f"{name}.mask"]),
        helper.make_node("Sub", [f"{name}.mask", f"{name}.cls"], [f"{name}.slots"]),
        *([joined] if further else []),
        helper.make_node("Gather", [f"{name}.boxes" if further else f"{name}.slots", f"{name}.wanted"], [name]),
    ]
