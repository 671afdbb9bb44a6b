"""Small videos whose frames say their numbers."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FRAMES = 30
HEIGHT, WIDTH = 120, 160
_BITS = 5
_IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_TURNS = {
    90: struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30),
    180: struct.pack(">9i", -(1 << 16), 0, 0, 0, -(1 << 16), 0, 0, 0, 1 << 30),
    270: struct.pack(">9i", 0, -(1 << 16), 0, 1 << 16, 0, 0, 0, 0, 1 << 30),
}
"""Display matrices of a track (ISO/IEC 14496-12, "tkhd")."""


def numbered(number: int) -> NDArray[np.uint8]:
    """(120, 160, 3) RGB: a white top left corner, a moving square, and the number in five black or white cells."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 2] = 60
    image[:20, :20] = 255
    left = 5 * number % (WIDTH - 20)
    image[40:80, left : left + 20] = (255, 120, 0)
    for bit in range(_BITS):
        image[100:118, 10 + 20 * bit : 26 + 20 * bit] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: NDArray[np.uint8]) -> int:
    """The number of a frame."""
    return sum(int(image[109, 18 + 20 * bit].mean() > 128) << bit for bit in range(_BITS))


def write_opencv(path: Path, codec: str, frames: int = FRAMES) -> Path:
    """Writes a video by OpenCV, 25 frames in a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(numbered(number)[..., ::-1])
    writer.release()
    return path


def write_pyav(path: Path, codec: str, layout: str = "yuv420p", times: Sequence[int] | None = None) -> Path:
    """Writes a video by PyAV, with times in milliseconds or 25 frames in a second."""
    import av  # noqa: PLC0415 - an optional extra

    unit = Fraction(1, 25 if times is None else 1000)
    container: Any = av.open(str(path), "w")
    stream = container.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, layout
    stream.codec_context.time_base = unit
    for number in range(FRAMES):
        frame: Any = av.VideoFrame.from_ndarray(numbered(number), format="rgb24").reformat(format=layout)
        frame.pts, frame.time_base = number if times is None else times[number], unit
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    container.close()
    return path


def turned(path: Path, degrees: int) -> Path:
    """Writes a display matrix into an MP4."""
    data = path.read_bytes()
    assert _IDENTITY in data[data.index(b"tkhd") :][:100]
    at = data.index(_IDENTITY, data.index(b"tkhd"))
    path.write_bytes(data[:at] + _TURNS[degrees] + data[at + len(_IDENTITY) :])
    return path


def damaged(path: Path, share: float, damage: bytes) -> Path:
    """Overwrites bytes at a share of a file's length."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + len(damage)] = damage
    path.write_bytes(data)
    return path
