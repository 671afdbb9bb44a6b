"""Inputs of a published graph: pixels, sizes and element types as its file declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import UnknownFamilyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.devices.arrays import AnyArray
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

    _Array = TypeVar("_Array", NDArray[Any], AnyArray)

__all__ = ["EMPTY_SLOT", "LONGEST_SIDE", "declared_size", "finest_cells", "fitted", "input_size", "normalised"]

EMPTY_SLOT = -10
"""Label of a box slot that holds no box: the padding value of transformers' `Sam3Processor`."""

_KINDS = {  # numpy's kinds of arrays, and the element types that they may become
    "f": frozenset(("float16", "float32", "float64")),
    "biu": frozenset(("bool", "uint8", "int8", "int16", "int32", "int64")),
}
_PATCH, _UPSAMPLED = 14, 4
"""Pixels of the input per patch, and cells of the finest features per patch, along a side."""
LONGEST_SIDE = 16384
"""The longest side of a model's input in pixels; SAM 3 has 1008."""
_FINEST_STRIDE = _PATCH / _UPSAMPLED
"""Pixels of the input per cell of the finest features."""


def fitted(graph: GraphInfo, feeds: Mapping[str, _Array]) -> dict[str, _Array]:
    """Keeps the feeds that a graph takes, each in the element type that the graph declares.

    float32 becomes float16 where an export has half-precision borders, int64 becomes int32 where one was
    made for WebGPU; numbers with a fraction never become integers. What lies on a device is converted there.
    """
    ready: dict[str, _Array] = {}
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
    (picture,) = encoder.inputs
    rows, columns = (declared_size(encoder, picture, axis, ranks=(3, 4)) for axis in (-2, -1))
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
    if max(rows, columns) > LONGEST_SIDE:
        missing = f"No picture can be fed to it: expected at most {LONGEST_SIDE} pixels a side, got {columns} x {rows}."
        raise UnknownFamilyError("The input is too large", graphs=listing, missing=missing)
    return rows, columns


def declared_size(graph: GraphInfo, name: str, axis: int, *, ranks: tuple[int, ...]) -> int | None:
    """Size of an input along an axis, None where the graph leaves it open.

    Args:
        graph: Has the input.
        name: Of the input.
        axis: Which of its sizes.
        ranks: Numbers of axes that the input may have.

    Raises:
        UnknownFamilyError: It has another number of axes.
    """
    shape = graph.inputs[name].shape
    if len(shape) not in ranks:
        missing = f"Its input {name} has {len(shape)} axes, expected {' or '.join(map(str, ranks))}."
        listing = {graph.path.name: graph.signature()}
        raise UnknownFamilyError("A graph is none of its family", graphs=listing, missing=missing)
    return shape[axis]


def finest_cells(size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of the finest features of a picture; each coarser level has half of both.

    Args:
        size: (height, width) that an image encoder takes.
    """
    return size[0] // _PATCH * _UPSAMPLED, size[1] // _PATCH * _UPSAMPLED


def _finest(encoder: GraphInfo, consumer: GraphInfo) -> tuple[int, int] | None:
    """(height, width) in cells of the finest features that go from one graph to the other, if the file fixes it."""
    shapes = [info.shape for name, info in consumer.inputs.items() if name in encoder.outputs]
    sizes = [(shape[-2], shape[-1]) for shape in shapes if len(shape) == 4 and shape[-2] and shape[-1]]  # noqa: PLR2004 - (B, C, h, w)
    return max(((rows or 0, columns or 0) for rows, columns in sizes), default=None)
