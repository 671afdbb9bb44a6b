"""A file that ends early is refused, wherever it ends."""

from __future__ import annotations

import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError
from sam3_onnx.images import load_image
from tests.support.pictures import encoded, noise


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "JPEG2000"])
def test_files_cut_off_anywhere(kind: str) -> None:
    data = encoded(Image.fromarray(noise()), kind)
    for keep in [*range(1, 40), *range(40, len(data), max(1, len(data) // 25)), len(data) - 2, len(data) - 1]:
        with pytest.raises(PictureDecodeError):
            load_image(data[:keep])


def test_progressive_jpeg_cut_off() -> None:
    data = encoded(Image.fromarray(noise()), "JPEG", progressive=True)
    for keep in (len(data) // 2, len(data) - 100, len(data) - 1):
        with pytest.raises(PictureDecodeError):
            load_image(data[:keep])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_download_whose_rest_is_zeros(kind: str) -> None:
    data = encoded(Image.fromarray(noise()), kind)
    with pytest.raises(PictureDecodeError):
        load_image(data[: len(data) // 2].ljust(len(data), b"\0"))
