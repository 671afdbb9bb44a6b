"""Preview of a run: one picture with a selection of its results."""

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
    """A sheet of evenly selected pictures of a run, with their instances drawn on them."""

    def __init__(self, pictures: Sequence[Path]) -> None:
        """Selects the pictures to show.

        Args:
            pictures: All pictures of the run.
        """
        places = np.linspace(0, len(pictures) - 1, min(_MOST, len(pictures))).round().astype(int)
        self._chosen = {pictures[place] for place in places}
        self._tiles: list[NDArray[np.uint8]] = []

    def offer(self, picture: Path, result: Segmentation) -> None:
        """Draws a result if its picture was selected.

        Raises:
            PictureGoneError: The picture file was changed after the result was computed.
        """
        if picture in self._chosen:
            self._tiles.append(fitted(result.draw()))

    def image(self) -> NDArray[np.uint8] | None:
        """Returns the sheet as (H, W, 3) uint8 RGB, or None if there is nothing to show."""
        if not self._tiles:
            return None
        return contact_sheet(self._tiles)


def require_place(preview: Path, *, pictures: Path) -> None:
    """Checks that a preview can be written to a path; only a preview of an earlier run may be replaced.

    Raises:
        OutputExistsError: Another file exists at the path.
        OptionError: The path does not end with .png, or is a folder; its folder does not exist, or cannot be written
            to; or the path is in the folder of pictures, where the next run would label the preview.
    """
    if preview.suffix.lower() != ".png":
        raise OptionError("preview", expected="a file that ends with .png", got=str(preview))
    folder = preview.absolute().parent
    if not folder.is_dir():
        raise OptionError("preview", expected="a file in an existing folder", got=str(preview))
    if preview.is_dir():
        raise OptionError("preview", expected="a file", got=f"the folder {preview}")
    try:
        require_writable(folder)
    except OSError as error:
        raise OptionError("preview", expected="a file in a folder with write permission", got=str(error)) from error
    if folder.resolve().is_relative_to(pictures.resolve()):
        remedy = "In that folder, the next run would label the preview as well."
        raise OptionError("preview", expected=f"outside the folder {pictures}", got=str(preview), remedy=remedy)
    require_sheet(preview)
