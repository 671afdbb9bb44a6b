"""Sessions of ONNX Runtime as they are made, and what becomes of them in the child of a fork."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.opening import GraphSession, Refusal, open_on
from sam3_onnx.models.runtime.providers.ways import PLAIN
from tests.support.forks import forks, in_child
from tests.support.places import NATIVE

if TYPE_CHECKING:
    import pytest


@forks
def test_a_child_frees_no_session_of_its_parent() -> None:
    opened = open_on(read_graph(NATIVE / "text_encoder.onnx"), [PLAIN], threads=4)
    assert isinstance(opened, GraphSession)
    held, native = [opened], weakref.ref(opened.session)
    del opened

    def let_go() -> bool:
        held.clear()
        gc.collect()
        return native() is not None

    assert in_child(let_go)
    held.clear()
    assert native() is None


def test_a_refusal_holds_no_session_that_is_half_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("sam3_onnx.models.runtime.opening.ort.InferenceSession", fail)
    refusal = open_on(read_graph(NATIVE / "text_encoder.onnx"), [PLAIN], threads=4)
    assert isinstance(refusal, Refusal)
    assert refusal.error is not None
    assert refusal.error.__traceback__ is None
