"""Is a graph that lost its empty operands the same graph to everybody else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.models.runtime.graphs.edits import without_empty_operands
from sam3_onnx.models.runtime.graphs.protobuf import written
from sam3_onnx.models.runtime.providers.names import CPU

if TYPE_CHECKING:
    from pathlib import Path

FLOAT, INT = 1, 2  # TensorProto.FLOAT, AttributeProto.INT


def number(field: int, value: int) -> bytes:
    """An integer field; negative ones as protobuf has them, in ten bytes."""
    encoded = bytearray()
    for part in (field << 3, value % (1 << 64)):
        rest = part
        while rest > 127:
            encoded.append(rest & 127 | 128)
            rest >>= 7
        encoded.append(rest)
    return bytes(encoded)


def value(name: str, shape: list[int] | None) -> bytes:
    sizes = b"" if shape is None else written(2, b"".join(written(1, number(1, size)) for size in shape))
    return written(1, name.encode()) + written(2, written(1, number(1, FLOAT) + sizes))


def tensor(name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    sizes = b"".join(number(1, size) for size in array.shape)
    return sizes + number(2, FLOAT) + written(8, name.encode()) + written(9, array.tobytes())


def node(operator: str, inputs: list[str], output: str, attribute: bytes) -> bytes:
    names = b"".join(written(1, name.encode()) for name in inputs)
    return names + written(2, output.encode()) + written(4, operator.encode()) + written(5, attribute)


def concatenation(operands: list[str], axis: int, *, constants: bool) -> bytes:
    """Model: input "x" [2, 2], the empty "e" [2, 0] and "f" [0, 2], concatenated along an axis."""
    empty = {"e": np.zeros((2, 0), np.float32), "f": np.zeros((0, 2), np.float32)}
    graph = written(2, b"g")
    for name, array in empty.items():
        held = tensor(name, array)
        made = node("Constant", [], name, written(1, b"value") + written(5, held) + number(20, 4))
        graph += written(1, made) if constants else written(5, held)
    attribute = written(1, b"axis") + number(3, axis) + number(20, INT)
    graph += written(1, node("Concat", operands, "y", attribute))
    graph += written(11, value("x", [2, 2])) + written(12, value("y", None))
    return number(1, 9) + written(7, graph) + written(8, written(1, b"") + number(2, 18))


def answer(model: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    (found,) = ort.InferenceSession(model, options, providers=[CPU]).run(
        ["y"], {"x": np.arange(4, dtype=np.float32).reshape(2, 2)}
    )
    return np.asarray(found, np.float32)


@settings(deadline=None, max_examples=40)
@given(
    operands=st.lists(st.sampled_from("xe"), min_size=1, max_size=6).filter(lambda names: "x" in names),
    axis=st.sampled_from([1, -1]),
    constants=st.booleans(),
)
def test_the_answer_is_the_same_and_the_empty_operands_are_gone(
    operands: list[str], axis: int, *, constants: bool
) -> None:
    model = concatenation(operands, axis, constants=constants)
    edited = without_empty_operands(memoryview(model))
    if "e" not in operands:
        assert edited is None
        return
    assert edited is not None
    assert np.array_equal(answer(edited), answer(model))
    assert edited == concatenation([name for name in operands if name != "e"], axis, constants=constants)


@pytest.mark.parametrize(
    ("operands", "axis"),
    [(["x", "x"], 1), (["e", "e"], 1), (["f"], 0)],
    ids=["nothing is empty", "nothing else is there", "one alone"],
)
def test_what_has_to_stay_stays(operands: list[str], axis: int) -> None:
    assert without_empty_operands(memoryview(concatenation(operands, axis, constants=True))) is None


def test_an_operand_that_is_empty_along_another_axis_stays() -> None:
    """Dropping it would change how long the answer is, though it holds nothing."""
    assert without_empty_operands(memoryview(concatenation(["f", "f", "e"], 1, constants=False))) is not None
    assert without_empty_operands(memoryview(concatenation(["x", "e"], 0, constants=False))) is None


@pytest.mark.peers
@pytest.mark.parametrize("folder", ["A2_six_file_v02", "B_osam"])
def test_published_decoders_have_one_and_cpu_takes_them_without_it(folder: str, peer_fixtures: Path) -> None:
    data = (peer_fixtures / folder / "sam3_decoder.onnx").read_bytes()
    edited = without_empty_operands(memoryview(data))
    assert edited is not None
    assert 0 < len(data) - len(edited) < 64
    assert without_empty_operands(memoryview(edited)) is None
    ort.InferenceSession(edited, providers=[CPU])
