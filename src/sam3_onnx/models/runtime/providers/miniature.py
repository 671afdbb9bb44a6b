"""What providers are tried on: the model that ships with the package, and questions about drawn pictures.

The questions have clear answers: no score lies near the threshold. Those about one picture differ in how many they
are, and so do the boxes, as providers have been seen to answer for the shapes that they met first.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.models.runtime.graphs.reading import GraphInfo, read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Trial", "drawn_picture", "miniature_graphs", "trials"]

_SIDE = 224
_CONTEXT = 32
_RED, _GREEN, _BLUE, _YELLOW = (200, 30, 30), (30, 160, 60), (30, 60, 200), (230, 200, 40)
_WORDS = {"blue": 1746, "circle": 7117, "dog": 1929, "green": 1901, "red": 736, "ring": 2540, "square": 3999}
_WORDS |= {"star": 1565, "triangle": 14615}
"""CLIP's tokens of words."""
_START, _END = 49406, 49407
_NO_BOX = (np.zeros((1, 4), np.float32), np.array([-10]))
"""An empty slot is labelled -10."""
_TWO_BOXES = (np.array([[0.74, 0.71, 0.31, 0.27], [0.31, 0.36, 0.31, 0.31]], np.float32), np.array([1, 0]))
"""The square's and, as a negative one, the disc's on the first picture: cxcywh, of the picture."""


@dataclass(frozen=True)
class Trial:
    """One picture, and prompts that are asked about it in one run."""

    picture: NDArray[np.uint8]
    """(3, 224, 224) RGB."""
    prompts: tuple[str, ...]
    boxes: tuple[NDArray[np.float32], NDArray[np.int64]] = field(default=_NO_BOX)
    """Beside every prompt."""

    def feeds(self) -> Mapping[str, NDArray[np.generic]]:
        """Returns what goes into the graphs of the miniature, by the names of their inputs."""
        tokens = np.zeros((len(self.prompts), _CONTEXT), np.int64)
        for row, prompt in zip(tokens, self.prompts, strict=True):
            ids = [_START, *(_WORDS[word] for word in prompt.split()), _END]
            row[: len(ids)] = ids
        boxes, labels = (np.repeat(part[None], len(self.prompts), 0) for part in self.boxes)
        return {"image": self.picture, "tokens": tokens, "boxes": boxes, "box_labels": labels}


@functools.cache
def miniature_graphs() -> Mapping[str, GraphInfo]:
    """Returns the graphs of the miniature by their roles, such as "image_encoder"."""
    folder = Path(str(files("sam3_onnx"))) / "data" / "miniature"
    graphs = [read_graph(path) for path in sorted(folder.glob("*.onnx"))]
    return {graph.metadata["sam3_onnx.role"]: graph for graph in graphs}


def trials() -> list[Trial]:
    """Returns the questions of a proof: eleven on three pictures, one of them with boxes."""
    first = drawn_picture()
    second, third = _background(60), _background(180)
    _triangle(second, (60, 40), 80, _GREEN)
    _disc(second, (160, 70), 30, _YELLOW)
    _square(second, (40, 150), (90, 200), _RED)
    _disc(second, (150, 165), 28, _RED)
    _disc(third, (65, 70), 40, _BLUE, hole=24)
    _triangle(third, (160, 110), 80, _RED)
    _square(third, (135, 25), (200, 80), _GREEN)
    _disc(third, (60, 165), 25, _BLUE)
    return [
        Trial(first, ("blue square", "red circle", "green star")),
        Trial(first, ("blue square",), _TWO_BOXES),
        Trial(second, ("green triangle", "red", "circle", "dog")),
        Trial(third, ("blue ring", "triangle", "square")),
    ]


def drawn_picture() -> NDArray[np.uint8]:
    """Returns the first picture: a red disc and a blue square on a graded background, (3, 224, 224) RGB."""
    picture = _background(110)
    _disc(picture, (70, 80), 35, _RED)
    _square(picture, (130, 130), (200, 190), _BLUE)
    return picture


def _background(level: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    return np.stack([level + x // 8, level + 10 + y // 8, np.full_like(x, level + 18)]).astype(np.uint8)


def _disc(
    picture: NDArray[np.uint8], centre: tuple[int, int], radius: int, colour: tuple[int, int, int], *, hole: int = 0
) -> None:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    _fill(picture, (distance < radius**2) & (distance >= hole**2), colour)


def _square(
    picture: NDArray[np.uint8], corner: tuple[int, int], opposite: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    _fill(picture, (x >= corner[0]) & (x < opposite[0]) & (y >= corner[1]) & (y < opposite[1]), colour)


def _triangle(picture: NDArray[np.uint8], top: tuple[int, int], height: int, colour: tuple[int, int, int]) -> None:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    below = y - top[1]
    _fill(picture, (below > 0) & (below < height) & (np.abs(x - top[0]) < below / 2), colour)


def _fill(picture: NDArray[np.uint8], place: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    picture[:, place] = np.array(colour, np.uint8)[:, None]
