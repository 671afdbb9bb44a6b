"""Readers that are wrong, and inputs that hang, crash and take memory: what the fuzzer has to notice."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import LabelFileDamagedError, PictureDecodeError
from tools.fuzz.inputs import Answer, Duty, FuzzInput
from tools.fuzz.label_reading import add_shape, read_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    from sam3_onnx.labels import Loss
    from sam3_onnx.results.shape import Shape


@dataclass(frozen=True)
class Script:
    """A subject whose inputs do what their mutation is called."""

    seed: int = 0
    mutations: tuple[str, ...] = ("read", "refuse")

    def make(self, number: int) -> FuzzInput:
        mutation = self.mutations[number % len(self.mutations)]
        return FuzzInput("script", mutation, Duty.EITHER, {"input.bin": bytes([self.seed, number])})

    def judge(self, made: FuzzInput, folder: Path) -> Answer:
        match made.mutation:
            case "hang":
                threading.Event().wait()
            case "crash":
                os._exit(7)
            case "take 100 MB":
                np.ones(100 << 20, np.uint8)
            case "ask for 8 GB":
                np.ones(8 << 30, np.uint8)
            case "raise":
                raise KeyError(str(folder))
        return Answer.REFUSED if made.mutation == "refuse" else Answer.READ


@dataclass(frozen=True)
class Raising(Script):
    """A subject with an input whose reader raises an error that is not one of the library's."""

    mutations: tuple[str, ...] = ("read", "raise")


def reads_black(picture: bytes | Image, *, max_pixels: int | None) -> NDArray[np.uint8]:  # noqa: ARG001 - as `load_image`
    return np.zeros((8, 8, 3), np.uint8)


def reads_no_picture(picture: bytes | Image, *, max_pixels: int | None) -> NDArray[np.uint8]:  # noqa: ARG001
    raise PictureDecodeError("of nobody", reason="it is refused, as all are")


def reads_nothing(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Shape]:  # noqa: ARG001 - as `read_shapes`
    return ()


def moves_points(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Shape]:
    return [replace(shape, points=shape.points + 1) for shape in read_shapes(format_name, folder, size, picture)]


def refuses_the_whole_file(
    format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png"
) -> Sequence[Shape]:
    if picture == "b.png":
        raise LabelFileDamagedError(folder, expected="nothing wrong anywhere", reason="something")
    return read_shapes(format_name, folder, size, picture)


def empties_what_it_refuses(
    format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png"
) -> Sequence[Shape]:
    try:
        return read_shapes(format_name, folder, size, picture)
    except LabelFileDamagedError:
        for path in folder.iterdir():
            path.write_bytes(b"")
        raise


def adds_nothing(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Loss]:  # noqa: ARG001 - as `add_shape`
    return ()


def adds_and_cuts(format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png") -> Sequence[Loss]:
    losses = add_shape(format_name, folder, size, picture)
    for path in folder.glob("a*.json"):
        path.write_bytes(path.read_bytes()[:-9])
    return losses


def adds_and_changes_rows(
    format_name: str, folder: Path, size: tuple[int, int], picture: str = "a.png"
) -> Sequence[Loss]:
    losses = add_shape(format_name, folder, size, picture)
    for path in folder.glob("a*"):
        path.write_bytes(path.read_bytes().replace(b"0.", b"0.0").replace(b'"by hand"', b'"by nobody"'))
    return losses
