"""AVIF and JPEG 2000: kinds of samples, boxes that do not fit, and sizes that contradict each other."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, features

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import corners, encoded, mean_difference, noise

if TYPE_CHECKING:
    from collections.abc import Callable

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
SMOOTH = Image.fromarray(noise(6, 8)).resize((93, 61), Image.Resampling.BICUBIC)
CODESTREAM = b"\xff\x4f\xff\x51"


def jpeg_2000(mode: str = "RGB", **options: object) -> bytes:
    return encoded(SMOOTH.convert(mode), "JPEG2000", **options)


def in_codestream(data: bytes, place: int, new: bytes) -> bytes:
    """The file with other bytes at a place of the segment that says its size (SIZ)."""
    at = data.index(CODESTREAM) + 2 + place
    return data[:at] + new + data[at + len(new) :]


class TestJpeg2000:
    @pytest.mark.parametrize("options", [{}, {"no_jp2": True}, {"tile_size": (32, 32)}, {"tile_offset": (0, 0)}])
    @pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
    def test_lossless_files_come_back_to_the_bit(self, mode: str, options: dict[str, object]) -> None:
        shown = np.asarray(SMOOTH.convert(mode).convert("RGB"))
        assert np.array_equal(load_image(jpeg_2000(mode, **options)), shown)

    def test_grey_of_sixteen_bits_is_shifted(self) -> None:
        deep = np.arange(0, 65536, 17, dtype=np.uint16)[:3840].reshape(60, 64)
        deep[0, :2] = 65535, 0
        data = encoded(Image.fromarray(deep), "JPEG2000")
        assert np.array_equal(load_image(data), np.repeat((deep >> 8)[..., None], 3, axis=2))

    @pytest.mark.parametrize(
        ("mode", "kinds", "reason"),
        [
            ("RGB", b"\x0f\1\1\x0f\1\1\x0f", "3 channels of 16 bits"),
            ("RGBA", b"\x0b\1\1\x0b\1\1\x0b", "4 channels of 12 bits"),
            ("LA", b"\x0f\1\1\x0f", "2 channels of 16 bits"),
            ("L", b"\x87", "8 bits, signed"),
            ("RGB", b"\x87\1\1\x87\1\1\x87", "signed"),
            ("L", b"\0", "of 1 bits, but at least eight"),
        ],
    )
    def test_samples_that_pillow_would_answer_wrongly(self, mode: str, kinds: bytes, reason: str) -> None:
        """Pillow makes black of the white of 16 bits in colour, and 128 of the white of one bit."""
        with pytest.raises(PictureDecodeError, match=rf"{reason}.*Scale the samples"):
            load_image(in_codestream(jpeg_2000(mode), 40, kinds))

    @pytest.mark.parametrize("data", [jpeg_2000(), jpeg_2000(no_jp2=True), jpeg_2000(tile_size=(32, 32))])
    def test_a_file_that_is_cut_or_has_lost_a_tile(self, data: bytes) -> None:
        for keep in range(13, len(data) - 2, len(data) // 40):
            with pytest.raises(PictureDecodeError):
                load_image(data[:keep])
            with pytest.raises(PictureDecodeError):
                load_image(data[:keep] + b"\xff\xd9")

    @pytest.mark.parametrize(
        ("place", "new"),
        [
            (6, bytes(4)),  # no columns
            (10, bytes(4)),  # no rows
            (14, struct.pack(">I", 200)),  # begins behind its end
            (22, bytes(4)),  # tiles without columns
            (22, struct.pack(">I", 10)),  # other tiles than there are
            (38, b"\0\0"),  # no channels
            (38, b"\0\x09"),
        ],
    )
    def test_sizes_that_contradict_each_other(self, place: int, new: bytes) -> None:
        for data in (jpeg_2000(), jpeg_2000(no_jp2=True)):
            with pytest.raises(PictureDecodeError):
                load_image(in_codestream(data, place, new))

    def test_sizes_of_the_box_and_of_the_codestream_differ(self) -> None:
        data = jpeg_2000()
        at = data.index(b"ihdr") + 4
        with pytest.raises(PictureDecodeError):
            load_image(data[:at] + struct.pack(">II", 61, 94) + data[at + 8 :])

    def test_the_limit_holds_for_the_codestream(self) -> None:
        large = in_codestream(jpeg_2000(no_jp2=True), 6, struct.pack(">II", 60_000, 60_000))
        large = in_codestream(large, 22, struct.pack(">II", 60_000, 60_000))
        with pytest.raises(PictureTooLargeError, match="60000 x 60000"):
            load_image(large)


@needs_avif
class TestAvif:
    @pytest.mark.parametrize("subsampling", ["4:0:0", "4:2:0", "4:4:4"])
    def test_every_subsampling(self, subsampling: str) -> None:
        data = encoded(SMOOTH, "AVIF", quality=95, speed=10, subsampling=subsampling)
        shown = np.asarray(SMOOTH.convert("L" if subsampling == "4:0:0" else "RGB").convert("RGB"))
        assert mean_difference(load_image(data), shown) < 4

    def test_alpha_is_dropped_and_not_blended(self) -> None:
        clear = SMOOTH.copy()
        clear.putalpha(40)
        data = encoded(clear, "AVIF", quality=100, speed=10, subsampling="4:4:4")
        assert mean_difference(load_image(data), np.asarray(SMOOTH)) < 2

    def test_the_first_frame_of_several(self) -> None:
        others = [Image.fromarray(corners()[::-1].copy())] * 2
        data = encoded(Image.fromarray(corners()), "AVIF", save_all=True, append_images=others, speed=10, quality=95)
        assert mean_difference(load_image(data), corners()) < 8

    def test_a_file_that_is_cut(self) -> None:
        data = encoded(SMOOTH, "AVIF", speed=10)
        for keep in [*range(12, len(data), len(data) // 60), len(data) - 1]:
            with pytest.raises(PictureDecodeError):
                load_image(data[:keep])

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: data.replace(b"ispe", b"free"),
            lambda data: data.replace(b"meta", b"free"),
            lambda data: data.replace(b"av1C", b"free"),
        ],
    )
    def test_boxes_that_contradict_each_other(self, change: Callable[[bytes], bytes]) -> None:
        with pytest.raises(PictureDecodeError):
            load_image(change(encoded(SMOOTH, "AVIF", speed=10)))

    def test_the_largest_size_is_held_against_the_limit(self) -> None:
        data = encoded(SMOOTH, "AVIF", speed=10)
        at = data.index(b"ispe") + 8
        with pytest.raises(PictureTooLargeError, match="50000 x 50000"):
            load_image(data[:at] + struct.pack(">II", 50_000, 50_000) + data[at + 8 :])
