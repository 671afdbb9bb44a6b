"""Is every model file, folder and provider that cannot be used refused by an error of its own kind?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import (
    AmbiguousFolderError,
    ModelFileDamagedError,
    ModelFileMissingError,
    OptionError,
    ProviderError,
    UnknownFamilyError,
    UnknownModelError,
)
from tests.support.places import NATIVE
from tests.support.refusals import refused

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ("image_encoder", "text_encoder", "decoder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundle that may be spoiled."""
    for role in ROLES:
        shutil.copyfile(NATIVE / f"{role}.onnx", tmp_path / f"{role}.onnx")
    return tmp_path


def files(folder: Path) -> dict[str, Path]:
    return {role: folder / f"{role}.onnx" for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_a_model_file_that_is_missing(folder: Path, role: str) -> None:
    (folder / f"{role}.onnx").unlink()
    named = refused(ModelFileMissingError, Sam3Session.from_files, **files(folder))
    assert named == (
        f"The {role.replace('_', ' ')} is missing: no file at {folder / role}.onnx. "
        "Check the path, or copy the file there."
    )
    found = refused(UnknownFamilyError, Sam3Session.from_folder, folder)
    assert f"{folder} holds no known SAM 3 export. The graphs there have:\n  " in found
    assert found.endswith(f"Nearest is the native family: no graph there is its {role.replace('_', ' ')}.")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_model_file_that_is_cut_off(folder: Path, role: str, share: float) -> None:
    path = folder / f"{role}.onnx"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for text in (
        refused(ModelFileDamagedError, Sam3Session.from_folder, folder),
        refused(ModelFileDamagedError, Sam3Session.from_files, **files(folder)),
    ):
        assert text.startswith(f"The model file {path} is damaged or not an ONNX model: expected ")
        assert text.endswith(" Download or copy it again.")


def test_a_file_that_only_onnxruntime_finds_to_be_broken(folder: Path) -> None:
    path = folder / "decoder.onnx"
    content = path.read_bytes()
    assert b"LayerNormalization" in content
    path.write_bytes(content.replace(b"LayerNormalization", b"LayerNormalisation"))
    text = refused(ModelFileDamagedError, Sam3Session.from_folder, folder)
    assert f"{path} is damaged" in text
    assert "expected a loadable ONNX model, got a file that onnxruntime refuses: " in text


def test_a_folder_that_is_missing_empty_or_a_file(tmp_path: Path) -> None:
    nowhere, file = tmp_path / "nowhere", NATIVE / "decoder.onnx"
    text = refused(ModelFileMissingError, Sam3Session.from_folder, nowhere)
    assert text.startswith(f"The model folder is missing: no file at {nowhere}. Check the path; expected a folder")
    text = refused(ModelFileMissingError, Sam3Session.from_folder, file)
    assert text.startswith(f"The model folder is missing: {file} is a file. Name the folder that holds it, or name")
    text = refused(UnknownFamilyError, Sam3Session.from_folder, tmp_path)
    assert text.startswith(
        f"{tmp_path} holds no known SAM 3 export. The graphs there have:\n  (no .onnx file)\nPut the"
    )
    assert "sam3-onnx models pull NAME" in text


def test_a_graph_of_no_known_family(folder: Path) -> None:
    shutil.copyfile(folder / "decoder.onnx", folder / "text_encoder.onnx")
    text = refused(UnknownFamilyError, Sam3Session.from_files, **files(folder))
    assert text.startswith(
        "The list of files holds no known SAM 3 export. The graphs there have:\n  image_encoder.onnx"
    )
    assert "text_encoder.onnx: (fpn_0 float32[" in text
    assert text.endswith("text_encoder.onnx was given as text encoder and looks like a decoder.")


def test_swapped_files_are_named_with_their_roles(folder: Path) -> None:
    given = files(folder)
    given["image_encoder"], given["text_encoder"] = given["text_encoder"], given["image_encoder"]
    text = refused(UnknownFamilyError, Sam3Session.from_files, **given)
    assert text.splitlines()[-1] == (
        "text_encoder.onnx was given as image encoder and looks like a text encoder. "
        "image_encoder.onnx was given as text encoder and looks like an image encoder."
    )


def test_a_folder_with_two_candidates_for_a_part(folder: Path) -> None:
    shutil.copyfile(folder / "text_encoder.onnx", folder / "words.onnx")
    assert refused(AmbiguousFolderError, Sam3Session.from_folder, folder) == (
        f"{folder} has more than one part to choose from (text_encoder: text_encoder.onnx, words.onnx). "
        "Keep one graph for each part in the folder, or name the files with Sam3Session.from_files(...)."
    )


@pytest.mark.peers
def test_a_folder_with_two_families(folder: Path, peer_fixtures: Path) -> None:
    for path in (peer_fixtures / "A_six_file").glob("*.onnx*"):
        shutil.copyfile(path, folder / path.name)
    text = refused(AmbiguousFolderError, Sam3Session.from_folder, folder)
    assert "native: image_encoder.onnx, text_encoder.onnx, decoder.onnx; six-file: sam3_image_encoder.onnx, " in text
    assert text.endswith("Choose one with family=..., or keep only one export in the folder.")
    for family in ("native", "six-file"):
        with Sam3Session.from_folder(folder, family=family) as opened:
            assert opened.capabilities.family == family
    text = refused(UnknownFamilyError, Sam3Session.from_folder, folder, family="tracker")
    assert text.startswith(f"{folder} holds no tracker export. The graphs there have:\n  decoder.onnx: (fpn_0")
    assert "family must be one of native, six-file" in refused(OptionError, Sam3Session.from_folder, folder, family="B")


@pytest.mark.peers
def test_parts_of_two_families_do_not_make_one(folder: Path, peer_fixtures: Path) -> None:
    given = files(folder) | {"decoder": peer_fixtures / "A_six_file" / "sam3_decoder.onnx"}
    text = refused(UnknownFamilyError, Sam3Session.from_files, **given)
    assert "sam3_decoder.onnx: (original_height int64[]" in text


def test_a_graph_beside_the_model_that_is_none_of_its_parts_does_no_harm(folder: Path) -> None:
    content = (folder / "text_encoder.onnx").read_bytes()
    (folder / "other.onnx").write_bytes(content.replace(b"text_mask", b"book_mask"))
    with Sam3Session.from_folder(folder) as opened:
        assert opened.capabilities.family == "native"


def test_a_name_that_no_model_has() -> None:
    text = refused(UnknownModelError, Sam3Session.from_pretrained, "sam-3-giant")
    assert text.startswith("No model is called 'sam-3-giant'. Known names: miniature")
    assert "use Sam3Session.from_folder(FOLDER)" in text


def test_a_provider_that_is_not_there_or_is_misspelt() -> None:
    text = refused(ProviderError, Sam3Session.from_folder, NATIVE, provider="tensorrt")
    assert text.startswith("Execution provider TensorrtExecutionProvider did not become active: ")
    assert text.endswith("`pip install onnxruntime-gpu`. Or choose provider='cpu'.")
    text = refused(OptionError, Sam3Session.from_folder, NATIVE, provider="cudaa")
    assert text.startswith('provider must be "auto", one of cpu, cuda, ')
    assert text.endswith("got 'cudaa'.")
