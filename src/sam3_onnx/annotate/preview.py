"""A picture of a run: some of its results, spread evenly over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.files import require_writable
from sam3_onnx.errors import OptionError
from sam3_onnx.images.sheets import contact_sheet, fitted
from sam3_onnx.images.writing import require_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["ContactSheet", "require_place"]

_MOST = 12


class ContactSheet:
    """Pictures of a run, spread evenly over it, with their instances drawn on them."""

    def __init__(self, pictures: Sequence[Path]) -> None:
        """Chooses which pictures are shown.

        Args:
            pictures: Those of the run.
        """
        places = np.linspace(0, len(pictures) - 1, min(_MOST, len(pictures))).round().astype(int)
        self._chosen = {pictures[place] for place in places}
        self._tiles: list[NDArray[np.uint8]] = []

    def offer(self, picture: Path, result: Segmentation) -> None:
        """Draws a result, if its picture was chosen.

        Raises:
            PictureGoneError: The picture is another one than a moment ago.
        """
        if picture in self._chosen:
            self._tiles.append(fitted(result.draw()))

    def image(self) -> NDArray[np.uint8] | None:
        """Returns the sheet (H, W, 3) uint8 RGB, or None if there is nothing to show."""
        if not self._tiles:
            return None
        return contact_sheet(self._tiles)


def require_place(preview: Path, *, pictures: Path) -> None:
    """Lets a path pass at which a sheet can be written; one of an earlier run is replaced, no other file.

    Raises:
        OutputExistsError: Another file is there.
        OptionError: It does not end in .png, or is a folder; its own folder is not there, or cannot be written to; or
            the sheet would be taken for one of the pictures another time.
    """
    if preview.suffix.lower() != ".png":
        raise OptionError("preview", expected="a file that ends in .png", got=str(preview))
    folder = preview.absolute().parent
    if not folder.is_dir():
        raise OptionError("preview", expected="a file in a folder that is there", got=str(preview))
    if preview.is_dir():
        raise OptionError("preview", expected="a file", got=f"the folder {preview}")
    try:
        require_writable(folder)
    except OSError as error:
        raise OptionError("preview", expected="a file in a folder that can be written to", got=str(error)) from error
    if folder.resolve().is_relative_to(pictures.resolve()):
        remedy = "Next time it would be taken for one of the pictures."
        raise OptionError("preview", expected=f"outside the folder {pictures}", got=str(preview), remedy=remedy)
    require_sheet(preview)
