"""Reading of the EXIF orientation, and rotation of pixels by it.

In EXIF 2.32, it is tag 274 of a TIFF directory. This module reads only this tag. Pillow is not used, because it reads
complete directories, warns of damage in any other tag, and before release 13 allocates memory for tags beyond the file.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["orientation_of", "turned_upright"]

_TAG = 274
_KINDS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
"""Number of anticlockwise quarter turns, and whether left and right are swapped afterwards, by orientation."""


def orientation_of(exif: bytes) -> int:
    """Reads the orientation from a block of EXIF data.

    Args:
        exif: The block, with or without "Exif" at its start.

    Returns:
        1 to 8; 1 (upright) if the block is empty or damaged, because the pixels are still valid.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(order + "HH", tiff, entry)
            if tag == _TAG and kind in _KINDS:
                (orientation,) = struct.unpack_from(order + _KINDS[kind], tiff, entry + 8)
                return orientation if orientation in _TURNS else 1
    except struct.error:
        pass
    return 1


def turned_upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Rotates and mirrors pixels by an EXIF orientation.

    Args:
        pixels: (H, W, 3) as stored.
        orientation: 1 to 8.

    Returns:
        The upright pixels, C-contiguous; the same array for orientation 1.
    """
    quarter_turns, is_mirrored = _TURNS.get(orientation, (0, False))
    upright = np.rot90(pixels, quarter_turns)
    return np.ascontiguousarray(upright[:, ::-1] if is_mirrored else upright)
