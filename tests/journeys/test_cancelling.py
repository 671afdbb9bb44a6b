"""Does a call that is called off stop, and leave nothing half done?"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import CancelledError
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def session() -> Iterator[Sam3Session]:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as opened:
        yield opened


class LateEvent(threading.Event):
    """Set from the start, but noticed only by who waits for it: by then the graph runs."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the interface of Event
        return True


def test_a_run_that_has_begun_is_stopped() -> None:
    """The watching thread sets RunOptions.terminate; a run may be over before that, so there are many."""
    model = OnnxModel(read_graph(NATIVE / "decoder.onnx"), role="decoder", settings=RuntimeSettings(threads=1))
    prompts = 64
    levels = {f"fpn_{level}": np.zeros((1, 32, 32 >> level, 48 >> level), np.float32) for level in range(3)}
    feeds = {
        **levels,
        "text_features": np.zeros((prompts, 32, 32), np.float32),
        "text_mask": np.ones((prompts, 32), np.bool_),
        "boxes": np.full((prompts, 1, 4), 0.5, np.float32),
        "box_labels": np.ones((prompts, 1), np.int64),
    }

    def run_often() -> None:
        for _ in range(1000):
            model.run(["logits"], feeds, cancel=LateEvent())

    with pytest.raises(CancelledError, match="The call was cancelled during the decoder; nothing was stored"):
        run_often()
    (answer,) = model.run(["logits"], feeds, cancel=threading.Event())
    assert answer.shape == (prompts, 12)


def test_a_run_called_off_beforehand_never_answers() -> None:
    model = OnnxModel(
        read_graph(NATIVE / "text_encoder.onnx"), role="text_encoder", settings=RuntimeSettings(threads=1)
    )
    cancel = threading.Event()
    cancel.set()
    for _ in range(300):
        with pytest.raises(CancelledError, match="during the text encoder"):
            model.run(["text_mask"], {"tokens": np.zeros((1, 32), np.int64)}, cancel=cancel)


@pytest.mark.parametrize("stage", ["image", "text", "decode"])
def test_a_call_is_cancelled_at_every_stage_and_leaves_nothing_half_done(session: Sam3Session, stage: str) -> None:
    cancel = threading.Event()
    image = np.roll(IMAGE, len(stage), axis=1)
    entries, words = session.cache.info().entries, session.cache.info("texts").entries

    def told(began: str) -> None:
        if began == stage:
            cancel.set()

    names = {"image": "the image encoder", "text": "the text encoder", "decode": "the decoder"}
    with pytest.raises(CancelledError, match=f"cancelled during {names[stage]}"):
        session.predict(image, f"a {stage}", cancel=cancel, progress=told)
    assert session.cache.info().entries == entries + (stage != "image")
    assert session.cache.info("texts").entries == words + (stage == "decode")
    again = session.predict(image, f"a {stage}", cancel=threading.Event())
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as fresh:
        assert again == fresh.predict(image, f"a {stage}")


def test_an_event_that_is_set_already_stops_an_encode_before_it_begins(session: Sam3Session) -> None:
    cancel = threading.Event()
    cancel.set()
    before = session.cache.info().entries
    with pytest.raises(CancelledError, match="during the image encoder"):
        session.encode(np.roll(IMAGE, 9, axis=0), cancel=cancel)
    assert session.cache.info().entries == before


def picture_of(number: int) -> NDArray[np.uint8]:
    """No two numbers have the same picture."""
    return np.frombuffer(f"{number:<4800}".encode(), np.uint8).reshape(40, 40, 3)


@pytest.mark.peers
def test_a_running_encode_is_stopped_from_another_thread(peer_fixtures: Path) -> None:
    cancel = threading.Event()
    with Sam3Session.from_folder(peer_fixtures / "A_six_file", provider="cpu", threads=1) as opened:
        began = threading.Event()
        errors: list[CancelledError] = []

        def encode_all() -> None:
            try:
                for number in itertools.count():  # however long it takes until the other thread is given a turn
                    opened.encode(picture_of(number), cancel=cancel)
                    began.set()
            except CancelledError as error:
                errors.append(error)

        thread = threading.Thread(target=encode_all, daemon=True)
        thread.start()
        assert began.wait(60)
        cancel.set()
        thread.join(60)
        assert len(errors) == 1
        done = opened.cache.info()
        assert done.entries == done.misses - 1
        opened.encode(picture_of(-1), cancel=threading.Event())
        assert opened.cache.info().entries == done.entries + 1
