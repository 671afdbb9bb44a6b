"""Graphs that are known but cannot be run, and what can be used instead.

Each is recognised by inputs or outputs that nobody else has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["reason_against"]

_CARD_ONLY = "nothing but its model card tells how its graphs are fed and read"
_KNOWN = (
    (
        "nusu-github/sam3-export (RamRom/sam3-onnx)",
        (
            {"point_valid", "point_coords"},
            {"image_feature_0", "image_pos_2"},
            {"image_embedding", "high_res_0", "high_res_1"},
            {"text_memory", "text_padding_mask"},
        ),
        "its graphs are made for CUDA in half precision",
    ),
    (
        "dataplayer12/SAM3-TensorRT",
        ({"pixel_values", "instance_masks"},),
        "its one prompt is a constant of the graph, and its masks come without scores",
    ),
    (
        "Zhangx221/sam3-onnxruntime",
        ({"pixel_values", "pred_masks"},),
        "its single graph would encode the picture anew for every prompt, and it has no presence score",
    ),
    ("wW-Ww/sam3-ONNX", ({"features_288"},), _CARD_ONLY),
    ("xuckless/pixl-sam3-onnx", ({"language_padding"},), _CARD_ONLY),
    ("greenjava/sam3-onnx", ({"text_ids"},), _CARD_ONLY),
    ("sanskar003/SAM3-Split", ({"/Add_179_output_0"},), _CARD_ONLY),
)
_INSTEAD = "Use an export of a family that the page on models lists, or make a native bundle with `sam3_onnx.export`."
_SAM2_STRIDE = 4
"""Pixels per cell of SAM 2.1's finest features; SAM 3 has 3.5."""


def reason_against(graphs: Iterable[GraphInfo]) -> str:
    """One sentence about the first graph of an export that is known and not supported; "" if there is none."""
    graphs = list(graphs)
    for graph in graphs:
        names = {*graph.inputs, *graph.outputs}
        for who, signs, why in _KNOWN:
            if any(names >= sign for sign in signs):
                return f"{graph.path.name} is of {who}, which is not supported: {why}. {_INSTEAD}"
    return _sam2_reason(graphs)


def _sam2_reason(graphs: list[GraphInfo]) -> str:
    """SAM 2.1 exports have the very names of the SAM 3 tracker; the size of their features gives them away."""
    sides = [graph.inputs["pixel_values"].shape[-1] for graph in graphs if "pixel_values" in graph.inputs]
    cells = [graph.inputs["image_embeddings.0"].shape[-1] for graph in graphs if "image_embeddings.0" in graph.inputs]
    if any(cell and side == _SAM2_STRIDE * cell for side in sides for cell in cells):
        return (
            f"The files are a SAM 2.1 export: its features have {_SAM2_STRIDE} pixels a cell, SAM 3's 3.5. {_INSTEAD}"
        )
    return ""
