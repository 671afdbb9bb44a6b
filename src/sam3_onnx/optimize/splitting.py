"""A native bundle whose decoder is whole, with the same decoder in parts."""

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
    """An export, its decoder in parts where that could be done."""

    model: ExaminedModel
    parts: frozenset[str] = frozenset()
    """Roles of the graphs that were cut out of the decoder."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What there is to say of graphs, by role."""


def split_bundle(
    exports: Exports, *, source: Path, room: Path, picture: NDArray[np.uint8], words: Sequence[str]
) -> Split:
    """Cuts the decoder of a native bundle into its parts, and holds their answers against those of the whole.

    Args:
        exports: What is in a folder, of any family.
        source: That folder.
        room: A folder for the parts; below it they lie as they will beside the bundle's other graphs.
        picture: (H, W, 3) uint8 RGB, to ask about.
        words: What to look for in it.

    Returns:
        The export in parts; as it is if it is no native bundle, or in parts already, or if it cannot be cut, with a
        remark that says why.
    """
    whole = ExaminedModel(exports)
    native = next((each for each in exports.heads.values() if _is_whole(each)), None)
    if native is None:
        return Split(whole)
    decoder = native.graphs[_DECODER]
    parts = _written_parts(decoder, room / decoder.path.parent.relative_to(source))
    if isinstance(parts, Refusal):
        return Split(whole, remarks={_DECODER: f"not cut into parts: {parts.reason}"})
    cut = replace(native, graphs={**native.graphs, **parts})
    model = ExaminedModel(Exports({head: cut if each is native else each for head, each in exports.heads.items()}))
    difference = same_answers(whole, model, picture, words)
    if difference:
        return Split(whole, remarks={_DECODER: f"not cut into parts: {difference}"})
    whole.models[_DECODER].close()
    return Split(model, frozenset(parts), dict.fromkeys(parts, "cut out of the decoder"))


def _is_whole(export: Export) -> bool:
    return export.name == "native" and _DECODER in export.graphs and "fusion" not in export.graphs


def _written_parts(decoder: GraphInfo, folder: Path) -> dict[str, GraphInfo] | Refusal:
    """Writes the parts of a decoder, named after it."""
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
