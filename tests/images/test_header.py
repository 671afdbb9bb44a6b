"""Is a picture turned as its EXIF says, and one beyond the limit refused by its header alone?"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import LOSSLESS, OPENCV, corners, encoded, exif, mean_difference, noise

if TYPE_CHECKING:
    from collections.abc import Mapping


def tiff_block(orientation: int, *, order: str = "<", offset: int = 8) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", offset)
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return head.ljust(offset, b"\0") + struct.pack(order + "H", 1) + entry + bytes(4)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    def test_files_are_turned_upright(self, kind: str, orientation: int) -> None:
        if kind == "AVIF" and (OPENCV < (4, 12) or not features.check("avif")):
            pytest.skip("AVIF cannot be read or written here")
        data = encoded(Image.fromarray(corners()), kind, exif=exif(orientation), quality=95)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        loaded = load_image(data)
        assert mean_difference(loaded, np.asarray(upright)) < 2
        assert loaded.flags.c_contiguous

    @pytest.mark.parametrize("orientation", [1, 4, 5, 8])
    @pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16"])
    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_files_of_other_modes_are_turned_too(self, kind: str, mode: str, orientation: int) -> None:
        picture = Image.fromarray(corners())
        picture = Image.fromarray(corners()[..., 0].astype(np.uint16) << 8) if mode == "I;16" else picture.convert(mode)
        data = encoded(picture, kind, exif=exif(orientation))
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        expected = np.asarray(upright) >> 8 if mode == "I;16" else np.asarray(upright.convert("RGB"))
        assert mean_difference(load_image(data), load_image(expected.astype(np.uint8))) < 2

    def test_finds_exif_wherever_a_jpeg_keeps_it(self) -> None:
        plain = encoded(Image.fromarray(corners()), "JPEG", quality=95)
        expected = np.rot90(load_image(plain), -1)
        mark = b"Exif\0\0"
        xmp = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
        little, big = (jpeg_segment(0xE1, mark + tiff_block(6, order=order)) for order in "<>")
        behind_jfif = 4 + struct.unpack(">H", plain[4:6])[0]
        for data in (
            plain[:2] + little + plain[2:],
            plain[:2] + big + plain[2:],
            plain[:2] + xmp + little + plain[2:],
            plain[:behind_jfif] + xmp + big + plain[behind_jfif:],
            plain[:2] + b"\xff\xff" + little + plain[2:],
            plain[:2] + jpeg_segment(0xE1, mark + tiff_block(6, offset=20)) + plain[2:],
            plain[:2] + little + jpeg_segment(0xE1, mark + tiff_block(3)) + plain[2:],
        ):
            assert np.array_equal(load_image(data), expected)

    def test_finds_exif_at_the_end_of_a_png(self) -> None:
        plain = encoded(Image.fromarray(corners()), "PNG")
        end = plain.rindex(b"IEND") - 4
        data = plain[:end] + png_chunk(b"eXIf", tiff_block(6, order=">")) + plain[end:] + b"rest"
        assert np.array_equal(load_image(data), np.rot90(corners(), -1))

    @pytest.mark.parametrize("damaged", [tiff_block(9), tiff_block(0), b"II*\0\xff\xff\xff\x7f", b"", b"nonsense"])
    def test_damaged_exif_leaves_the_picture_as_it_is(self, damaged: bytes) -> None:
        plain = encoded(Image.fromarray(corners()), "JPEG")
        data = plain[:2] + jpeg_segment(0xE1, b"Exif\0\0" + damaged) + plain[2:]
        assert np.array_equal(load_image(data), load_image(plain))

    def test_pil_images_are_taken_as_they_are(self) -> None:
        data = encoded(Image.fromarray(corners()), "PNG", exif=exif(6))
        assert np.array_equal(load_image(Image.open(io.BytesIO(data))), corners())


def claiming(kind: str, width: int, height: int) -> bytes:
    """A small file whose header claims a size."""
    data = bytearray(encoded(Image.new("RGB", (64, 64)), kind, **LOSSLESS.get(kind, {})))
    if kind == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    elif kind == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", width, -height)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "WEBP":
        data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    elif kind == "PPM":
        return b"P6 # made up\n%d %d\n255\n" % (width, height)
    elif kind == "JPEG2000":
        at = data.index(b"\xff\x4f\xff\x51")
        data[at + 8 : at + 16] = struct.pack(">II", width, height)
    elif kind == "TIFF":
        return bytes(data.replace(struct.pack("<HHIHH", 256, 4, 1, 64, 0), struct.pack("<HHII", 256, 4, 1, width)))
    return bytes(data)


class TestPixelLimit:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM", "JPEG2000"])
    def test_refused_by_the_header_alone(self, kind: str) -> None:
        width = height = 16_000
        with pytest.raises(PictureTooLargeError, match="16000 x 16000"):
            load_image(claiming(kind, width, height))

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "PPM", "JPEG2000", "TIFF", "AVIF", "GIF"])
    @pytest.mark.parametrize("options", [{}, {"exif": exif(6)}])
    def test_limit_counts_the_pixels_of_the_picture(self, kind: str, options: Mapping[str, bytes]) -> None:
        if OPENCV < (4, 12) and kind in {"AVIF", "GIF"}:
            pytest.skip("this OpenCV reads no such file")
        data = encoded(Image.fromarray(noise(60, 80)), kind, **options)
        assert load_image(data, max_pixels=4800).size == 4800 * 3
        assert load_image(data, max_pixels=None).size == 4800 * 3
        with pytest.raises(PictureTooLargeError, match="80 x 60 = 4800 pixels"):
            load_image(data, max_pixels=4799)

    def test_sizes_that_even_opencv_refuses(self) -> None:
        for side in (40_000, 2**20 + 1):
            with pytest.raises(PictureDecodeError):
                load_image(claiming("PNG", side, side), max_pixels=None)

    def test_pil_images_before_they_are_decoded(self) -> None:
        picture = Image.open(io.BytesIO(encoded(Image.fromarray(noise()), "PNG")))
        with pytest.raises(PictureTooLargeError):
            load_image(picture, max_pixels=4799)
        assert load_image(picture, max_pixels=4800).size == 4800 * 3

    def test_arrays_are_never_refused(self) -> None:
        assert load_image(noise(), max_pixels=1).shape == (60, 80, 3)
