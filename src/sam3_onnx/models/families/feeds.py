"""Inputs of a published graph: pixels, sizes and element types as its file declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import UnknownFamilyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["EMPTY_SLOT", "fitted", "input_size", "normalised"]

EMPTY_SLOT = -10
"""Label of a box slot that holds no box: the padding value of transformers' `Sam3Processor`."""

_KINDS = {  # numpy's kinds of arrays, and the element types that they may become
    "f": frozenset(("float16", "float32", "float64")),
    "biu": frozenset(("bool", "uint8", "int8", "int16", "int32", "int64")),
}
_FINEST_STRIDE = 3.5
"""Pixels of the input per cell of the finest features: patches of 14 pixels, upsampled four times."""


def fitted(graph: GraphInfo, feeds: Arrays) -> dict[str, NDArray[np.generic]]:
    """Keeps the feeds that a graph takes, each in the element type that the graph declares.

    float32 becomes float16 where an export has half-precision borders, int64 becomes int32 where one was
    made for WebGPU; numbers with a fraction never become integers.
    """
    ready = {}
    for name, array in feeds.items():
        if name not in graph.inputs:
            continue
        declared = graph.inputs[name].dtype
        convertible = any(array.dtype.kind in kinds and declared in names for kinds, names in _KINDS.items())
        ready[name] = array.astype(declared, copy=False) if convertible else array
    return ready


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(3, H, W) uint8 to (1, 3, H, W) float32 in -1..1: x / 127.5 - 1, mean and deviation 0.5 of the reference."""
    scaled: NDArray[np.float32] = pixels[None].astype(np.float32)
    scaled /= np.float32(127.5)
    scaled -= np.float32(1)
    return scaled


def input_size(encoder: GraphInfo, consumer: GraphInfo) -> tuple[int, int]:
    """(height, width) that an image encoder takes.

    Args:
        encoder: Has one input, whose last two sizes are meant.
        consumer: The graph that takes the encoder's features; tells the size where the encoder leaves it open.

    Raises:
        UnknownFamilyError: Neither tells the size, or the two contradict each other.
    """
    (picture,) = encoder.inputs.values()
    rows, columns = picture.shape[-2:]
    finest = _finest(encoder, consumer)
    listing = {graph.path.name: graph.signature() for graph in (encoder, consumer)}
    if finest is not None:
        told = (int(finest[0] * _FINEST_STRIDE), int(finest[1] * _FINEST_STRIDE))
        rows, columns = rows or told[0], columns or told[1]
        if (rows, columns) != told:
            missing = (
                f"{encoder.path.name} takes pictures of {columns} x {rows} pixels (width x height), the features that "
                f"{consumer.path.name} takes belong to {told[1]} x {told[0]}: the files are of two exports."
            )
            raise UnknownFamilyError("The graphs do not fit together", graphs=listing, missing=missing)
    if not rows or not columns:
        missing = "None of them fixes the size of the picture, so that it cannot be known what to feed."
        raise UnknownFamilyError("The size of the input is open", graphs=listing, missing=missing)
    return rows, columns


def _finest(encoder: GraphInfo, consumer: GraphInfo) -> tuple[int, int] | None:
    """(height, width) in cells of the finest features that go from one graph to the other, if the file fixes it."""
    shapes = [info.shape for name, info in consumer.inputs.items() if name in encoder.outputs]
    sizes = [(shape[-2], shape[-1]) for shape in shapes if len(shape) == 4 and shape[-2] and shape[-1]]  # noqa: PLR2004 - (B, C, h, w)
    return max(((rows or 0, columns or 0) for rows, columns in sizes), default=None)
