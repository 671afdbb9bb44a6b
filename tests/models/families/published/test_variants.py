"""Do variants of family A answer as the graphs that they were made from?

Builds for WebGPU have int32 where others have int64, and the earliest exports took the picture's
size with one dimension. Such graphs are made here from the fixtures, by a node behind each input.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.peers

INT32, INT64 = 6, 7
MODEL_GRAPH, GRAPH_NODE, GRAPH_INPUT = 7, 1, 11
SIZE_INPUTS = ("original_height", "original_width")


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message of numbers and texts alone."""

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[at]
            value, at, shift = value | (byte & 0x7F) << shift, at + 1, shift + 7
            if byte < 0x80:
                return value, at

    place = 0
    while place < len(message):
        key, place = number(place)
        value, place = number(place)
        assert key & 7 in {0, 2}
        if key & 7:
            yield key >> 3, message[place : place + value]
            place += value
        else:
            yield key >> 3, value


def with_inputs(model: bytes, changed: Mapping[str, tuple[bytes, bytes]]) -> bytes:
    """A model in which some inputs are declared anew; a node turns each into what the graph reads.

    Args:
        model: The bytes of an ONNX file.
        changed: By name of an input, its new type and the fields of the node that name an operator.
    """
    names = {name: f"{name[:-1]}~" for name in changed}  # as long as before: no length within a node changes
    front = [
        field(GRAPH_NODE, field(1, name.encode()) + field(2, names[name].encode()) + operator)
        for name, (_, operator) in changed.items()
    ]

    def renamed(node: bytes) -> bytes:
        for name, inner in names.items():
            node = node.replace(field(1, name.encode()), field(1, inner.encode()))
        return node

    def declared(value: bytes) -> bytes:
        name = next(content for number, content in fields(value) if number == 1)
        assert isinstance(name, bytes)
        kind = changed.get(name.decode())
        return value if kind is None else field(1, name) + field(2, kind[0])

    def rebuilt(graph: bytes) -> bytes:
        parts = [*front]
        for number, content in fields(graph):
            if number == GRAPH_NODE and isinstance(content, bytes):
                parts.append(field(number, renamed(content)))
            elif number == GRAPH_INPUT and isinstance(content, bytes):
                parts.append(field(number, declared(content)))
            else:
                parts.append(field(number, content))
        return b"".join(parts)

    return b"".join(
        field(number, rebuilt(content) if number == MODEL_GRAPH and isinstance(content, bytes) else content)
        for number, content in fields(model)
    )


def tensor(element: int, *sizes: int) -> bytes:
    """A TypeProto."""
    shape = b"".join(field(1, field(1, size)) for size in sizes)
    return field(1, field(1, element) + field(2, shape))


CAST = field(4, b"Cast") + field(5, field(1, b"to") + field(3, INT64) + field(20, 2))
SQUEEZE = field(4, b"Squeeze")


def as_for_webgpu(path: Path) -> bytes:
    """Every int64 input as int32."""
    graph = read_graph(path)
    changed = {
        name: (tensor(INT32, *(size or 0 for size in info.shape)), CAST)
        for name, info in graph.inputs.items()
        if info.dtype == "int64"
    }
    return with_inputs(path.read_bytes(), changed)


def as_at_first(path: Path) -> bytes:
    """The size of the picture with one dimension."""
    there = [name for name in SIZE_INPUTS if name in read_graph(path).inputs]
    return with_inputs(path.read_bytes(), {name: (tensor(INT64, 1), SQUEEZE) for name in there})


def remade(source: Path, target: Path, change: Callable[[Path], bytes]) -> Path:
    for path in source.iterdir():
        if path.suffix == ".onnx":
            (target / path.name).write_bytes(change(path))
        elif path.suffix == ".data":
            shutil.copy(path, target)
    return target


@pytest.mark.parametrize("folder", ["A_six_file", "A2_six_file_v02"])
@pytest.mark.parametrize(
    ("change", "declared"),
    [
        (as_for_webgpu, {"tokens": "int32[1, 32]", "box_labels": "int32[1, 1]", "original_width": "int32[]"}),
        (as_at_first, {"tokens": "int64[1, 32]", "box_labels": "int64[1, 1]", "original_width": "int64[1]"}),
    ],
)
def test_a_variant_of_family_a_answers_as_the_usual_graphs(
    peer_fixtures: Path, tmp_path: Path, folder: str, change: Callable[[Path], bytes], declared: dict[str, str]
) -> None:
    changed = remade(peer_fixtures / folder, tmp_path, change)
    inputs = {name: str(info) for path in changed.glob("*.onnx") for name, info in read_graph(path).inputs.items()}
    assert {name: inputs[name] for name in declared} == declared
    assert inputs["original_height"] == declared["original_width"]
    with np.load(peer_fixtures / "A_six_file" / "ref.npz") as data:
        image = data["astronaut/image_rgb"]
    height, width = image.shape[:2]
    box = (width * 0.2, height * 0.1, width * 0.7, height * 0.9)
    questions = ((None, True), ("person", True), ("person", False), ("person, coin", None))
    found = 0
    with Sam3Session.from_folder(peer_fixtures / folder) as usual, Sam3Session.from_folder(changed) as other:
        assert other.capabilities == usual.capabilities
        assert other.capabilities.family == "six-file"
        for words, sign in questions:
            boxes = [] if sign is None else [Box(*box, positive=sign)]
            expected = usual.predict(image, words, boxes=boxes)
            assert other.predict(image, words, boxes=boxes) == expected
            found += len(expected)
    assert found > 0
