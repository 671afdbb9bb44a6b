"""WebP: lossy, lossless, with alpha and animated, and chunks that do not fit."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import by_opencv, encoded, noise

SMOOTH = Image.fromarray(noise(6, 8)).resize((93, 61), Image.Resampling.BICUBIC)
LOSSLESS = encoded(Image.fromarray(noise()), "WEBP", lossless=True)
LOSSY = encoded(SMOOTH, "WEBP", quality=80)
CANVAS = encoded(Image.fromarray(noise()), "WEBP", lossless=True, exif=b"MM\0*\0\0\0\x08\0\0\0\0\0\0", xmp=b"x")


def test_lossy_pixels_are_those_of_opencv() -> None:
    assert np.abs(load_image(LOSSY).astype(int) - by_opencv(LOSSY)).max() <= 1


@pytest.mark.parametrize("is_lossless", [False, True])
def test_alpha_is_dropped_and_not_blended(*, is_lossless: bool) -> None:
    alpha = np.tile(np.linspace(1, 255, 93).astype(np.uint8), (61, 1))
    picture = Image.fromarray(np.dstack([np.asarray(SMOOTH), alpha]))
    data = encoded(picture, "WEBP", lossless=is_lossless, exact=True, quality=95)
    assert np.abs(load_image(data).astype(int) - by_opencv(data, cv2.IMREAD_UNCHANGED)).max() <= 1


def test_the_first_frame_of_an_animation() -> None:
    others = [Image.fromarray(noise(seed=seed)) for seed in (1, 2)]
    data = encoded(Image.fromarray(noise()), "WEBP", save_all=True, append_images=others, lossless=True)
    assert np.array_equal(load_image(data), noise())
    for keep in (len(data) - 1, len(data) - 100, len(data) // 2):
        with pytest.raises(PictureDecodeError):
            load_image(data[:keep])


@pytest.mark.parametrize("data", [LOSSLESS, LOSSY, CANVAS])
def test_lengths_that_cannot_be_true(data: bytes) -> None:
    for place in (4, 16):
        for length in (0, 1, 0x7FFFFFFE, 0xFFFFFFFF):
            with pytest.raises(PictureDecodeError):
                load_image(data[:place] + struct.pack("<I", length) + data[place + 4 :])


def test_a_file_without_pixels_or_of_an_unknown_kind() -> None:
    for body in (b"", b"VP8X\x0a\0\0\0" + bytes(10), b"ABCD\x02\0\0\0xx", b"VP8 \x0a\0\0\0" + bytes(10)):
        with pytest.raises(PictureDecodeError):
            load_image(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


def test_the_canvas_and_the_frames_are_held_against_the_limit() -> None:
    canvas = CANVAS[:24] + b"\xff\x3f\0\xff\x3f\0" + CANVAS[30:]
    with pytest.raises(PictureTooLargeError, match="16384 x 16384"):
        load_image(canvas)
    lossless = LOSSLESS[:21] + b"\xff\xff\xff" + bytes([LOSSLESS[24] | 0x0F]) + LOSSLESS[25:]
    with pytest.raises(PictureTooLargeError, match="16384 x 16384"):
        load_image(lossless)
    lossy = LOSSY[:26] + b"\xff\x3f\xff\x3f" + LOSSY[30:]
    with pytest.raises(PictureTooLargeError, match="16383 x 16383"):
        load_image(lossy)


def test_a_frame_that_is_larger_than_its_canvas_is_refused() -> None:
    at = CANVAS.index(b"VP8L") + 8
    bits = (16000 - 1) | (10000 - 1) << 14
    larger = CANVAS[: at + 1] + struct.pack("<I", bits) + CANVAS[at + 5 :]
    with pytest.raises((PictureDecodeError, PictureTooLargeError)):
        load_image(larger)


def test_what_comes_behind_the_end_is_no_part_of_the_picture() -> None:
    assert np.array_equal(load_image(LOSSLESS + b"more"), noise())
