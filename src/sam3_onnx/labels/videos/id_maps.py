"""A PNG for each frame whose pixels are the numbers of tracks, as DAVIS and YouTube-VOS have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.images.indexed import encode_indexed_png
from sam3_onnx.labels.videos.frames import FRAME_NAME, checked_frames, frame_name, track_id_of, track_score_of
from sam3_onnx.labels.writing import put

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx.labels.videos.frames import TrackedFrame
    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["id_map", "write_id_maps"]

_LARGEST_OF_8_BITS, _LARGEST = 255, 65535


@known_keywords()
def write_id_maps(
    folder: str | os.PathLike[str], frames: Iterable[TrackedFrame], *, names: str = f"{FRAME_NAME}.png"
) -> list[Path]:
    """Writes a map for each frame as it comes, each file in one step.

    Args:
        folder: Where the files go; it has to be there.
        frames: Of one video, in order.
        names: Names of the files, with {index} for the number of the frame.

    Returns:
        The file of each frame. Those that were written stay where a later frame fails.

    Raises:
        OptionError: As `id_map`; or they are no frames of a video, or `names` is no name of frames.
        FrameSizeError: A frame has another size than the first one.
        LabelFilePermissionError: A file may not be written.
        OSError: It cannot be written.
    """
    place = require_path("folder", folder)
    written = []
    for frame in checked_frames(frames, of=str(place)):
        path = place / frame_name(names, frame)
        put(path, encode_indexed_png(id_map(frame.result), _palette()))
        written.append(path)
    return written


def id_map(result: Segmentation) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Paints the numbers of tracks, 0 where there is none; where two overlap, the surer one lies above.

    Returns:
        (H, W) uint8, or uint16 if there is a number above 255.

    Raises:
        OptionError: A number is above 65535, or an instance has none.
    """
    largest = max((track_id_of(instance) for instance in result), default=0)
    if largest > _LARGEST:
        raise OptionError("frames", expected=f"track ids of at most {_LARGEST}, which a PNG can hold", got=largest)
    is_small = largest <= _LARGEST_OF_8_BITS
    ids = np.zeros(result.size, np.uint8) if is_small else np.zeros(result.size, np.uint16)
    for instance in sorted(result, key=track_score_of):
        window = instance.source.window
        height, width = window.mask.shape
        ids[window.y : window.y + height, window.x : window.x + width][window.mask] = track_id_of(instance)
    return ids


def _palette() -> NDArray[np.uint8]:
    """(256, 3) colours of the numbers, those of PASCAL VOC and DAVIS: bits of the number, spread over the channels."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            bits = numbers >> (3 * place + channel) & 1
            colours[:, channel] |= (bits << (7 - place)).astype(np.uint8)
    return colours
