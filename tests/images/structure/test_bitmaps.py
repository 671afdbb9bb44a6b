"""BMP and PNM: every kind of header, and headers that cannot be true."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import encoded, noise

PICTURE = noise(5, 8)
PADDED = np.dstack([PICTURE[..., ::-1], np.full((5, 8), 7, np.uint8)]).tobytes()
MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
CHANCE = np.random.default_rng(0)


def bmp(
    height: int, bits: int, body: bytes, *, compression: int = 0, between: bytes = b"", head: int = 40, colours: int = 0
) -> bytes:
    """A BMP of eight columns; `between` are masks or a palette, which longer heads hold in themselves."""
    fields = struct.pack("<IiiHHIIiiII", head, 8, height, 1, bits, compression, len(body), 0, 0, colours, 0)
    fields += (between + bytes(head))[: head - 40] if head > 40 else b""
    between = between[max(0, head - 40) :]
    begin = 14 + len(fields) + len(between)
    return b"BM" + struct.pack("<IHHI", begin + len(body), 0, 0, begin) + fields + between + body


class TestBmp:
    @pytest.mark.parametrize("head", [40, 52, 56, 108, 124])
    def test_four_bytes_a_pixel_under_every_header(self, head: int) -> None:
        masks = MASKS[:12] if head in {40, 52} else MASKS
        assert np.array_equal(load_image(bmp(-5, 32, PADDED, compression=3, between=masks, head=head)), PICTURE)

    def test_rows_from_below_and_from_above(self) -> None:
        rows = [row.tobytes() for row in PICTURE[..., ::-1]]
        assert np.array_equal(load_image(bmp(-5, 24, b"".join(rows))), PICTURE)
        assert np.array_equal(load_image(bmp(5, 24, b"".join(rows[::-1]))), PICTURE)

    def test_two_bytes_a_pixel(self) -> None:
        five = (PICTURE >> 3).astype(np.uint16)
        packed = (five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]).astype("<u2").tobytes()
        assert np.array_equal(load_image(bmp(-5, 16, packed)), five * 255 // 31)

    @pytest.mark.parametrize(("bits", "compression"), [(8, 1), (4, 2)])
    def test_run_lengths(self, bits: int, compression: int) -> None:
        colours = CHANCE.integers(0, 256, (1 << bits, 4)).astype(np.uint8)
        indices = CHANCE.integers(0, 16, (5, 8))
        shift = 4 if bits == 4 else 0
        pairs = np.dstack([np.ones_like(indices), indices << shift]).astype(np.uint8)
        runs = b"".join(row.tobytes() + b"\0\0" for row in pairs[::-1])
        data = bmp(5, bits, runs + b"\0\1", compression=compression, between=colours.tobytes())
        assert np.array_equal(load_image(data), colours[indices][..., 2::-1])
        with pytest.raises(PictureDecodeError):
            load_image(bmp(5, bits, runs[: len(runs) // 2], compression=compression, between=colours.tobytes()))

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
    def test_modes_that_pillow_writes(self, mode: str) -> None:
        picture = Image.fromarray(PICTURE).convert(mode)
        assert np.array_equal(load_image(encoded(picture, "BMP")), np.asarray(picture.convert("RGB")))

    def test_colours_that_its_palette_does_not_have(self) -> None:
        body = bytes([0, 1, 2, 3, 0, 0, 0, 0])
        with pytest.raises(PictureDecodeError, match="a number above the 3"):
            load_image(bmp(-1, 8, body, between=bytes(12), colours=3))
        assert load_image(bmp(-1, 8, body, between=bytes(16), colours=4)).shape == (1, 8, 3)

    @pytest.mark.parametrize(("height", "bits", "compression"), [(0, 24, 0), (5, 7, 0), (5, 24, 9), (5, 64, 0)])
    def test_headers_that_cannot_be_true(self, height: int, bits: int, compression: int) -> None:
        with pytest.raises(PictureDecodeError):
            load_image(bmp(height, bits, bytes(400), compression=compression))

    def test_sizes_are_held_against_the_limit(self) -> None:
        with pytest.raises((PictureDecodeError, PictureTooLargeError)):
            load_image(bmp(1 << 30, 24, bytes(400)))
        with pytest.raises(PictureTooLargeError):
            load_image(bmp(1 << 30, 8, b"\0\1", compression=1, between=bytes(1024)))


class TestPnm:
    @pytest.mark.parametrize("white", [1, 2, 15, 100, 254, 255, 256, 1000, 4095, 32768, 65534, 65535])
    @pytest.mark.parametrize("letter", [2, 3, 5, 6])
    def test_white_is_what_the_header_says(self, letter: int, white: int) -> None:
        values = CHANCE.integers(0, white + 1, (5, 8, 3 if letter in {3, 6} else 1))
        values.flat[0] = white
        if letter < 5:
            body = " ".join(map(str, values.ravel())).encode()
        else:
            body = values.astype(np.uint8 if white < 256 else ">u2").tobytes()
        loaded = load_image(b"P%d\n8 5\n%d\n" % (letter, white) + body)
        assert (loaded[0, 0, 0], loaded.shape) == (255, (5, 8, 3))
        shown = values >> 8 if white == 65535 else np.rint(values / white * 255)
        assert np.abs(loaded - shown).max() <= (0 if white in {255, 65535} else 1)

    @pytest.mark.parametrize(
        "head", [b"P5\n8 5\n255\n", b"P5 8 5 255 ", b"P5#c\n8#x 9\n5\n#a\n255\n", b"P5\n# 1 2\n8\t5\r255\n"]
    )
    def test_comments_and_gaps(self, head: bytes) -> None:
        grey = PICTURE[..., 0]
        assert np.array_equal(load_image(head + grey.tobytes()), np.repeat(grey[..., None], 3, axis=2))

    @pytest.mark.parametrize("data", [b"P1\n4 2\n01010011", b"P1\n4 2\n0 1 #x\n0 1 0 0 1 1", b"P4\n4 2\n\x50\x30"])
    def test_bitmaps_have_black_as_one(self, data: bytes) -> None:
        shown = 255 - 255 * np.array([[0, 1, 0, 1], [0, 0, 1, 1]])
        assert np.array_equal(load_image(data)[..., 0], shown)

    @pytest.mark.parametrize(
        "data",
        [
            b"P5\n2 1\n0\n\0\0",
            b"P5\n2 1\n65536\n\0\0\0\0",
            b"P5\n2 1\n-1\n\0\0",
            b"P5\n0 1\n255\n",
            b"P5\n2 0\n255\n",
            b"P5\n2 1\n",
            b"P5\n2 1\n255\n\0",
            b"P5\n2 1\n300\n\0\0\0",
            b"P5\n2 1\n100\n\0\xc8",
            b"P6\n1 1\n300\n\0\0\0\0\x02\0",
            b"P2\n2 1\n100\n1 200",
            b"P2\n2 1\n255\n1",
            b"P2\n2 1\n255\n1 x",
            b"P3\n1 1\n255\n1 -2 3",
            b"P1\n2 1\n0 2",
            b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0",
            b"Pf\n1 1\n-1\n\0\0\0\0",
        ],
    )
    def test_headers_and_samples_that_cannot_be_true(self, data: bytes) -> None:
        with pytest.raises(PictureDecodeError):
            load_image(data)

    def test_sizes_are_held_against_the_limit(self) -> None:
        with pytest.raises(PictureTooLargeError):
            load_image(b"P2\n9999999 9999999\n255\n1")
