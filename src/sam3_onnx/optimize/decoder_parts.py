"""Splitting of the single-graph decoder of a native bundle into geometry encoder, fusion and decoder.

The borders follow from the graph: words and boxes are joined to one prompt, and all features of the picture go through
one value between the layers that fuse it with the prompt and the layers that find instances.
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
"""Inputs of shape (prompts, slots, ...), with their further sizes."""
_TEXT = ("text_features", "text_mask")
_FEATURES, _MASK, _FUSED = "geometry_features", "geometry_mask", "fused_features"
_CONTRACT = "2"
"""Version of the native contract in which the decoder consists of parts."""


@dataclass(frozen=True)
class Refusal:
    """The reason why a decoder cannot be split."""

    reason: str


@dataclass(frozen=True)
class _Borders:
    """Names of the values that are passed between parts."""

    features: str
    mask: str
    fused: str


def cut_decoder(model: onnx.ModelProto) -> Mapping[str, onnx.ModelProto] | Refusal:
    """Splits a decoder, and returns its parts by role, each with its manifest.

    Args:
        model: Decoder of a native bundle of version 1, with or without its mask head, from `load_graph`.

    Returns:
        "geometry_encoder", "fusion" and "decoder"; or the reason why the borders between them were not found.
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
        return Refusal("words and boxes are not joined to one prompt")
    features, mask = (nodes[0].input[1] for nodes in joined)
    fused = _last_bottleneck(model, apart={features, mask})
    if not fused or not needed_for(model, {fused}) & {joined[0][0].output[0]}:
        return Refusal("no single value contains the features of the picture between fusion and decoder")
    return _Borders(features, mask, fused)


def _last_bottleneck(model: onnx.ModelProto, *, apart: set[str]) -> str:
    """Returns the last value on all paths from the coarsest features of the picture to the outputs, or "".

    Nodes are in topological order, and all of them are needed: a value is such a bottleneck if no value that was
    computed from the picture before it is read after it.

    Args:
        model: A decoder.
        apart: Values that do not count as computed from the picture.
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
    """Returns the types of the inputs and outputs of the parts."""
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
    """Returns the part of a graph that computes some values from others.

    Args:
        model: The graph.
        given: Values that become inputs, with their new names.
        wanted: Values that become outputs, with their new names.
        types: Types of inputs and outputs, by their new names.
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
    """Returns whether a node reads only the number of boxes."""
    return node.op_type == "Shape" and node.input[0] in _BOXES


def _sizes_of(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Returns nodes that read the same sizes from the mask of the geometry encoder, (prompts, slots + 1)."""
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
