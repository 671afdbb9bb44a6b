"""Small pictures, and how files of them are made."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HEIGHT, WIDTH = 24, 40
LOSSLESS: Mapping[str, Mapping[str, object]] = {
    "PNG": {},
    "TIFF": {},
    "BMP": {},
    "PPM": {},
    "WEBP": {"lossless": True, "exact": True},
    "JPEG2000": {},
}
OPENCV = tuple(int(part) for part in cv2.__version__.split(".")[:2])


def corners() -> NDArray[np.uint8]:
    """Four plain quarters, so that every way of turning the picture looks different."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2, : WIDTH // 2] = (200, 30, 40)
    picture[: HEIGHT // 2, WIDTH // 2 :] = (30, 180, 60)
    picture[HEIGHT // 2 :, : WIDTH // 2] = (50, 60, 220)
    picture[HEIGHT // 2 :, WIDTH // 2 :] = (220, 210, 80)
    return picture


def noise(height: int = 60, width: int = 80, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - handed on to Pillow
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def by_opencv(data: bytes, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """What OpenCV makes of a picture file: RGB, without alpha."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert decoded is not None
    return np.asarray(decoded[..., 2::-1], np.uint8)


def mean_difference(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    assert left.shape == right.shape
    return float(np.abs(left.astype(int) - right.astype(int)).mean())
