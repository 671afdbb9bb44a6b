"""Is every answer that does not fit its family refused, whichever graph of whichever family gives it?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import ModelAnswerError
from sam3_onnx.models.runtime.devices.arrays import on_host
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel
from tests.support.onnx_bytes import adding, message
from tests.support.places import DATA, NATIVE

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
OURS = {"native": NATIVE, "batched-geometry": DATA / "batched" / "batched_geometry"}
PEERS = ("A_six_file", "B_osam", "C_raw_heads", "D2_batched", "E_text_only", "F_tracker")
BOUNDED = {"scores", "boxes", "boxes_xyxy", "pred_boxes"}


@dataclass(frozen=True)
class Spoiling:
    """What makes another shape or kind of an answer."""

    what: str
    change: Callable[[NDArray[Any]], NDArray[Any]]


def along(axis: int, size: int) -> Iterator[Spoiling]:
    yield Spoiling(f"nothing along axis {axis}", lambda old: np.take(old, [], axis))
    yield Spoiling(f"one more along axis {axis}", lambda old: np.concatenate([old, old.take([0], axis)], axis))
    if size > 1:
        yield Spoiling(f"one less along axis {axis}", lambda old: np.take(old, range(old.shape[axis] - 1), axis))


def spoilings(answer: NDArray[Any], name: str) -> Iterator[Spoiling]:
    for axis, size in enumerate(answer.shape):
        yield from along(axis, size)
    yield Spoiling("an axis more", lambda old: old[None])
    yield Spoiling("an axis less", lambda old: old[0])
    yield Spoiling("one number", lambda old: old.reshape(-1)[:1].reshape(()))
    yield Spoiling("integers", lambda old: old.astype(np.int32))
    yield Spoiling("text", lambda old: old.astype(str).astype(object))
    if name in BOUNDED and answer.dtype.kind == "f":
        yield Spoiling("numbers out of range", lambda old: old * 0 + np.float32(1e30))


def wrap_runs(monkeypatch: pytest.MonkeyPatch, change: Callable[[str, NDArray[Any]], NDArray[Any]]) -> None:
    """Hands every answer of every graph through a function."""
    run = OnnxModel.run_anywhere

    def changed(
        model: OnnxModel,
        outputs: Sequence[str],
        feeds: Mapping[str, NDArray[np.generic]],
        *,
        cancel: threading.Event | None = None,
        stay: bool = False,
    ) -> list[NDArray[Any]]:
        answers = map(on_host, run(model, outputs, feeds, cancel=cancel, stay=stay))
        return [change(name, answer) for name, answer in zip(outputs, answers, strict=True)]

    monkeypatch.setattr(OnnxModel, "run_anywhere", changed)


def ask(session: Sam3Session, number: int = 0) -> None:
    """Asks for what no cache has: every number is a picture and a word of its own."""
    image, can = IMAGE.copy(), session.capabilities
    image[0, 0] = number % 256, number // 256, 0
    if can.text:
        boxes = [Box(3, 4, 50, 40)] if can.boxes else None
        session.predict(image, f"coin {number}", boxes=boxes, conf_threshold=can.lowest_threshold)
    else:
        session.predict_object(image, points=[(20, 20)])


def answers_of(folder: Path) -> dict[str, NDArray[Any]]:
    seen: dict[str, NDArray[Any]] = {}
    with pytest.MonkeyPatch.context() as patch, Sam3Session.from_folder(folder, provider="cpu", threads=1) as session:
        wrap_runs(patch, seen.setdefault)
        ask(session)
    return seen


def refuses_every_spoiling(folder: Path) -> None:
    tried = 0
    for output, answer in answers_of(folder).items():
        # What all pictures share is asked for until it came once, so that each output has a session of its own.
        with Sam3Session.from_folder(folder, provider="cpu", threads=1) as session:
            for spoiling in spoilings(answer, output):
                tried += 1
                text = refusal(session, output, spoiling, tried)
                # Of two outputs that do not fit together, either may be named.
                assert text.startswith("The model's output '")
                assert ": expected " in text
                assert f" The graph is {folder}" in text
    assert tried > 50


def refusal(session: Sam3Session, output: str, spoiling: Spoiling, number: int) -> str:
    """What is said of an answer that one output gives spoilt."""

    def change(name: str, answer: NDArray[Any]) -> NDArray[Any]:
        return spoiling.change(answer) if name == output else answer

    with pytest.MonkeyPatch.context() as patch:
        wrap_runs(patch, change)
        try:
            ask(session, number)
        except ModelAnswerError as error:
            return str(error)
    raise AssertionError(f"{output} with {spoiling.what} was taken")


@pytest.mark.parametrize("family", OURS)
def test_an_answer_of_another_shape_or_kind(family: str) -> None:
    refuses_every_spoiling(OURS[family])


@pytest.mark.peers
@pytest.mark.parametrize("folder", PEERS)
def test_an_answer_of_another_shape_or_kind_of_a_published_family(peer_fixtures: Path, folder: str) -> None:
    refuses_every_spoiling(peer_fixtures / folder)


def test_the_message_names_graph_output_expected_and_got(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_runs(monkeypatch, lambda name, answer: answer[:, :3] if name == "masks" else answer)
    with (
        Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session,
        pytest.raises(ModelAnswerError) as error,
    ):
        session.predict(IMAGE, "coin")
    assert str(error.value).startswith(
        "The model's output 'masks' is invalid: expected floats of shape [1, 12, h, w], "
        "got float32 of shape [1, 3, 32, 48]. "
        f"The graph is {NATIVE / 'decoder.onnx'}. "
    )


def test_features_that_do_not_fit_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session:
        with monkeypatch.context() as patch:
            wrap_runs(patch, lambda name, answer: answer[..., :-1] if name == "fpn_1" else answer)
            with suppress(ModelAnswerError):
                session.predict(IMAGE, "coin")
        assert session.cache.info().entries == 0
        session.predict(IMAGE, "coin")


def test_finer_masks_in_the_same_proportions_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_runs(monkeypatch, lambda name, answer: answer.repeat(2, 2).repeat(2, 3) if name == "masks" else answer)
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1, conf_threshold=0) as session:
        assert session.predict(IMAGE, "coin").instances


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_floats_of_any_precision_are_taken(monkeypatch: pytest.MonkeyPatch, dtype: type[np.floating]) -> None:
    wrap_runs(monkeypatch, lambda _, answer: answer.astype(dtype) if answer.dtype.kind == "f" else answer)
    with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1, conf_threshold=0) as session:
        assert session.predict(IMAGE, "coin").instances


def test_what_float32_cannot_hold_is_infinite(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_runs(monkeypatch, lambda name, answer: answer + np.float64(1e300) if name == "logits" else answer)
    with (
        Sam3Session.from_folder(NATIVE, provider="cpu", threads=1) as session,
        pytest.raises(ModelAnswerError) as error,
    ):
        session.predict(IMAGE, "coin")
    assert "'logits' is invalid: expected finite numbers, got 12 values that are NaN or infinite" in str(error.value)


def test_an_error_inside_onnxruntime(tmp_path: Path) -> None:
    path = tmp_path / "add.onnx"
    path.write_bytes(adding(message((1, 2), (2, 1), (8, "w"), (9, bytes(8)))))
    model = OnnxModel(read_graph(path), role="adder")
    assert model.run(("y",), {"x": np.zeros(2, np.float32)})[0].shape == (2,)
    for wrong in (np.zeros(3, np.float32), np.zeros(2, np.int64)):
        with pytest.raises(ModelAnswerError) as error:
            model.run(("y",), {"x": wrong})
        assert str(error.value).startswith(
            "The model's output 'y' is invalid: expected a tensor, got nothing, because onnxruntime stopped: "
        )
        assert f"The graph is {path}. " in str(error.value)
    with pytest.raises(ModelAnswerError, match="onnxruntime stopped"):
        model.run(("y",), {})
