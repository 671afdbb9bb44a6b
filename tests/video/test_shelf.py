"""The file for memories of earlier frames."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pytest

from sam3_onnx.errors import VideoWarning
from sam3_onnx.video.shelf import FileShelf


def memory(value: float) -> np.ndarray[Any, np.dtype[np.float16]]:
    return np.full((4, 3, 3), value, np.float16)


def test_what_is_put_there_comes_back_to_the_bit_and_is_replaced_by_what_comes_later() -> None:
    shelf = FileShelf()
    for frame in range(50):
        shelf.put(1, frame, memory(frame / 7))
        shelf.put(2, frame, memory(-frame))
    shelf.put(1, 3, memory(99))
    assert np.array_equal(shelf.get(1, 3), memory(99))  # type: ignore[arg-type]
    assert np.array_equal(shelf.get(1, 49), memory(49 / 7))  # type: ignore[arg-type]
    assert np.array_equal(shelf.of(2).get(3), memory(-3))  # type: ignore[arg-type]
    assert shelf.get(3, 3) is None
    shelf.close()


def test_the_places_of_an_object_that_is_dropped_are_used_again() -> None:
    one = memory(0).nbytes
    shelf = FileShelf(2 * one)
    for frame in range(2):
        shelf.put(1, frame, memory(frame))
    shelf.drop(1)
    assert shelf.get(1, 0) is None
    for frame in range(2):
        shelf.put(2, frame, memory(10 + frame))
    assert np.array_equal(shelf.get(2, 1), memory(11))  # type: ignore[arg-type]
    shelf.close()


def test_a_full_file_loses_the_oldest_and_says_so_once() -> None:
    shelf = FileShelf(3 * memory(0).nbytes)
    for frame in range(3):
        shelf.put(1, frame, memory(frame))
    with pytest.warns(VideoWarning, match="the oldest are lost"):
        shelf.put(1, 3, memory(3))
    for frame in (4, 5):
        shelf.put(1, frame, memory(frame))
    assert [shelf.get(1, frame) is not None for frame in range(6)] == [False, False, False, True, True, True]
    shelf.close()


def test_a_file_smaller_than_one_memory_keeps_none() -> None:
    shelf = FileShelf(1)
    with pytest.warns(VideoWarning, match="the oldest are lost"):
        shelf.put(1, 0, memory(1))
    assert shelf.get(1, 0) is None
    shelf.close()


def test_a_full_disk_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_options: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    shelf = FileShelf()
    with pytest.warns(VideoWarning, match="No space left on device"):
        shelf.put(1, 0, memory(1))
    assert shelf.get(1, 0) is None
    monkeypatch.undo()
    shelf.put(1, 0, memory(2))
    assert np.array_equal(shelf.get(1, 0), memory(2))  # type: ignore[arg-type]
    shelf.close()
