"""TIFF files of every layout come back as they were made."""

from __future__ import annotations

import lzma
import zlib

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError
from sam3_onnx.images import load_image
from tests.support import tiff_files as tags
from tests.support.pictures import encoded, noise
from tests.support.tiff_files import array_bytes, array_fields, tiff, tile_bytes

ORDERS = ("<", ">")
DEEP = np.random.default_rng(0).integers(0, 65536, (37, 53, 4)).astype(np.uint16)


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("samples", [1, 3, 4])
@pytest.mark.parametrize("is_deep", [False, True])
def test_strips_and_tiles_in_both_orders_of_bytes(samples: int, order: str, *, is_deep: bool, is_big: bool) -> None:
    array = DEEP[..., :samples] if is_deep else (DEEP[..., :samples] >> 8).astype(np.uint8)
    fields = array_fields(array)
    shown = np.broadcast_to((DEEP >> 8)[..., : min(3, samples)], (37, 53, 3))
    strips = [array_bytes(array[row : row + 10], order) for row in range(0, 37, 10)]
    assert np.array_equal(load_image(tiff(strips, fields | {tags.ROWS: [10]}, order=order, big=is_big)), shown)
    sides = {tags.TILE_WIDTH: [16], tags.TILE_HEIGHT: [16]}
    tiles = [zlib.compress(tile) for tile in tile_bytes(array, 16, order)]
    packed = tiff(tiles, fields | sides | {tags.COMPRESSION: [8]}, order=order, big=is_big)
    assert np.array_equal(load_image(packed), shown)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("is_deep", [False, True])
def test_planes_that_lie_apart(samples: int, compression: int, order: str, *, is_deep: bool) -> None:
    array = DEEP[..., :samples] if is_deep else (DEEP[..., :samples] >> 8).astype(np.uint8)
    planes = [array_bytes(array[..., index], order) for index in range(samples)]
    planes = planes if compression == 1 else [zlib.compress(plane) for plane in planes]
    fields = array_fields(array) | {tags.PLANAR: [2], tags.COMPRESSION: [compression]}
    assert np.array_equal(load_image(tiff(planes, fields, order=order)), (DEEP >> 8)[..., :3])


@pytest.mark.parametrize("kind", "HIhi")
def test_numbers_of_every_kind(kind: str) -> None:
    array = noise()
    assert np.array_equal(load_image(tiff([array_bytes(array)], array_fields(array), kind=kind)), array)


def test_palette_of_sixteen_bits_and_grey_of_few() -> None:
    indices = np.random.default_rng(1).integers(0, 16, (9, 14))
    packed = (indices[:, ::2] << 4 | indices[:, 1::2]).astype(np.uint8).tobytes()
    fields = {tags.WIDTH: [14], tags.HEIGHT: [9], tags.BITS: [4], tags.COMPRESSION: [1], tags.SAMPLES: [1]}
    palette = np.random.default_rng(2).integers(0, 65536, (3, 16))
    coloured = tiff([packed], fields | {tags.MEANING: [3], tags.PALETTE: palette.ravel().tolist()})
    assert np.array_equal(load_image(coloured), (palette >> 8).T[indices])
    for meaning, grey in ((1, indices * 17), (0, 255 - indices * 17)):
        shown = np.repeat(grey[..., None], 3, axis=2)
        assert np.array_equal(load_image(tiff([packed], fields | {tags.MEANING: [meaning]})), shown)


@pytest.mark.parametrize("order", ORDERS)
def test_grey_of_twelve_and_sixteen_bits_is_shifted(order: str) -> None:
    grey = DEEP[:, :52, 0]
    bits = (grey[..., None] >> np.arange(15, 3, -1)) & 1  # the upper twelve
    twelve = np.packbits(bits.reshape(len(grey), -1).astype(np.bool_), axis=1).tobytes()
    fields = array_fields(grey[..., None]) | {tags.BITS: [12]}
    shown = np.repeat((grey >> 8)[..., None], 3, axis=2)
    assert np.array_equal(load_image(tiff([twelve], fields, order=order)), shown)
    inverted = array_fields(grey[..., None]) | {tags.MEANING: [0]}
    assert np.array_equal(load_image(tiff([array_bytes(grey, order)], inverted, order=order)), 255 - shown)


@pytest.mark.parametrize("compression", [1, 8])
def test_bytes_that_begin_with_their_lowest_bit(compression: int) -> None:
    bits = np.random.default_rng(3).random((9, 40)) < 0.5
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    plain = np.packbits(bits, axis=1).tobytes()
    strip = (plain if compression == 1 else zlib.compress(plain)).translate(turned)
    fields = {tags.WIDTH: [40], tags.HEIGHT: [9], tags.MEANING: [1], tags.COMPRESSION: [compression]}
    shown = np.repeat(bits[..., None] * np.uint8(255), 3, axis=2)
    assert np.array_equal(load_image(tiff([strip], fields | {tags.FILL_ORDER: [2]})), shown)


@pytest.mark.parametrize("sides", [(1, 1), (2, 1), (2, 2), None])
def test_subsampled_chroma_without_compression(sides: tuple[int, int] | None) -> None:
    across, down = sides or (2, 2)  # what TIFF 6.0 says where the tag is missing
    plain = np.asarray(Image.new("RGB", (32, 16), (200, 90, 40)).convert("YCbCr"))
    unit = bytes([plain[0, 0, 0]]) * across * down + plain[0, 0, 1:].tobytes()
    strip = unit * (32 // across * 16 // down)
    fields = array_fields(plain) | {tags.MEANING: [6]} | ({tags.SUBSAMPLING: sides} if sides else {})
    assert np.abs(load_image(tiff([strip], fields)).astype(int) - (200, 90, 40)).max() <= 3


@pytest.mark.parametrize("compression", ["tiff_ccitt", "group3", "group4", "tiff_lzw", "packbits"])
def test_compressions_that_pillow_writes(compression: str) -> None:
    bits = Image.fromarray(noise()).convert("1")
    shown = np.asarray(bits.convert("RGB"))
    assert np.array_equal(load_image(encoded(bits, "TIFF", compression=compression)), shown)


def test_lzma() -> None:
    fields = array_fields(noise()) | {tags.COMPRESSION: [34925]}
    assert np.array_equal(load_image(tiff([lzma.compress(array_bytes(noise()))], fields)), noise())


def test_associated_alpha_is_taken_out_of_the_colours() -> None:
    array = np.full((4, 4, 4), (50, 100, 20, 128), np.uint8)
    fields = array_fields(array) | {tags.EXTRA: [1]}
    assert np.abs(load_image(tiff([array_bytes(array)], fields)).astype(int) - (100, 199, 40)).max() <= 1


@pytest.mark.parametrize(("bits", "sample_format", "name"), [(8, 2, "signed"), (16, 2, "signed"), (32, 1, "unsigned")])
def test_samples_of_an_unknown_range_are_refused_with_what_to_do(bits: int, sample_format: int, name: str) -> None:
    fields = {tags.WIDTH: [4], tags.HEIGHT: [4], tags.BITS: [bits], tags.MEANING: [1], tags.SAMPLES: [1]}
    data = tiff([bytes(4 * 4 * bits // 8)], fields | {tags.SAMPLE_FORMAT: [sample_format]})
    with pytest.raises(PictureDecodeError, match=rf"{name} samples of {bits} bits.*Scale the samples from their range"):
        load_image(data)
    with pytest.raises(PictureDecodeError, match="floating-point samples of 16 bits"):
        load_image(tiff([bytes(32)], fields | {tags.BITS: [16], tags.SAMPLE_FORMAT: [3]}))
