"""Is what a graph's metadata says checked when a bundle is opened?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ManifestError, UnknownFamilyError
from sam3_onnx.models.families.native import NativeFamily
from sam3_onnx.models.families.recognition import FAMILIES
from sam3_onnx.models.families.six_file import SixFileFamily
from sam3_onnx.models.runtime.graphs.reading import GraphInfo
from sam3_onnx.models.runtime.model import OnnxModel
from tests.support.family_graphs import MAKERS, native, six_file
from tests.support.places import NATIVE
from tests.support.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family_graphs import Parts

NO_SHARES = (
    "x",
    "",
    " 0.5",
    "5",
    "-0.1",
    "1.0001",
    "nan",
    "NaN",
    "inf",
    "1e999",
    "0_5",
    "\u0660.\u0665",
    "true",
    "0x0",
    "0,5",
)
WRONG = {
    "conf_threshold": NO_SHARES,
    "nms": NO_SHARES,
    "cut_to_box": ("TRUE", "True", "1", "yes", "", "false ", "x"),
    "pad": ("x", "", "-1", "0.0", "49408", "1e3", " 0", "9" * 5000, "\u0663"),
    "input_size": ("x", "", "-1x1008", "1008", "0x0", "1008x1008x3", "99999x99999", "1008 x 1008", "9" * 5000 + "x1"),
}
RIGHT = {
    "conf_threshold": ("0", "1", "0.5", ".5", "5e-1", "1.0"),
    "nms": ("0.7", "1"),
    "cut_to_box": ("true", "false"),
    "pad": ("0", "49407"),
    "input_size": ("1008x1008", "112x168"),
}


def opened(parts: Parts, kind: type[NativeFamily | SixFileFamily]) -> NativeFamily | SixFileFamily:
    return kind({role: OnnxModel(graph, role=role) for role, graph in parts.items()})


def with_entry(graph: GraphInfo, key: str, value: str) -> GraphInfo:
    metadata = {**graph.metadata, f"sam3_onnx.{key}": value}
    return GraphInfo(graph.path, graph.inputs, graph.outputs, metadata, (), {})


@pytest.mark.parametrize("role", ["image_encoder", "text_encoder", "decoder"])
@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_an_entry_that_is_no_value_of_its_kind(role: str, key: str, value: str) -> None:
    parts = native()
    parts[role] = with_entry(parts[role], key, value)
    text = refused(ManifestError, opened, parts, NativeFamily)
    assert text.startswith(f"The metadata of {role}.onnx has an invalid sam3_onnx.{key}: expected ")
    assert f", got {value[:100]!r}. " in text


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in RIGHT.items() for value in values])
def test_an_entry_that_is_right(key: str, value: str) -> None:
    parts = native()
    parts["decoder"] = with_entry(parts["decoder"], key, value)
    defaults = opened(parts, NativeFamily).defaults
    if key in {"conf_threshold", "nms"}:
        assert getattr(defaults, key) == float(value)
    assert defaults.cut_to_box is (value == "true")


@pytest.mark.parametrize("value", NO_SHARES)
def test_the_threshold_of_a_six_file_decoder(value: str) -> None:
    parts = six_file()
    parts["decoder"] = with_entry(parts["decoder"], "threshold", value)
    assert "sam3_onnx.threshold: expected a number in 0..1" in refused(ManifestError, opened, parts, SixFileFamily)


def test_it_is_found_out_when_the_bundle_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(NATIVE, folder)
    path = folder / "decoder.onnx"
    content = path.read_bytes()
    assert content.count(b"\x05false") == 1
    path.write_bytes(content.replace(b"\x05false", b"\x05FALSE"))
    text = refused(ManifestError, Sam3Session.from_folder, folder)
    assert text == (
        f"The metadata of {path} has an invalid sam3_onnx.cut_to_box: expected true or false, got 'FALSE'. "
        "Export the model again, or correct this entry in the graph's metadata."
    )


@pytest.mark.parametrize("family", MAKERS)
def test_a_picture_that_no_memory_holds(family: str) -> None:
    known = next(known for known in FAMILIES if known.name == family)
    parts = MAKERS[family]((14 << 40, 14 << 40))
    models = {role: OnnxModel(graph, role=role) for role, graph in parts.items()}
    assert "expected at most 16384 pixels a side" in refused(UnknownFamilyError, known, models)
