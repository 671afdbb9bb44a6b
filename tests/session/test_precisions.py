"""What was encoded at another precision is never mixed in silence; a plug-in that breaks is told, or an error."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.errors import EmbeddingError, ModelFileDamagedError, ProviderError, ProviderWarning, UnfinishedRunError
from sam3_onnx.images.writing import write_png
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.support.fake_openvino import FakeOpenVino

IMAGE_ENCODER = "native/image_encoder.onnx"
pytestmark = pytest.mark.usefixtures("matrix_units", "openvino")


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((20, 30, 3), value, np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of two pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for value in (50, 150):
        write_png(folder / f"{value}.png", grey(value))
    return folder


def test_an_embedding_of_another_precision_is_refused_in_both_directions() -> None:
    with Sam3Session.from_folder(NATIVE) as coarse, Sam3Session.from_folder(NATIVE, precision="float32") as exact:
        assert coarse.encode(grey(1)).model == f"{exact.encode(grey(1)).model} in bfloat16"
        with pytest.raises(EmbeddingError, match=r"another model or precision: expected model .* in bfloat16, got "):
            coarse.predict(exact.encode(grey(1)), "word")
        with pytest.raises(EmbeddingError, match="another model or precision: expected model "):
            exact.predict(coarse.encode(grey(1)), "word")


def test_float32_has_the_name_that_it_always_had() -> None:
    with (
        Sam3Session.from_folder(NATIVE, precision="float32") as exact,
        Sam3Session.from_folder(NATIVE, provider="cpu") as plain,
    ):
        assert exact.encode(grey(1)).model == plain.encode(grey(1)).model
        assert exact.fingerprint == plain.fingerprint


def test_a_cache_folder_keeps_precisions_apart(tmp_path: Path) -> None:
    hits = []
    for precision in ("auto", "float32", "auto", "float32"):
        with Sam3Session.from_folder(NATIVE, precision=precision, cache_folder=tmp_path / "kept") as session:
            session.predict(grey(1), "word")
            hits.append((session.cache.info("disk").hits, session.cache.info("disk").misses))
    assert hits == [(0, 2), (0, 2), (2, 0), (2, 0)]


def test_a_cache_folder_keeps_words_of_another_precision_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hits() -> int:
        with Sam3Session.from_folder(NATIVE, provider="cpu", cache_folder=tmp_path / "kept") as session:
            session.predict(grey(1), "word")
            return session.cache.info("disk").hits

    assert [hits(), hits()] == [0, 2]
    coarse = property(lambda model: "bfloat16" if model.role == "text_encoder" else "float32")
    monkeypatch.setattr(OnnxModel, "precision", coarse)
    assert hits() == 1  # the picture's


def test_a_run_that_was_interrupted_is_not_gone_on_with_in_another_precision(pictures: Path) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    with Sam3Session.from_folder(NATIVE) as coarse:
        told = str(annotate_folder(coarse, pictures, "word", min_area=0))
    assert "precision: image_encoder in bfloat16, the rest in float32" in told
    with Sam3Session.from_folder(NATIVE) as again:
        assert annotate_folder(again, pictures, "word", min_area=0).resumed == 2
    with Sam3Session.from_folder(NATIVE, precision="float32") as exact:
        summary = annotate_folder(exact, pictures, "word", min_area=0)
    assert summary.resumed == 0
    assert set(summary.precisions.values()) == {"float32"}
    assert "computed:" not in str(summary)


def test_a_journal_of_another_precision_is_named(pictures: Path, openvino: type[FakeOpenVino]) -> None:
    class Stop(Exception):  # noqa: N818 - it ends the run as a crash would
        pass

    def stop(_: object) -> None:
        raise Stop

    with Sam3Session.from_folder(NATIVE) as coarse, pytest.raises(Stop):
        annotate_folder(coarse, pictures, "word", progress=stop)
    with (
        Sam3Session.from_folder(NATIVE, precision="float32") as exact,
        pytest.raises(UnfinishedRunError, match="image_encoder in bfloat16"),
    ):
        annotate_folder(exact, pictures, "word")
    assert openvino.opened


def test_a_run_in_which_a_plug_in_breaks_says_both_precisions(pictures: Path, openvino: type[FakeOpenVino]) -> None:
    def break_it(_: object) -> None:
        openvino.fails = IMAGE_ENCODER

    write_png(pictures / "200.png", grey(200))
    write_png(pictures / "250.png", grey(250))
    with Sam3Session.from_folder(NATIVE) as session, pytest.warns(ProviderWarning, match="goes on on cpu"):
        summary = annotate_folder(session, pictures, "word", progress=break_it)
    assert summary.precisions["image_encoder"] == "bfloat16, then float32"
    assert "precision: image_encoder in bfloat16, then float32, the rest in float32" in str(summary)


def test_under_auto_a_plug_in_that_breaks_gives_way_to_cpu_with_one_warning(openvino: type[FakeOpenVino]) -> None:
    with Sam3Session.from_folder(NATIVE) as session, Sam3Session.from_folder(NATIVE, provider="cpu") as plain:
        before = session.encode(grey(1))
        openvino.fails = IMAGE_ENCODER
        with pytest.warns(ProviderWarning, match=r"image encoder goes on on cpu\. openvino failed while it ran"):
            after = session.encode(grey(2))
        assert (session.providers["image_encoder"], session.precisions["image_encoder"]) == ((CPU,), "float32")
        assert after.model == plain.encode(grey(2)).model
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(session.predict(before, "word")) >= 0
            session.unload()
            for value in (1, 2):
                for name, array in plain.encode(grey(value)).arrays().items():
                    np.testing.assert_array_equal(session.encode(grey(value)).arrays()[name], array)
        found = session.cache.info()
        assert (found.misses, found.hits) == (4, 2 * len(before.arrays()) - 1), "the second was filed rightly at once"


def test_prefetched_pictures_are_filed_under_the_precision_that_they_have(openvino: type[FakeOpenVino]) -> None:
    with Sam3Session.from_folder(NATIVE) as session:
        openvino.fails = IMAGE_ENCODER
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ProviderWarning)
            ahead = session.prefetch([grey(1), grey(2)])
            assert ahead.wait(60)
        assert not ahead.failures
        misses = session.cache.info().misses
        session.encode(grey(1))
        session.encode(grey(2))
        assert session.cache.info().misses == misses


def test_a_named_provider_that_breaks_is_an_error(openvino: type[FakeOpenVino]) -> None:
    with Sam3Session.from_folder(NATIVE, provider="openvino") as session:
        openvino.fails = IMAGE_ENCODER
        with pytest.raises(
            ProviderError, match=f"{OPENVINO} failed while it ran: the image encoder stopped with: the plug-in lost"
        ):
            session.encode(grey(1))
        openvino.fails = ""
        session.encode(grey(1))


def test_a_model_that_cpu_refuses_too_is_damaged(tmp_path: Path) -> None:
    for part in NATIVE.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes().replace(b"LayerNormalization", b"LayerNormalizatiom"))
    with pytest.raises(ModelFileDamagedError, match="a file that onnxruntime refuses"):
        Sam3Session.from_folder(tmp_path)
