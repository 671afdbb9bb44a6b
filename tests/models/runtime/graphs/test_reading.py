"""Is the outside of an ONNX file read as ONNX Runtime reads it, and a broken file refused as what it is?"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING

import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import ModelFileDamagedError, ModelFileMissingError
from sam3_onnx.models.runtime.graphs.reading import TensorInfo, read_graph
from tests.support.onnx_bytes import adding, graph, message, model, node, read, value, weights
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ("image_encoder", "text_encoder", "decoder")
ORT_TYPES = {
    "tensor(float)": "float32",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
SAME_FILE = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def native_bytes(role: str) -> bytes:
    return (NATIVE / f"{role}.onnx").read_bytes()


def as_onnxruntime_reads_it(path: Path) -> None:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    info = read_graph(path)
    for ours, theirs in ((info.inputs, session.get_inputs()), (info.outputs, session.get_outputs())):
        assert list(ours) == [argument.name for argument in theirs]
        for argument in theirs:
            assert ours[argument.name].dtype == ORT_TYPES[argument.type]
            for size, known in zip(ours[argument.name].shape, argument.shape, strict=True):
                # onnxruntime infers sizes of outputs that the file itself leaves open
                assert size == known or (size is None and (not isinstance(known, int) or ours is info.outputs))
    assert info.metadata == session.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize("role", ROLES)
def test_a_native_graph_is_read_as_onnxruntime_reads_it(role: str) -> None:
    as_onnxruntime_reads_it(NATIVE / f"{role}.onnx")


@pytest.mark.peers
def test_every_published_graph_is_read_as_onnxruntime_reads_it(peer_fixtures: Path) -> None:
    paths = sorted(peer_fixtures.rglob("*.onnx"))
    assert len(paths) == 20
    for path in paths:
        as_onnxruntime_reads_it(path)


@pytest.mark.peers
def test_external_data_is_found_in_constants_as_in_initializers(peer_fixtures: Path) -> None:
    for folder in peer_fixtures.iterdir():
        for path in folder.glob("*.onnx"):
            beside = path.with_name(f"{path.name}.data")
            assert read_graph(path).external_files == ((beside,) if beside.exists() else ())


@pytest.mark.peers
def test_what_an_output_depends_on_tells_two_decoders_apart(peer_fixtures: Path) -> None:
    traced = read_graph(peer_fixtures / "A_six_file" / "sam3_decoder.onnx")
    assert "original_width" not in traced.depends_on("boxes")
    assert {"original_width", "original_height"} <= traced.depends_on("masks")
    followed = read_graph(peer_fixtures / "A2_six_file_v02" / "sam3_decoder.onnx")
    assert {"original_width", "original_height", "box_coords", "backbone_fpn_2"} <= followed.depends_on("boxes")


def test_the_manifest_and_the_signature_of_a_native_graph() -> None:
    info = read_graph(NATIVE / "text_encoder.onnx")
    assert info.metadata["sam3_onnx.contract"] == "1"
    assert info.metadata["sam3_onnx.role"] == "text_encoder"
    assert info.external_files == ()
    assert info.signature() == "(tokens int64[?, 32]) -> (text_features float32[?, 32, 32], text_mask bool[?, 32])"


def test_what_the_outputs_of_a_native_decoder_depend_on() -> None:
    info = read_graph(NATIVE / "decoder.onnx")
    assert info.depends_on("masks") == set(info.inputs)
    assert info.depends_on("logits") == set(info.inputs) - {"fpn_0", "fpn_1"}
    assert info.depends_on("no such output") == set()


def test_the_written_model_is_one(tmp_path: Path) -> None:
    """The tests' own writer is held against ONNX Runtime too."""
    (tmp_path / "w.bin").write_bytes(bytes(16))
    read(tmp_path, adding(weights("w", location="w.bin", offset=8, length=8)))
    as_onnxruntime_reads_it(tmp_path / "model.onnx")


def test_types_and_open_sizes(tmp_path: Path) -> None:
    ins = [(11, value("x", (1, "batch"), element=10)), (11, value("rank 0", (), element=7))]
    info = read(tmp_path, model(graph(*ins, (12, value("y", ("n",), element=99)))))
    assert info.inputs == {"x": TensorInfo("float16", (1, None)), "rank 0": TensorInfo("int64", ())}
    assert info.outputs == {"y": TensorInfo("unknown", (None,))}
    assert str(info.inputs["x"]) == "float16[1, ?]"


def test_an_input_with_a_value_need_not_be_fed(tmp_path: Path) -> None:
    tensor = message((1, 2), (2, 1), (8, "w"), (9, bytes(8)))
    fields = [(5, tensor), (11, value("x")), (11, value("w")), (12, value("y"))]
    assert list(read(tmp_path, model(graph(*fields))).inputs) == ["x"]


def test_a_name_left_out_joins_nothing(tmp_path: Path) -> None:
    nodes = [
        (1, node("Dropout", ["a"], ["kept", ""])),
        (1, node("Clip", ["b", "", "top"], ["y"])),
    ]
    ins = [(11, value(name)) for name in ("a", "b", "top")]
    info = read(tmp_path, model(graph(*nodes, *ins, (12, value("y")), (12, value("kept")))))
    assert info.depends_on("y") == {"b", "top"}
    assert info.depends_on("kept") == {"a"}


def test_what_a_branch_reads_counts_for_its_node(tmp_path: Path) -> None:
    branch = graph((1, node("Neg", ["outer"], ["inner"])), (12, value("inner")))
    switch = node("If", ["choice"], ["y"], message((1, "then_branch"), (6, branch), (20, 5)))
    ins = [(11, value(name)) for name in ("choice", "a", "unused")]
    info = read(tmp_path, model(graph((1, node("Abs", ["a"], ["outer"])), (1, switch), *ins, (12, value("y")))))
    assert info.depends_on("y") == {"choice", "a"}
    assert list(info.outputs) == ["y"]


def test_no_file_an_empty_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissingError, match=r"The decoder is missing: no file at .*nowhere.onnx"):
        read_graph(tmp_path / "nowhere.onnx", role="decoder")
    with pytest.raises(ModelFileMissingError):
        read_graph(tmp_path)
    with pytest.raises(ModelFileDamagedError, match=r"expected an ONNX model, got an empty file. Download or copy"):
        read(tmp_path, b"")


@pytest.mark.parametrize("role", ROLES)
@SAME_FILE
@given(data=st.data())
def test_a_graph_that_is_cut_off_is_damaged(tmp_path: Path, role: str, data: st.DataObject) -> None:
    """Only a cut behind the whole graph, between two entries of the manifest, can go unnoticed here."""
    content = native_bytes(role)
    cut = data.draw(st.one_of(st.integers(0, len(content) - 1), st.integers(len(content) - 700, len(content) - 1)))
    try:
        info = read(tmp_path, content[:cut])
    except ModelFileDamagedError:
        return
    whole = read_graph(NATIVE / f"{role}.onnx")
    assert (info.inputs, info.outputs) == (whole.inputs, whole.outputs)
    assert dict(info.metadata).items() < dict(whole.metadata).items()


@SAME_FILE
@given(content=st.binary(max_size=400))
@example(b"\xff" * 400)
@example(b"\x00")
@example(b"\x3a\x00")
@example(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n")
@example(b"<!DOCTYPE html><html><body>404 Not Found</body></html>")
def test_bytes_of_any_kind_are_no_model(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileDamagedError, match="damaged or not an ONNX model"):
        read(tmp_path, content)


@SAME_FILE
@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_one_wrong_byte_never_gives_another_kind_of_error(tmp_path: Path, place: int, byte: int) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    content = bytearray(adding(weights("w", location="w.bin", offset=8, length=8)))
    content[place % len(content)] = byte
    with contextlib.suppress(ModelFileDamagedError, ModelFileMissingError):
        read(tmp_path, bytes(content))


def test_a_number_without_end_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelFileDamagedError, match="a number of more than 64 bits at byte 10"):
        read(tmp_path, b"\xff" * 4_000_000)


def test_graphs_within_graphs_without_end_are_refused(tmp_path: Path) -> None:
    content = graph((12, value("y")))
    for _ in range(2000):
        content = graph((1, message((5, message((6, content))))))
    with pytest.raises(ModelFileDamagedError, match="recursion"):
        read(tmp_path, model(content))


def test_external_data_is_found_beside_the_graph_and_below_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "w.bin").write_bytes(bytes(16))
    info = read(tmp_path, adding(weights("w", location="parts/w.bin", offset=8, length=8)))
    assert info.external_files == (tmp_path / "parts" / "w.bin",)


def test_external_data_that_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(adding(weights("w", location="w.bin", length=8)))
    with pytest.raises(ModelFileMissingError) as missing:
        read_graph(path, role="decoder")
    assert str(missing.value) == (
        f"The external data of the decoder is missing: no file at {tmp_path / 'w.bin'}. "
        "model.onnx keeps its weights in it; it must lie beside model.onnx under exactly this name."
    )


@pytest.mark.parametrize(("size", "whole"), [(0, False), (39, False), (40, True), (41, True)])
def test_external_data_must_reach_as_far_as_the_last_weight(tmp_path: Path, size: int, whole: bool) -> None:  # noqa: FBT001 - a row of the table
    (tmp_path / "w.bin").write_bytes(bytes(size))
    places = [weights("v", location="w.bin", offset=32, length=8), weights("w", location="w.bin", offset=0, length=8)]
    if whole:
        assert read(tmp_path, adding(*places)).external_files == (tmp_path / "w.bin",)
        return
    with pytest.raises(ModelFileDamagedError) as damaged:
        read(tmp_path, adding(*places))
    assert f"{tmp_path / 'w.bin'} is damaged" in str(damaged.value)
    assert f"expected at least 40 bytes of weights for model.onnx, got {size} bytes" in str(damaged.value)


@pytest.mark.parametrize(
    "location",
    ["../w.bin", "parts/../../w.bin", "..\\w.bin", "/etc/hosts", "C:\\w.bin", "\\\\server\\share\\w.bin", "", "."],
)
def test_external_data_outside_the_models_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    (tmp_path / "inner").mkdir()
    with pytest.raises(ModelFileDamagedError) as refused:
        read(tmp_path / "inner", adding(weights("w", location=location, length=8)))
    assert "expected external data in the model's folder or below it" in str(refused.value)
    assert f"got the location {location!r}" in str(refused.value)


def test_external_data_without_a_location_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileDamagedError, match="got the location ''"):
        read(tmp_path, adding(weights("w", length=8)))


def test_offsets_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileDamagedError, match="many"):
        read(tmp_path, adding(weights("w", location="w.bin", length="many")))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\n  <HTML>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "a Git LFS pointer"),
    ],
)
def test_what_a_failed_download_leaves_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(ModelFileDamagedError, match=f"expected an ONNX model, got {what}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x01" * 19_000_000,
        model(b"\x0a\x00" * 9_000_000),
        model(graph((1, b"\x0a\x00" * 9_000_000), (12, value("y")))),
    ],
    ids=["of the model", "nodes of the graph", "inputs of a node"],
)
def test_millions_of_tiny_fields_are_not_gone_through(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileDamagedError, match="more than 1,000,000 fields"):
        read(tmp_path, content)


def test_a_node_of_many_inputs_and_outputs_takes_memory_for_each_once(tmp_path: Path) -> None:
    reads, writes = [f"r{number}" for number in range(20_000)], [f"w{number}" for number in range(20_000)]
    fields = [(1, node("Many", reads, writes)), (11, value("r7")), (11, value("x")), (12, value("w9"))]
    assert read(tmp_path, model(graph(*fields))).depends_on("w9") == {"r7"}


def test_a_size_of_minus_one_is_open(tmp_path: Path) -> None:
    sizes = value("x", (-1 & (1 << 64) - 1, 3))
    assert read(tmp_path, model(graph((11, sizes), (12, value("y"))))).inputs["x"].shape == (None, 3)
