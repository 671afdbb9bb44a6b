"""TensorRT's engines are kept apart by all that they depend on, so that no stale one answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.providers.engines import engine_options
from sam3_onnx.models.runtime.providers.ways import Way
from tests.support.fake_card import CUDA, TENSORRT
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from tests.support.fake_card import FakeCard

OPTIONS = {"trt_engine_cache_enable", "trt_engine_cache_path", "trt_timing_cache_enable", "trt_timing_cache_path"}


def test_each_graph_of_a_session_has_a_folder_of_its_own(card: type[FakeCard], tmp_path: Path) -> None:
    with Sam3Session.from_folder(NATIVE, provider=["tensorrt", "cuda"], engine_folder=tmp_path / "engines") as session:
        session.load()
    asked = [options for options in card.options if set(options) >= OPTIONS]
    folders = {Path(options["trt_engine_cache_path"]) for options in asked}
    assert {folder.parent for folder in folders} == {tmp_path / "engines"}
    assert {folder.name.rpartition("-")[0] for folder in folders} == {"image_encoder", "text_encoder", "decoder"}
    assert all(folder.is_dir() for folder in folders)
    assert all(options["trt_timing_cache_path"] == options["trt_engine_cache_path"] for options in asked)


def test_nothing_is_kept_unless_a_folder_is_named(card: type[FakeCard], tmp_path: Path) -> None:
    with Sam3Session.from_folder(NATIVE, provider="tensorrt"):
        pass
    with Sam3Session.from_folder(NATIVE, provider="cuda", engine_folder=tmp_path / "engines"):
        pass
    assert not any(OPTIONS & set(options) for options in card.options)
    assert not (tmp_path / "engines").exists()


@pytest.mark.usefixtures("card")
def test_other_weights_another_precision_or_version_have_other_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(folder: Path, way: Way) -> str:
        return engine_options(tmp_path / "engines", read_graph(folder / "decoder.onnx"), way)["trt_engine_cache_path"]

    other = Path(shutil.copytree(NATIVE, tmp_path / "other"))
    content = (other / "decoder.onnx").read_bytes()
    (other / "decoder.onnx").write_bytes(content + b"\x12\x01x")  # a producer's name: nothing that a graph computes
    plain = Way(TENSORRT)
    places = [
        place(NATIVE, plain),
        place(other, plain),
        place(NATIVE, Way(TENSORRT, precision="float16")),
        place(NATIVE, Way(TENSORRT, {"trt_layer_norm_fp32_fallback": "1"})),
    ]
    monkeypatch.setattr("onnxruntime.__version__", "99.0")
    places.append(place(NATIVE, plain))
    assert len(set(places)) == len(places)
    assert place(NATIVE, plain) == places[-1], "and the same again is the same"


def test_the_callers_own_options_go_first(tmp_path: Path) -> None:
    way = Way(TENSORRT, {"trt_engine_cache_path": "mine"})
    options = engine_options(tmp_path, read_graph(NATIVE / "decoder.onnx"), way)
    assert set(options) == OPTIONS - {"trt_engine_cache_path"}
    assert engine_options(tmp_path, read_graph(NATIVE / "decoder.onnx"), Way(CUDA)) == {}


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("provider", ["tensorrt", "auto"])
def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(provider: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(
        OptionError, match=r"engine_folder must be a folder in which files can be written.*file/engines"
    ):
        Sam3Session.from_folder(NATIVE, provider=provider, engine_folder=tmp_path / "file" / "engines")


@pytest.mark.parametrize("folder", ["", 3, "a\0b"])
def test_what_is_no_path_is_refused_on_every_machine(folder: object) -> None:
    with pytest.raises(OptionError, match="engine_folder"):
        Sam3Session.from_folder(NATIVE, provider="cpu", engine_folder=folder)  # type: ignore[arg-type]
