"""Features stay on the card between two graphs, answers are those of CPU, and nothing but the budget moves them."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import ModelAnswerError, OptionError, ProviderError, ProviderWarning
from sam3_onnx.models.runtime.devices.arrays import DeviceArray
from sam3_onnx.models.runtime.providers.names import CPU
from tests.support.fake_card import CUDA
from tests.support.places import DATA, NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sam3_onnx import Embedding
    from sam3_onnx.models.runtime.devices.operators import Device
    from tests.support.fake_card import FakeCard

GEOMETRY = DATA / "batched" / "batched_geometry"
PICTURES = [np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8) for seed in range(3)]
BOX = (5, 5, 30, 30)


@pytest.fixture
def session(card: type[FakeCard]) -> Iterator[Sam3Session]:
    """The native bundle on the card."""
    assert card
    with Sam3Session.from_folder(NATIVE, provider="cuda", conf_threshold=0.0) as opened:
        yield opened


def is_there(embedding: Embedding) -> bool:
    """Whether all features lie on the card; False for all on the host."""
    arrays = embedding.features.in_place().values()
    places = {isinstance(array, DeviceArray) for array in arrays}
    assert len(places) == 1
    return places.pop()


@pytest.mark.parametrize("folder", [NATIVE, GEOMETRY])
@pytest.mark.parametrize("precision", ["float16", "exact"])
def test_answers_are_those_of_cpu_and_features_stay(folder: Path, precision: str, card: type[FakeCard]) -> None:
    options = {"conf_threshold": 0.0, "feature_precision": precision}
    with (
        Sam3Session.from_folder(folder, provider="cuda", **options) as session,  # type: ignore[arg-type]
        Sam3Session.from_folder(folder, provider="cpu", **options) as cpu,  # type: ignore[arg-type]
    ):
        embedding = session.encode(PICTURES[0])
        assert is_there(embedding)
        assert embedding.features.device_bytes == embedding.nbytes == cpu.encode(PICTURES[0]).nbytes
        card.sent = 0
        for _ in range(2):
            assert session.predict(PICTURES[0], "word, more", boxes=[BOX]) == cpu.predict(
                PICTURES[0], "word, more", boxes=[BOX]
            )
        assert card.sent < embedding.nbytes, "features were copied to the card again"
        assert is_there(embedding)
        for name, array in embedding.arrays().items():
            np.testing.assert_array_equal(array, cpu.encode(PICTURES[0]).arrays()[name])


@pytest.mark.peers
def test_clicks_use_what_lies_on_the_card(card: type[FakeCard], peer_fixtures: Path) -> None:
    folder = peer_fixtures / "F_tracker" / "onnx"
    with (
        Sam3Session.from_folder(folder, provider="cuda") as session,
        Sam3Session.from_folder(folder, provider="cpu") as cpu,
    ):
        first = session.predict_object(PICTURES[0], [(9, 9)])
        card.sent = 0
        assert is_there(first.embedding)
        answer = session.predict_object(first, [(20, 20)])
        expected = cpu.predict_object(PICTURES[0], [(9, 9), (20, 20)])
        np.testing.assert_array_equal(answer.candidates[0].mask, expected.candidates[0].mask)
        assert card.sent == 0


def test_what_was_used_longest_ago_moves_to_the_host_when_the_budget_is_spent(card: type[FakeCard]) -> None:
    with Sam3Session.from_folder(NATIVE, provider="cpu") as cpu:
        each, expected = cpu.encode(PICTURES[0]).nbytes, cpu.predict(PICTURES[1], "word", conf_threshold=0.0)
    with Sam3Session.from_folder(NATIVE, provider="cuda", device_cache_bytes=2 * each) as session:
        first, second = (session.encode(picture) for picture in PICTURES[:2])
        session.predict(first, "word")
        third = session.encode(PICTURES[2])
        assert [is_there(one) for one in (first, second, third)] == [True, False, True]
        assert session.cache.info().bytes == 3 * each, "each counts once, wherever it lies"
        card.sent = 0
        assert session.predict(second, "word", conf_threshold=0.0) == expected
        assert session.cache.info().misses == 3
        assert card.sent >= each


def test_what_nobody_holds_any_more_leaves_room(card: type[FakeCard]) -> None:
    assert card
    with Sam3Session.from_folder(NATIVE, provider="cpu") as cpu:
        each = cpu.encode(PICTURES[0]).nbytes
    with Sam3Session.from_folder(NATIVE, provider="cuda", device_cache_bytes=2 * each) as session:
        kept = session.encode(PICTURES[0])
        for picture in PICTURES[1:]:
            session.cache.clear()
            session.encode(picture)
        assert is_there(kept)


def test_without_a_budget_nothing_stays(card: type[FakeCard]) -> None:
    assert card
    with Sam3Session.from_folder(NATIVE, provider="cuda", device_cache_bytes=0) as session:
        assert not is_there(session.encode(PICTURES[0]))
        session.predict(PICTURES[0], "word")


@pytest.mark.parametrize("copied", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301 - our own
def test_a_copy_for_elsewhere_lies_on_the_host_and_answers_alike(session: Sam3Session, copied: object) -> None:
    embedding = session.encode(PICTURES[0])
    other: Embedding = copied(embedding)  # type: ignore[operator]
    assert is_there(embedding)
    assert not is_there(other)
    assert session.predict(other, "word") == session.predict(embedding, "word")


def test_a_cache_folder_gets_what_lies_on_the_card(card: type[FakeCard], tmp_path: Path) -> None:
    assert card
    answers = []
    for _ in range(2):
        with Sam3Session.from_folder(
            NATIVE, provider="cuda", conf_threshold=0.0, cache_folder=tmp_path / "kept"
        ) as session:
            answers.append(session.predict(PICTURES[0], "word"))
            disk = session.cache.info("disk")
    assert answers[0] == answers[1]
    assert (disk.hits, disk.misses) == (2, 0)


def changed(monkeypatch: pytest.MonkeyPatch, change: float) -> None:
    """Every picture's features have one number changed on their way to the card."""
    convert = DeviceArray.__init__

    def spoiling(array: DeviceArray, value: ort.OrtValue, device: Device) -> None:
        if value.data_type() == "tensor(float)" and len(value.shape()) == 4:
            numbers = value.numpy().copy()
            numbers.flat[-1] = change
            value = ort.OrtValue.ortvalue_from_numpy(numbers)
        convert(array, value, device)

    monkeypatch.setattr(DeviceArray, "__init__", spoiling)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused_on_the_card_too(
    session: Sam3Session, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    changed(monkeypatch, value)
    with pytest.raises(
        ModelAnswerError, match=r"fpn_0' is invalid: expected finite numbers, got 1 values that are NaN or infinite"
    ):
        session.encode(PICTURES[0])


def test_features_beyond_half_precision_stay_as_they_are(session: Sam3Session, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, 70000.0)
    arrays = session.encode(PICTURES[0]).features.in_place().values()
    assert {str(array.dtype) for array in arrays} == {"float32"}


def test_a_card_that_does_not_keep_numbers_is_used_through_the_host_and_it_is_said(
    card: type[FakeCard], caplog: pytest.LogCaptureFixture
) -> None:
    card.fails = True
    with caplog.at_level(logging.WARNING, "sam3_onnx.providers"):
        for _ in range(2):
            with Sam3Session.from_folder(NATIVE, provider="cuda") as session:
                assert set(session.providers["image_encoder"]) == {CUDA, CPU}
                assert not is_there(session.encode(PICTURES[0]))
                session.predict(PICTURES[0], "word")
    assert [record.getMessage() for record in caplog.records] == [
        "Features do not stay in the memory of cpu:0: CUDA failure 2: out of memory. They go through the host's memory."
    ]


def test_a_card_that_fails_later_is_an_error_by_name(session: Sam3Session, card: type[FakeCard]) -> None:
    card.fails = True
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider failed while it ran: the image encoder .*out of"):
        session.encode(PICTURES[0])


def test_under_auto_a_card_that_fails_later_leaves_the_rest_to_cpu(
    card: type[FakeCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sam3Session.from_folder(NATIVE, provider="cpu", conf_threshold=0.0) as cpu:
        expected = cpu.predict(PICTURES[0], "word")
    with Sam3Session.from_folder(NATIVE, conf_threshold=0.0) as session:
        embedding = session.encode(PICTURES[0])
        assert is_there(embedding)
        session.load("text_encoder")
        monkeypatch.setattr(card, "run_with_iobinding", failing)
        with pytest.warns(ProviderWarning, match="The decoder goes on on cpu"):
            answer = session.predict(embedding, "word")
        assert answer == expected
        assert session.providers["decoder"] == (CPU,)


def failing(session: FakeCard, binding: ort.IOBinding, options: ort.RunOptions | None = None) -> None:
    """As a card whose memory is full: conversions work, a whole graph does not."""
    if len(session.get_inputs()) > 1:
        raise RuntimeError("CUDA failure 2: out of memory")
    ort.capi.onnxruntime_inference_collection.Session.run_with_iobinding(session, binding, options)


@pytest.mark.parametrize("value", [-1, 1.5, "much", None, True])
def test_a_budget_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match="device_cache_bytes"):
        Sam3Session.from_folder(NATIVE, provider="cpu", device_cache_bytes=value)  # type: ignore[arg-type]
