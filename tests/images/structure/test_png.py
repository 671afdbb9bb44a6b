"""PNG: every kind of pixels, and damage of every kind."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import corners, encoded, noise
from tests.support.png_files import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, SIGNATURE, chunk, header, lines, png

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANCE = np.random.default_rng(0)
TINY = png(np.zeros((2, 3), np.uint8), 8, GREY)


def three(grey: NDArray[np.integer]) -> NDArray[np.integer]:
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_of_every_depth(bits: int) -> None:
    grey = CHANCE.integers(0, 1 << bits, (9, 13))
    shown = grey >> 8 if bits == 16 else grey * 255 // ((1 << bits) - 1)
    assert np.array_equal(load_image(png(grey, bits, GREY)), three(shown))
    see_through = chunk(b"tRNS", struct.pack(">H", int(grey[0, 0])))
    assert np.array_equal(load_image(png(grey, bits, GREY, before=see_through)), three(shown))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("kind", "channels"), [(GREY_ALPHA, 2), (RGB, 3), (RGBA, 4)])
def test_colour_and_alpha_of_both_depths(kind: int, channels: int, bits: int) -> None:
    samples = CHANCE.integers(0, 1 << bits, (9, 13, channels))
    samples[0, 0] = (1 << bits) - 1
    eight = samples >> bits - 8
    shown = three(eight[..., 0]) if kind == GREY_ALPHA else eight[..., :3]
    assert np.array_equal(load_image(png(samples, bits, kind, pieces=3)), shown)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_every_depth(bits: int) -> None:
    colours = CHANCE.integers(0, 256, (1 << bits, 3)).astype(np.uint8)
    indices = CHANCE.integers(0, 1 << bits, (9, 13))
    before = chunk(b"PLTE", colours.tobytes()) + chunk(b"tRNS", bytes(range(1 << bits)))
    assert np.array_equal(load_image(png(indices, bits, PALETTE, before=before)), colours[indices])


def test_interlaced_rows() -> None:
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    picture = noise(20, 21)
    parts = [picture[row::rows, column::columns] for row, column, rows, columns in passes]
    packed = zlib.compress(b"".join(lines(part.reshape(len(part), -1), 8) for part in parts))
    data = SIGNATURE + header(21, 20, 8, RGB, interlaced=1) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    assert np.array_equal(load_image(data), picture)


def test_palette_without_the_colours_of_its_pixels() -> None:
    indices = np.array([[0, 1, 2]])
    with pytest.raises(PictureDecodeError, match="a number above the 2 colours of its palette"):
        load_image(png(indices, 8, PALETTE, before=chunk(b"PLTE", bytes(6))))
    for palette in (b"", chunk(b"PLTE", bytes(4)), chunk(b"PLTE", b""), chunk(b"PLTE", bytes(3 * 257))):
        with pytest.raises(PictureDecodeError, match="its palette has"):
            load_image(png(indices, 8, PALETTE, before=palette))


def test_one_bit_changed_anywhere_but_in_the_signature() -> None:
    data = encoded(Image.fromarray(noise(6, 7)), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    for place in range(8, len(data)):
        with pytest.raises(PictureDecodeError):
            load_image(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


@pytest.mark.parametrize("frame", [0, 1])
def test_animation_with_a_damaged_frame(frame: int) -> None:
    pictures = [Image.fromarray(noise(seed=seed)) for seed in (0, 1)]
    data = encoded(pictures[0], "PNG", save_all=True, append_images=pictures[1:])
    assert np.array_equal(load_image(data), noise())
    at = data.index((b"IDAT", b"fdAT")[frame]) + 100
    with pytest.raises(PictureDecodeError, match="checksum"):
        load_image(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])


@pytest.mark.parametrize(
    ("head", "pixels"),
    [
        (header(0, 2, 8, GREY), bytes(8)),
        (header(3, 0, 8, GREY), bytes(8)),
        (header(3, 2, 3, GREY), bytes(8)),
        (header(3, 2, 8, 5), bytes(8)),
        (header(3, 2, 4, RGB), bytes(14)),
        (header(3, 2, 16, PALETTE), bytes(14)),
        (header(3, 2, 8, GREY, interlaced=2), bytes(8)),
        (chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, GREY, 1, 0, 0)), bytes(8)),
        (chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, GREY, 0, 1, 0)), bytes(8)),
        (chunk(b"IHDR", b""), bytes(8)),
        (header(3, 2, 8, GREY) * 2, bytes(8)),
        (b"", bytes(8)),
        (header(3, 3, 8, GREY), bytes(8)),  # a row is missing
        (header(3, 2, 8, GREY), b"\x09" + bytes(7)),  # an unknown filter
        (header(3, 2, 8, GREY), b""),
    ],
)
def test_headers_and_pixels_that_contradict_each_other(head: bytes, pixels: bytes) -> None:
    body = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    with pytest.raises(PictureDecodeError):
        load_image(SIGNATURE + head + body)


def test_chunks_that_are_missing_repeated_or_unknown() -> None:
    head, pixels = header(3, 2, 8, GREY), chunk(b"IDAT", zlib.compress(bytes(8)))
    end = chunk(b"IEND", b"")
    assert load_image(SIGNATURE + head + pixels + end).shape == (2, 3, 3)
    wrong = (head + end, head + pixels, pixels + end, head + chunk(b"IDAT", b"") + end)
    unknown, text = chunk(b"ABCD", b""), chunk(b"tEXt", b"a\0b")
    for parts in (*wrong, head + unknown + pixels + end, head + pixels + text + pixels + end):
        with pytest.raises(PictureDecodeError):
            load_image(SIGNATURE + parts)


def test_what_comes_behind_the_end_is_no_part_of_the_picture() -> None:
    data = encoded(Image.fromarray(corners()), "PNG")
    assert np.array_equal(load_image(data + b"more"), corners())


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, 1000])
@pytest.mark.parametrize("kind", [b"tEXt", b"IDAT", b"eXIf"])
def test_a_chunk_that_announces_more_than_the_file(kind: bytes, length: int) -> None:
    place = len(SIGNATURE) + 25
    with pytest.raises(PictureDecodeError, match="cut off"):
        load_image(TINY[:place] + struct.pack(">I", length) + kind + TINY[place:])


def test_sizes_are_held_against_the_limit_before_pixels_are_made() -> None:
    body = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    with pytest.raises(PictureTooLargeError, match="100000 x 100000"):
        load_image(SIGNATURE + header(100_000, 100_000, 8, GREY) + body)
