"""A writer of the few protobuf messages that the tests need; field numbers are those of onnx/onnx.proto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.graphs.reading import GraphInfo, read_graph

if TYPE_CHECKING:
    from pathlib import Path


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            written += varint(number << 3 | 2) + varint(len(data)) + data
    return written


def value(name: str, sizes: tuple[int | str, ...] = (1,), element: int = 1) -> bytes:
    dimensions = [(1, message((1 if isinstance(size, int) else 2, size))) for size in sizes]
    return message((1, name), (2, message((1, message((1, element), (2, message(*dimensions)))))))


def node(kind: str, reads: list[str], writes: list[str], *attributes: bytes) -> bytes:
    inputs: list[tuple[int, int | str | bytes]] = [(1, name) for name in reads]
    outputs: list[tuple[int, int | str | bytes]] = [(2, name) for name in writes]
    return message(*inputs, *outputs, (4, kind), *((5, attribute) for attribute in attributes))


def graph(*fields: tuple[int, int | str | bytes]) -> bytes:
    return message(*fields, (2, "main"))


def model(content: bytes) -> bytes:
    return message((1, 8), (8, message((1, ""), (2, 17))), (7, content))


def weights(name: str, **places: str | int) -> bytes:
    entries = [(13, message((1, key), (2, str(text)))) for key, text in places.items()]
    return message((1, 2), (2, 1), (8, name), *entries, (14, 1))


def adding(*tensors: bytes) -> bytes:
    """A model: y = x + w, with w as given."""
    nodes = (1, node("Add", ["x", "w"], ["y"]))
    return model(graph(nodes, *((5, tensor) for tensor in tensors), (11, value("x", (2,))), (12, value("y", (2,)))))


def read(folder: Path, content: bytes) -> GraphInfo:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return read_graph(path)
