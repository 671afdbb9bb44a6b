"""Do six paths open a session, and is what is wrong named?

Most of these tests need the published files.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import (
    ConfigError,
    ModelFileDamagedError,
    ModelFileMissingError,
    OptionError,
    Sam3Error,
    UnknownFamilyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SIX = {
    "encoder_model_path": "sam3_image_encoder.onnx",
    "encoder_model_data_path": "sam3_image_encoder.onnx.data",
    "language_encoder_path": "sam3_language_encoder.onnx",
    "language_encoder_data_path": "sam3_language_encoder.onnx.data",
    "decoder_model_path": "sam3_decoder.onnx",
    "decoder_model_data_path": "sam3_decoder.onnx.data",
}
ROLES = {"encoder": "image encoder", "language": "text encoder", "decoder": "decoder"}
IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def six(peer_fixtures: Path, tmp_path: Path) -> dict[str, object]:
    """A configuration of six files that may be spoiled."""
    for name in SIX.values():
        shutil.copyfile(peer_fixtures / "A_six_file" / name, tmp_path / name)
    return {key: str(tmp_path / name) for key, name in SIX.items()}


def refused(config: Mapping[str, object] | Path, kind: type[Sam3Error]) -> str:
    with pytest.raises(kind) as error:
        Sam3Session.from_config(config)
    return str(error.value)


@pytest.mark.parametrize("given", ["miniature", Path("models/sam3")])
def test_a_name_or_folder_in_place_of_a_family_is_led_to_the_usual_way(given: object) -> None:
    for beside in ({}, {"model": "sam3"}):
        with pytest.raises(OptionError, match=r"from_pretrained\(name\) or Sam3Session\.from_folder\(folder\)"):
            Sam3Session(given, **beside)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="model must be a name"):
        Sam3Session(None)


@pytest.mark.peers
def test_six_paths_open_a_session(six: dict[str, object], peer_fixtures: Path) -> None:
    extra = {"type": "segment_anything_3", "name": "sam3_vit_h", "display_name": "SAM 3", "model_type": 7}
    with (
        Sam3Session.from_config({**six, **extra}) as opened,
        Sam3Session.from_folder(peer_fixtures / "A_six_file") as other,
    ):
        assert opened.capabilities.family == "six-file"
        assert opened.predict(IMAGE, "coin, person") == other.predict(IMAGE, "coin, person")


@pytest.mark.peers
@pytest.mark.parametrize("key", SIX)
def test_each_of_the_six_missing_is_named(six: dict[str, object], key: str) -> None:
    path = Path(str(six[key]))
    path.unlink()
    text = refused(six, ModelFileMissingError)
    role = ROLES[key.partition("_")[0]]
    wanted = f"external data of the {role} ({key})" if "data" in key else role
    assert text.startswith(f"The {wanted} is missing: no file at {path}. ")


@pytest.mark.peers
@pytest.mark.parametrize("key", [key for key in SIX if "data" in key])
def test_missing_data_is_named_even_if_the_configuration_does_not_name_it(six: dict[str, object], key: str) -> None:
    path = Path(str(six.pop(key)))
    path.unlink()
    text = refused(six, ModelFileMissingError)
    assert f"no file at {path}" in text
    assert f"it must lie beside {path.stem} under exactly this name" in text


@pytest.mark.peers
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("key", SIX)
def test_each_of_the_six_cut_off_is_named(six: dict[str, object], key: str, share: float) -> None:
    path = Path(str(six[key]))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    text = refused(six, ModelFileDamagedError)
    assert text.startswith(f"The model file {path} is damaged or not an ONNX model: expected ")
    assert text.endswith("Download or copy it again.")
    if "data" in key:
        assert f"of weights for {path.stem}, got {int(len(content) * share)} bytes" in text


@pytest.mark.peers
def test_data_under_another_name_is_refused_with_the_name_that_is_needed(six: dict[str, object]) -> None:
    right = Path(str(six["decoder_model_data_path"]))
    wrong = right.with_name("decoder_weights.data")
    shutil.copyfile(right, wrong)
    six["decoder_model_data_path"] = str(wrong)
    text = refused(six, ConfigError)
    assert text == (
        f"The configuration key decoder_model_data_path: expected the file that sam3_decoder.onnx refers to, {right}, "
        f"got {wrong}. A graph finds its data by name beside itself: move the file there, under that name."
    )


@pytest.mark.peers
def test_the_data_of_another_graph_is_refused(six: dict[str, object]) -> None:
    six["decoder_model_data_path"] = six["encoder_model_data_path"]
    assert "refers to" in refused(six, ConfigError)


@pytest.mark.peers
def test_data_in_another_folder_is_refused(six: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    moved = tmp_path / "data" / "sam3_decoder.onnx.data"
    shutil.move(str(six["decoder_model_data_path"]), moved)
    six["decoder_model_data_path"] = str(moved)
    assert "it must lie beside sam3_decoder.onnx" in refused(six, ModelFileMissingError)


@pytest.mark.peers
def test_swapped_paths_are_refused_with_the_roles(six: dict[str, object]) -> None:
    for end in ("model_path", "model_data_path"):
        six[f"encoder_{end}"], six[f"decoder_{end}"] = six[f"decoder_{end}"], six[f"encoder_{end}"]
    text = refused(six, UnknownFamilyError)
    assert "sam3_decoder.onnx was given as image encoder and looks like a decoder" in text
    assert "sam3_image_encoder.onnx was given as decoder and looks like an image encoder" in text
