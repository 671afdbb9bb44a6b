"""A picture shown on the screen: in a notebook under its cell, elsewhere in the system's viewer."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sam3_onnx.draw.notebook import encoded_for_notebook
from sam3_onnx.errors import DisplayError

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["show_picture"]


class _Png:
    """A PNG as IPython displays it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def _repr_png_(self) -> bytes:
        return self._data


def show_picture(image: NDArray[np.uint8], *, title: str) -> None:
    """Shows a picture (H, W, 3) uint8 RGB, and returns at once.

    In a notebook it stands below the cell, NOTEBOOK_SIDE pixels long at most. Elsewhere Pillow hands it to the system's
    viewer.

    Raises:
        DisplayError: There is no screen, or no viewer.
    """
    ipython = _notebook()
    if ipython is not None:
        ipython.display.display(_Png(encoded_for_notebook(image)))
        return
    from PIL import Image, ImageShow  # noqa: PLC0415 - drawing itself needs no Pillow

    if not _has_screen():
        raise DisplayError("neither DISPLAY nor WAYLAND_DISPLAY names a screen")
    if not ImageShow.show(Image.fromarray(image), title=title):
        raise DisplayError("Pillow finds no viewer")


def _notebook() -> ModuleType | None:
    """Returns IPython where it runs behind a notebook; None in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return ipython if getattr(shell, "kernel", None) is not None else None


def _has_screen() -> bool:
    return sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
