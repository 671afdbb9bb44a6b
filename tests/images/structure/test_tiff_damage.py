"""TIFF files that are damaged, contradict themselves, or ask for memory beyond the picture."""

from __future__ import annotations

import lzma
import zlib
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support import tiff_files as tags
from tests.support.pictures import encoded, noise
from tests.support.tiff_files import array_bytes, array_fields, tiff, tile_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

ARRAY = noise()
FIELDS = array_fields(ARRAY)
STRIP = array_bytes(ARRAY)
by_lzma = partial(lzma.compress, check=lzma.CHECK_CRC64)
PACKERS: dict[int, Callable[[bytes], bytes]] = {8: zlib.compress, 32946: zlib.compress, 34925: by_lzma}


@pytest.mark.parametrize("compression", sorted(PACKERS))
def test_a_checksum_that_does_not_hold(compression: int) -> None:
    packed = PACKERS[compression](STRIP)
    fields = FIELDS | {tags.COMPRESSION: [compression]}
    for change in range(1, len(packed), len(packed) // 40):
        damaged = packed[:change] + bytes([packed[change] ^ 0x10]) + packed[change + 1 :]
        with pytest.raises(PictureDecodeError, match="strip or tile 0 is damaged"):
            load_image(tiff([damaged], fields))


@pytest.mark.parametrize("compression", sorted(PACKERS))
def test_a_strip_that_ends_early_though_the_file_does_not(compression: int) -> None:
    short = PACKERS[compression](STRIP)[:-20]
    with pytest.raises(PictureDecodeError, match="ends early"):
        load_image(tiff([short], FIELDS | {tags.COMPRESSION: [compression]}))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "jpeg", "tiff_adobe_deflate", "raw"])
def test_a_file_that_is_cut_within_its_pixels(compression: str) -> None:
    data = encoded(Image.fromarray(ARRAY), "TIFF", compression=compression)
    for keep in range(4, len(data), len(data) // 30):
        with pytest.raises(PictureDecodeError):
            load_image(data[:keep])


def test_a_strip_of_jpeg_without_its_end() -> None:
    data = encoded(Image.fromarray(ARRAY), "TIFF", compression="jpeg")
    end = data.index(b"\xff\xd9", data.index(b"\xff\xda"))
    with pytest.raises(PictureDecodeError, match="the marker that ends a JPEG is missing"):
        load_image(data[:end] + bytes(2) + data[end + 2 :])


@pytest.mark.parametrize("compression", [6, 34712, 50001, 34887, 99])
def test_compressions_that_are_not_read(compression: int) -> None:
    """The JPEG of TIFF 6.0, JPEG 2000, WebP, LERC, and one that is none."""
    with pytest.raises(PictureDecodeError, match=r"compression|damaged"):
        load_image(tiff([STRIP], FIELDS | {tags.COMPRESSION: [compression]}))


@pytest.mark.parametrize(
    "change",
    [
        {tags.WIDTH: [0]},
        {tags.HEIGHT: [0]},
        {tags.SAMPLES: [0]},
        {tags.ROWS: [0]},
        {tags.BITS: [8, 8, 16]},
        {tags.WIDTH: [80, 80]},
        {tags.WIDTH: [81]},
        {tags.HEIGHT: [61], tags.ROWS: [61]},
        {tags.MEANING: [77]},
        {tags.SAMPLES: [200], tags.BITS: [8]},
        {tags.ROWS: [10]},
        {tags.SIZES: [10]},
        {tags.SIZES: [1 << 30]},
        {tags.STRIPS: [1 << 30]},
        {tags.TILES: [8]},
    ],
    ids=str,
)
def test_headers_that_cannot_be_true(change: dict[int, list[int]]) -> None:
    with pytest.raises(PictureDecodeError):
        load_image(tiff([STRIP], FIELDS | change))


def test_a_palette_that_is_too_short() -> None:
    fields = array_fields(ARRAY[..., :1]) | {tags.MEANING: [3], tags.PALETTE: [7] * 30}
    with pytest.raises(PictureDecodeError, match="palette"):
        load_image(tiff([array_bytes(ARRAY[..., :1])], fields))


def test_strips_are_read_as_tiles_where_tiles_have_a_size() -> None:
    """As libtiff reads them, to which the offsets of strips and of tiles are one field."""
    fields = FIELDS | {tags.TILE_WIDTH: [32], tags.TILE_HEIGHT: [32]}
    assert (load_image(tiff(tile_bytes(ARRAY, 32), fields, ending="strips")) == ARRAY).all()
    huge = FIELDS | {tags.TILE_WIDTH: [1 << 20], tags.TILE_HEIGHT: [1 << 12], tags.COMPRESSION: [5]}
    with pytest.raises(PictureTooLargeError):
        load_image(tiff([b"\x80\x00"], huge, ending="strips"))


@pytest.mark.parametrize("kind", "Ii")
def test_sizes_count_whatever_numbers_they_are_written_as(kind: str) -> None:
    fields = FIELDS | {tags.WIDTH: [60_000], tags.HEIGHT: [60_000], tags.ROWS: [60_000], tags.COMPRESSION: [5]}
    with pytest.raises(PictureTooLargeError, match="60000 x 60000"):
        load_image(tiff([b"\x80\x00"], fields, kind=kind))


def test_tiles_are_held_against_the_limit() -> None:
    fields = FIELDS | {tags.TILE_WIDTH: [16_000], tags.TILE_HEIGHT: [16_000], tags.COMPRESSION: [5]}
    with pytest.raises(PictureTooLargeError, match="16000 x 16000"):
        load_image(tiff([b"\x80\x00"], fields))


def test_a_directory_that_leads_to_itself_ends() -> None:
    data = bytearray(tiff([STRIP], FIELDS))
    at = int.from_bytes(data[4:8], "little")
    data[at + 2 + 12 * data[at] : at + 6 + 12 * data[at]] = data[4:8]
    assert (load_image(bytes(data)) == ARRAY).all()


def test_a_second_page_that_lies_beyond_the_end_is_seen() -> None:
    data = encoded(Image.fromarray(ARRAY), "TIFF", save_all=True, append_images=[Image.fromarray(ARRAY)])
    assert (load_image(data) == ARRAY).all()
    with pytest.raises(PictureDecodeError):
        load_image(data[:-100])
