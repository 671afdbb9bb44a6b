"""Splitting of the single-graph decoder of a native bundle into parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sam3_onnx.models.families.recognition import Exports
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.optimize.decoder_parts import Refusal, cut_decoder
from sam3_onnx.optimize.examined_model import ExaminedModel
from sam3_onnx.optimize.fidelity import same_answers
from sam3_onnx.optimize.graphs import load_graph, write_graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.models.families.recognition import Export
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["Split", "split_bundle"]

_DECODER = "decoder"


@dataclass(frozen=True)
class Split:
    """An export with its decoder in parts, if it could be split."""

    model: ExaminedModel
    parts: frozenset[str] = frozenset()
    """Roles of the graphs that were created from the decoder."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Remarks about graphs, by role."""


def split_bundle(
    exports: Exports, *, source: Path, room: Path, picture: NDArray[np.uint8], words: Sequence[str]
) -> Split:
    """Splits the decoder of a native bundle into parts, and compares their results with those of the single graph.

    Args:
        exports: Exports in a folder, of any family.
        source: The folder.
        room: Folder for the parts, with the same relative paths as in the bundle.
        picture: Picture (H, W, 3) uint8 RGB for the comparison.
        words: Words to look for.

    Returns:
        The export in parts; unchanged if it is not a native bundle or already in parts; unchanged with a remark if it
        cannot be split.
    """
    whole = ExaminedModel(exports)
    native = next((each for each in exports.heads.values() if _is_whole(each)), None)
    if native is None:
        return Split(whole)
    decoder = native.graphs[_DECODER]
    parts = _written_parts(decoder, room / decoder.path.parent.relative_to(source))
    if isinstance(parts, Refusal):
        return Split(whole, remarks={_DECODER: f"not split into parts: {parts.reason}"})
    cut = replace(native, graphs={**native.graphs, **parts})
    model = ExaminedModel(Exports({head: cut if each is native else each for head, each in exports.heads.items()}))
    difference = same_answers(whole, model, picture, words)
    if difference:
        return Split(whole, remarks={_DECODER: f"not split into parts: {difference}"})
    whole.models[_DECODER].close()
    return Split(model, frozenset(parts), dict.fromkeys(parts, "part of the split decoder"))


def _is_whole(export: Export) -> bool:
    return export.name == "native" and _DECODER in export.graphs and "fusion" not in export.graphs


def _written_parts(decoder: GraphInfo, folder: Path) -> dict[str, GraphInfo] | Refusal:
    """Writes the parts of a decoder, with names based on its name."""
    parts = cut_decoder(load_graph(decoder.path))
    if isinstance(parts, Refusal):
        return parts
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for role, model in parts.items():
        name = decoder.path.name
        place = folder / (name.replace(_DECODER, role) if _DECODER in name else f"{role}_{name}")
        write_graph(model, place, weights_from=decoder.path.parent)
        written[role] = read_graph(place)
    return written
