"""Frames from still pictures: a folder of files, or arrays."""

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
    """Reader of pictures, each of which is a frame, with equal time intervals."""

    survives_fork = True

    def __init__(
        self, pictures: Iterable[Picture], *, fps: float, color: Literal["rgb", "bgr"], stated: int | None
    ) -> None:
        """Starts with the first picture.

        Args:
            pictures: Pictures in order, in any form that `load_image` accepts.
            fps: Frames per second.
            color: Channel order of arrays, "rgb" or "bgr".
            stated: Number of pictures; None if not known.
        """
        self.stated, self.duration = stated, None
        self._pictures: Iterator[Picture] = iter(pictures)
        self._fps, self._color, self._index = fps, color, 0

    def take(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Returns time and picture of the next frame; None at the end.

        Raises:
            PictureError: The picture cannot be read.
        """
        picture = next(self._pictures, None)
        if picture is None:
            return None
        self._index += 1
        return (self._index - 1) / self._fps, load_image(picture, color=self._color)

    def skip(self) -> float | None:
        """Skips the next frame and returns its time; None at the end."""
        if next(self._pictures, None) is None:
            return None
        self._index += 1
        return (self._index - 1) / self._fps

    def close(self) -> None:
        """Does nothing, because no file is open."""


def files_in_order(folder: Path) -> list[Path]:
    """Returns the pictures of a folder sorted by name, with numbers compared by value: 2.png before 10.png.

    Raises:
        FolderError: The folder does not exist, or cannot be read.
        NoPicturesError: The folder has no picture.
    """
    return sorted(find_pictures(folder), key=lambda path: (_natural(path.stem), path.name))


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Splits a name into pieces for natural sorting: digits are compared by value, everything else as text."""
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in re.split(r"(\d+)", name) if piece]
