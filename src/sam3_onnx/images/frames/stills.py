"""Frames that are pictures already: a folder of files, or arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sam3_onnx.images.finding import find_pictures
from sam3_onnx.images.loading import load_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Literal

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.images.loading import Picture

__all__ = ["StillsReader", "files_in_order"]


class StillsReader:
    """Pictures, each of which is a frame, equally far apart in time."""

    survives_fork = True

    def __init__(
        self, pictures: Iterable[Picture], *, fps: float, color: Literal["rgb", "bgr"], stated: int | None
    ) -> None:
        """Begins with the first one.

        Args:
            pictures: Anything that `load_image` takes, in order.
            fps: Frames in a second.
            color: Channel order of arrays.
            stated: Number of pictures; None if it is not known.
        """
        self.stated, self.duration = stated, None
        self._pictures: Iterator[Picture] = iter(pictures)
        self._fps, self._color, self._index = fps, color, 0

    def take(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Returns time and picture of the next frame; None at the end.

        Raises:
            PictureError: It cannot be read.
        """
        picture = next(self._pictures, None)
        if picture is None:
            return None
        self._index += 1
        return (self._index - 1) / self._fps, load_image(picture, color=self._color)

    def skip(self) -> float | None:
        """Leaves the next frame out; returns its time, None at the end."""
        if next(self._pictures, None) is None:
            return None
        self._index += 1
        return (self._index - 1) / self._fps

    def close(self) -> None:
        """Nothing is open."""


def files_in_order(folder: Path) -> list[Path]:
    """Returns the pictures of a folder in the order of their names, numbers in them as numbers: 2.png before 10.png.

    Raises:
        FolderError: The folder is not there, or may not be read.
        NoPicturesError: It has no picture.
    """
    return sorted(find_pictures(folder), key=lambda path: (_natural(path.stem), path.name))


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Returns a name in pieces that compare as people count: digits by their value, all else as text."""
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in re.split(r"(\d+)", name) if piece]
