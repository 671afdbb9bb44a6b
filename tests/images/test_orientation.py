"""Files are turned upright as EXIF asks for, in every format that carries it."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from sam3_onnx.images import load_image
from tests.support import tiff_files as tags
from tests.support.pictures import corners, encoded, exif, mean_difference
from tests.support.tiff_files import array_bytes, array_fields, tiff, tile_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORIENTATIONS = range(1, 9)
PICTURE = Image.fromarray(corners())


def upright(orientation: int) -> NDArray[np.uint8]:
    """The four quarters as Pillow turns them."""
    plain = Image.open(io.BytesIO(encoded(PICTURE, "PNG", exif=exif(orientation))))
    return np.asarray(ImageOps.exif_transpose(plain))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("MPO", {"quality": 95, "subsampling": 0, "save_all": True, "append_images": [PICTURE]}),
        pytest.param(
            *("AVIF", {"quality": 95, "subsampling": "4:4:4", "speed": 10}),
            marks=pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF"),
        ),
    ],
)
def test_exif_turns(kind: str, options: dict[str, object], orientation: int) -> None:
    """In an AVIF, Pillow writes it as boxes that turn and mirror (irot, imir)."""
    loaded = load_image(encoded(PICTURE, kind, exif=exif(orientation), **options))
    assert mean_difference(loaded, upright(orientation)) < 2
    assert loaded.flags.c_contiguous


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("tile", [0, 16])
def test_tiff_turns_strips_and_tiles(tile: int, compression: int, orientation: int) -> None:
    array = corners()
    blocks = tile_bytes(array, tile) if tile else [array_bytes(array)]
    blocks = blocks if compression == 1 else [zlib.compress(block) for block in blocks]
    fields = array_fields(array) | {tags.ORIENTATION: [orientation], tags.COMPRESSION: [compression]}
    fields |= {tags.TILE_WIDTH: [tile], tags.TILE_HEIGHT: [tile]} if tile else {}
    assert np.array_equal(load_image(tiff(blocks, fields)), upright(orientation))


@pytest.mark.parametrize("kind", "HIhi")
@pytest.mark.parametrize("order", "<>")
def test_orientation_in_any_kind_of_number(order: str, kind: str) -> None:
    number = {"H": 3, "I": 4, "h": 8, "i": 9}[kind]
    value = struct.pack(order + kind, 6).ljust(4, b"\0")
    block = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, 1)
    block += struct.pack(order + "HHI", 274, number, 1) + value + bytes(4)
    for data in (block, b"Exif\0\0" + block):
        assert np.array_equal(load_image(encoded(PICTURE, "PNG", exif=data)), upright(6))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    assert np.array_equal(load_image(encoded(PICTURE, "PNG", exif=exif(orientation))), corners())
    fields = array_fields(corners()) | {tags.ORIENTATION: [orientation]}
    assert np.array_equal(load_image(tiff([array_bytes(corners())], fields)), corners())


def test_damaged_exif_turns_nothing_and_warns_of_nothing() -> None:
    whole = exif(6)
    damaged = (whole[:3], whole[:14], whole[:8] + b"\xff" * 30, whole[:10] + b"\xff\xff\xff\xff", b"XX" + whole)
    for data in damaged:
        for kind in ("PNG", "JPEG", "WEBP"):
            options = {"lossless": True} if kind == "WEBP" else {}
            assert load_image(encoded(PICTURE, kind, exif=data, **options)).shape == corners().shape


def test_a_pil_image_is_taken_as_it_is() -> None:
    opened = Image.open(io.BytesIO(encoded(PICTURE, "PNG", exif=exif(6))))
    assert np.array_equal(load_image(opened), corners())
