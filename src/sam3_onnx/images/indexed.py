"""PNG files whose pixels are numbers, not colours: with a palette, or grey."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.images.strict import load_strictly
from sam3_onnx.images.structure.png import read_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["IndexedPng", "encode_indexed_png", "open_indexed_png"]

_MODES = ("P", "L", "1", "I;16", "I;16B", "I")
_DEPTH_AT = 24
"""Position of the bit depth in a PNG (PNG Specification, IHDR)."""


@dataclass(frozen=True, eq=False)
class IndexedPng:
    """A PNG file that was checked but is not decoded yet."""

    data: bytes
    size: tuple[int, int]
    """Height and width in pixels."""

    def ids(self) -> NDArray[np.uint16]:
        """Decodes the numbers (H, W).

        Raises:
            TypeError: The pixels are colours, or grey with 2 or 4 bits, which Pillow would scale.
            ValueError: The file is damaged.
        """
        from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - where pictures are read, and not before

        try:
            image = PngImageFile(io.BytesIO(self.data))
            if image.mode not in _MODES or (image.mode == "L" and self.data[_DEPTH_AT] in (2, 4)):
                raise TypeError(f"pixels of the mode {image.mode} and {self.data[_DEPTH_AT]} bits")
            load_strictly(image)
        except (OSError, SyntaxError) as error:
            raise ValueError(str(error)) from error
        return np.asarray(image).astype(np.uint16)


def open_indexed_png(data: bytes) -> IndexedPng:
    """Checks that a PNG file is complete, and reads its size.

    Raises:
        ValueError: The file is not a PNG, or is cut off or damaged.
    """
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("its first bytes are not those of a PNG")
    file = read_png(data)
    return IndexedPng(file.data, (file.height, file.width))


def encode_indexed_png(ids: NDArray[np.uint8] | NDArray[np.uint16], palette: NDArray[np.uint8]) -> bytes:
    """Encodes numbers as a PNG: 8 bits with a palette, 16 bits as grey.

    Args:
        ids: (H, W) uint8 or uint16.
        palette: (256, 3) uint8 RGB, the colour of each number for 8 bits.
    """
    from PIL import Image  # noqa: PLC0415 - OpenCV writes no palettes; whoever writes no map needs no Pillow

    image = Image.fromarray(ids)
    if ids.dtype == np.uint8:
        image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
