"""Weights that stay in their file, mapped into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.library import ort

__all__ = ["keep_mapped", "shrink_after", "stays_mapped"]

_PREPARED = frozenset(
    {"MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "DequantizeLinear", "MatMulNBits"}
)
"""Operators whose weights have to be packed once: an int8 image encoder took 1.4 times as long without."""
_ONCE_PER_PICTURE = frozenset({"image_encoder"})


def stays_mapped(graph: GraphInfo) -> bool:
    """Returns whether plain ONNX Runtime can multiply with a graph's weights as they lie in their file.

    Packed copies would take as much memory again as the file, which no other process shares and which the system cannot
    take back. In float32 they gain nothing where matrices have as many rows as a picture has patches: 32 s of an
    image encoder of full size, both processors together, with and without. A text encoder takes 0.15 s in place of
    0.12 s for a word, and is opened in 0.07 s in place of 1.9 s.
    """
    return bool(graph.external_files) and not graph.operators & _PREPARED


def keep_mapped(options: ort.SessionOptions) -> None:
    """Makes a session multiply with weights as they lie in their file."""
    options.add_session_config_entry("session.disable_prepacking", "1")


def shrink_after(role: str, options: ort.RunOptions) -> None:
    """Makes a run of an image encoder give back what it worked in, which nothing else in the session can use.

    It is 0.4 GB at full size. Decoders keep it for the next word: a mask head would take 1.1 times as long, and pieces
    as small as theirs leave holes in the heap, which grew for a dozen runs.
    """
    if role in _ONCE_PER_PICTURE:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
