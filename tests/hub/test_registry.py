"""What is published."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import UnknownModelError
from sam3_onnx.hub import KNOWN_MODELS, list_models, model_folder, registry
from sam3_onnx.models.families.recognition import FAMILY_NAMES

WITHOUT_NETWORK = """
import sys
from sam3_onnx import Sam3Session
Sam3Session.from_pretrained("miniature")
print(sorted({"requests", "urllib3", "pooch", "tqdm", "http.client", "sam3_onnx.hub.transfer"} & set(sys.modules)))
"""


def test_every_entry_is_whole() -> None:
    for model in list_models():
        assert model.description
        assert model.licence.name
        assert model.bundled or (model.licence.url and model.source)
        assert set(model.prompts) <= {"text", "one box", "boxes", "points"}
        assert model.family in FAMILY_NAMES
        assert model.precision in {"float32", "int8", "int4"}
        names = [file.name for file in model.files]
        assert len(names) == len(set(names))
        assert all("/" not in name for name in names)
        for file in model.files:
            assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size is None or file.size > 0
    assert len(set(KNOWN_MODELS)) == len(KNOWN_MODELS)


def test_the_full_model_is_the_one_whose_every_file_is_hashed_at_a_pinned_revision() -> None:
    model = registry.find_model("sam3")
    assert all(file.sha256 for file in model.files)
    assert all("/resolve/895f3980b24a88249898cbe5a44571b15dec2a7f/" in str(file.url) for file in model.files)


def test_only_the_release_without_hashes_is_trusted_on_first_use() -> None:
    assert [model.name for model in list_models() if not all(file.sha256 for file in model.files)] == [
        "sam3-xanylabeling"
    ]


def test_the_size_of_a_model_is_known_if_that_of_every_file_is() -> None:
    assert registry.find_model("sam3-text-int8").size == 496047770 + 357021801 + 26804694
    assert registry.find_model("sam3").size is None


@pytest.mark.parametrize(
    ("name", "near"), [("sam33", "'sam3'"), ("minature", "'miniature'"), ("sam3_tracker", "'sam3-tracker'")]
)
def test_an_unknown_name_is_answered_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(UnknownModelError, match="Known names: miniature, sam3") as caught:
        model_folder(name)
    assert near in str(caught.value)
    with pytest.raises(UnknownModelError) as caught:
        Sam3Session.from_pretrained("whatever")
    assert "Did you mean" not in str(caught.value)


def test_the_bundled_model_opens_without_any_code_for_the_network() -> None:
    command = [sys.executable, "-c", WITHOUT_NETWORK]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert answer.stdout.strip() == "[]"
