"""Is a configuration in X-AnyLabeling's form read, or is it said what is wrong with it?

A configuration names files, whatever family they turn out to be: here the three of a native bundle.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ConfigError, MissingExtraError, ModelFileMissingError, OptionError, Sam3Error
from sam3_onnx.session import read_config
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

THREE = {
    "encoder_model_path": "image_encoder.onnx",
    "language_encoder_path": "text_encoder.onnx",
    "decoder_model_path": "decoder.onnx",
}
IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def three(tmp_path: Path) -> dict[str, object]:
    """A configuration of three files without external data."""
    for name in THREE.values():
        shutil.copyfile(NATIVE / name, tmp_path / name)
    return {key: str(tmp_path / name) for key, name in THREE.items()}


def refused(config: Mapping[str, object] | Path, kind: type[Sam3Error]) -> str:
    with pytest.raises(kind) as error:
        Sam3Session.from_config(config)
    return str(error.value)


def test_data_paths_may_be_left_out_or_empty(three: dict[str, object]) -> None:
    for data in (None, ""):
        names = ("encoder_model_data_path", "language_encoder_data_path", "decoder_model_data_path")
        with Sam3Session.from_config({**three, **dict.fromkeys(names, data)}) as session:
            assert session.capabilities.family == "native"


@pytest.mark.parametrize("missing", [None, "", "gone"])
@pytest.mark.parametrize("key", THREE)
def test_a_key_that_is_missing_is_named_with_those_that_are_needed(
    three: dict[str, object], key: str, missing: str | None
) -> None:
    if missing == "gone":
        del three[key]
    else:
        three[key] = missing
    assert refused(three, ConfigError) == (
        f"The configuration key {key}: expected a path, got nothing. "
        "All of encoder_model_path, language_encoder_path, decoder_model_path are needed."
    )


@pytest.mark.parametrize("key", [*THREE, "decoder_model_data_path"])
@pytest.mark.parametrize("url", ["https://example.org/sam3_decoder.onnx", "file:///models/sam3_decoder.onnx"])
def test_an_address_is_refused_and_the_way_to_registered_models_named(
    three: dict[str, object], key: str, url: str
) -> None:
    text = refused({**three, key: url}, ConfigError)
    assert text.startswith(f"The configuration key {key}: expected a local path, got {url!r}. Download the file")
    assert text.endswith("with Sam3Session.from_pretrained.")


@pytest.mark.parametrize("wrong", [3, 4.5, ["a.onnx"], {"path": "a.onnx"}, True, b"a.onnx"])
def test_what_is_no_path_is_refused(three: dict[str, object], wrong: object) -> None:
    text = refused({**three, "decoder_model_path": wrong}, ConfigError)
    assert text == (
        f"The configuration key decoder_model_path: expected a path, got {wrong!r}. Write the path of the file."
    )


@pytest.mark.parametrize("key", ["conf_threshold", "epsilon"])
@pytest.mark.parametrize("wrong", ["0.5", True, [0.5], "high"])
def test_what_is_no_number_is_refused(three: dict[str, object], key: str, wrong: object) -> None:
    text = refused({**three, key: wrong}, ConfigError)
    assert text == f"The configuration key {key}: expected a number, got {wrong!r}. Write it without quotes."


@pytest.mark.parametrize("key", ["conf_threshold", "epsilon"])
@pytest.mark.parametrize("wrong", [-0.1, 1.01, float("nan")])
def test_numbers_out_of_range_are_refused(three: dict[str, object], key: str, wrong: float) -> None:
    assert f"{key} must be a" in refused({**three, key: wrong}, OptionError)


def test_threshold_and_epsilon_are_taken_over_and_options_go_first(three: dict[str, object]) -> None:
    config = {**three, "conf_threshold": 0.55, "epsilon": 0.02}
    with Sam3Session.from_config(three) as plain, Sam3Session.from_config(config) as session:
        found = session.predict(IMAGE, "coin")
        assert found == plain.predict(IMAGE, "coin", conf_threshold=0.55)
        assert 0 < len(found) < len(plain.predict(IMAGE, "coin"))
        assert {instance.epsilon for instance in found} == {0.02}
    with Sam3Session.from_config(config, conf_threshold=0.0, epsilon=0.1) as session:
        found = session.predict(IMAGE, "coin")
        assert len(found) == 12
        assert {instance.epsilon for instance in found} == {0.1}
    with Sam3Session.from_config({**three, "conf_threshold": 0, "epsilon": 0}) as session:
        assert len(session.predict(IMAGE, "coin")) == 12


@pytest.mark.usefixtures("three")
def test_relative_paths_of_a_mapping_start_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read = read_config(THREE)
    assert {role: path.name for role, path in read.paths.items()} == {
        role: f"{role}.onnx" for role in ("image_encoder", "text_encoder", "decoder")
    }
    with Sam3Session.from_config(THREE) as session:
        assert session.capabilities.family == "native"
    monkeypatch.chdir(tmp_path.parent)
    missing = tmp_path.parent / "image_encoder.onnx"
    assert f"The image encoder is missing: no file at {missing}" in refused(THREE, ModelFileMissingError)


def test_a_tilde_is_the_home_folder(three: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    read = read_config({key: f"~/{Path(str(path)).name}" for key, path in three.items()})
    assert read.paths["decoder"] == tmp_path / "decoder.onnx"


def test_a_yaml_file_reads_as_a_mapping_with_paths_from_its_folder(
    three: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("yaml")
    monkeypatch.chdir(tmp_path.parent)
    path = tmp_path / "sam3.yaml"
    lines = [
        "# a model of X-AnyLabeling",
        "type: segment_anything_3",
        *(f"{key}: {THREE[key]}" for key in ("encoder_model_path", "language_encoder_path")),
        f"decoder_model_path: {three['decoder_model_path']}",
        "conf_threshold: 0.3",
        "epsilon: 0.004",
        "classes: [coin, dog]",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_config(path)
    assert read.paths["image_encoder"] == tmp_path / "image_encoder.onnx"
    assert read.paths["decoder"] == tmp_path / "decoder.onnx"
    assert (read.conf_threshold, read.epsilon) == (0.3, 0.004)
    for form in (path, str(path)):
        with Sam3Session.from_config(form) as session:
            assert len(session.predict(IMAGE, "coin")) == len(session.predict(IMAGE, "coin", conf_threshold=0.3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n- b\n", "expected a mapping, got list. Give it keys such as encoder_model_path."),
        (b"", "expected a mapping, got NoneType"),
        (b"just words", "expected a mapping, got str"),
        (b"a: [1\nb: 2", "expected YAML, got "),
        (b"a: \xff\xfe", "expected YAML, got "),
        (b"a: !!python/object/apply:os.getcwd []", "expected YAML, got "),
    ],
)
def test_a_file_that_is_no_yaml_mapping_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    pytest.importorskip("yaml")
    path = tmp_path / "sam3.yaml"
    path.write_bytes(content)
    text = refused(path, ConfigError)
    assert text.startswith(f"The configuration {path}: ")
    assert message in text


def test_a_yaml_file_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = refused(tmp_path / "nowhere.yaml", ModelFileMissingError)
    assert text.startswith(f"The configuration file is missing: no file at {tmp_path / 'nowhere.yaml'}")


def test_yaml_without_pyyaml_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = importlib.import_module

    def without(name: str, package: str | None = None) -> ModuleType:
        if name == "yaml":
            raise ModuleNotFoundError("No module named 'yaml'", name="yaml")
        return imported(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    text = refused(tmp_path / "sam3.yaml", MissingExtraError)
    assert text == (
        "Reading a YAML configuration needs the package PyYAML, which is not installed. "
        'Install it with: pip install "sam3-onnx[yaml]"'
    )
    assert issubclass(MissingExtraError, ImportError)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_data_may_be_a_link_to_the_file_that_is_needed(three: dict[str, object], tmp_path: Path) -> None:
    link = tmp_path / "linked.onnx"
    link.symlink_to(str(three["decoder_model_path"]))
    with Sam3Session.from_config({**three, "decoder_model_path": link}) as session:
        assert session.capabilities.family == "native"


@pytest.mark.parametrize("written", ["1e-3", "1E-3", "0.001", "1.0e-3", '"1e-3"'])
def test_numbers_as_yaml_writes_them(three: dict[str, object], tmp_path: Path, written: str) -> None:
    pytest.importorskip("yaml")
    lines = [f"{key}: {value}" for key, value in three.items()]
    (tmp_path / "model.yaml").write_text("\n".join([*lines, f"epsilon: {written}"]), encoding="utf-8")
    assert read_config(tmp_path / "model.yaml").epsilon == 0.001


@pytest.mark.parametrize("value", ["C://models/x.onnx", "c://x.onnx"])
def test_a_drive_with_two_slashes_is_no_address(three: dict[str, object], value: str) -> None:
    assert "no file at" in refused({**three, "decoder_model_path": value}, ModelFileMissingError)
    assert "never downloads" in refused({**three, "decoder_model_path": "https://x/y.onnx"}, ConfigError)


@pytest.mark.parametrize("content", ["[" * 5000, "a: 2001-99-99", "a: !!int x"])
def test_yaml_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "model.yaml").write_text(content, encoding="utf-8")
    assert "expected YAML" in refused(tmp_path / "model.yaml", ConfigError)


@pytest.mark.parametrize("value", [" ", "a\0b"])
def test_a_path_in_a_configuration_that_is_none(three: dict[str, object], value: str) -> None:
    assert "expected a path" in refused({**three, "decoder_model_path": value}, ConfigError)
