"""What a file claims takes no memory beyond its picture, and too little memory is not called damage."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError
from sam3_onnx.images import load_image
from tests.support import tiff_files as tags
from tests.support.pictures import encoded, noise
from tests.support.png_files import chunk
from tests.support.tiff_files import array_bytes, array_fields, tiff

if TYPE_CHECKING:
    from collections.abc import Callable

PNG = encoded(Image.fromarray(noise()), "PNG")
JPEG = encoded(Image.fromarray(noise()), "JPEG")
OPTIONS: dict[str, dict[str, object]] = {"AVIF": {"speed": 10}, "TIFF": {"compression": "tiff_lzw"}}
CHILD = """
import resource, sys
from sam3_onnx.images import load_image
from sam3_onnx.errors import PictureError
load_image(sys.stdin.buffer.read(int(sys.argv[1])))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
try:
    print(load_image(sys.stdin.buffer.read(), max_pixels=None).shape)
except PictureError:
    print("refused")
except MemoryError:
    print("out of memory")
"""


@cache
def zeros() -> bytes:
    """A gigabyte of zeros, packed: one block, many times over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + block * 1024 + packer.flush() + struct.pack(">I", ((1 << 30) % 65521) << 16 | 1)


def in_little_memory(data: bytes) -> str:
    """What a process with 200 MB to spare makes of a file."""
    if sys.platform != "linux":
        pytest.skip("memory is limited on Linux only")
    command = [sys.executable, "-c", CHILD, str(len(PNG))]
    run = subprocess.run(command, input=PNG + data, capture_output=True, check=True)  # noqa: S603 - our own code
    return run.stdout.decode().strip()


@pytest.mark.parametrize("start", [b"zTXta\0\0", b"iTXta\0\1\0\0\0", b"iCCPa\0\0", b"tEXta\0"])
def test_packed_text_and_profiles_of_a_png_stay_packed(start: bytes) -> None:
    bomb = chunk(start[:4], start[4:] + zeros())
    for place in (33, len(PNG) - 12):
        assert in_little_memory(PNG[:place] + bomb + PNG[place:]) == "(60, 80, 3)"


def test_pixels_of_a_png_that_unpack_to_more_than_the_picture() -> None:
    head = PNG[:33]
    data = head + chunk(b"IDAT", zeros()) + chunk(b"IEND", b"")
    assert in_little_memory(data) in {"(60, 80, 3)", "refused"}


@pytest.mark.parametrize(
    "entry",
    [(700, 7, 1 << 30, 8), (34675, 7, 0xFFFFFFFF, 8), (258, 3, 1 << 30, 8), (320, 3, 1 << 30, 8), (273, 4, 1 << 28, 8)],
)
def test_tags_of_a_tiff_that_claim_more_than_the_file(entry: tuple[int, int, int, int]) -> None:
    data = bytearray(tiff([array_bytes(noise())], array_fields(noise())))
    at = int.from_bytes(data[4:8], "little") + 2
    places = range(at, at + 12 * data[at - 2], 12)
    here = next((place for place in places if data[place : place + 2] == struct.pack("<H", entry[0])), places[-1])
    data[here : here + 12] = struct.pack("<HHII", *entry)
    assert in_little_memory(bytes(data)) == "refused"


def test_tiff_strips_that_unpack_to_more_than_the_picture() -> None:
    fields = array_fields(noise()) | {tags.COMPRESSION: [8]}
    assert in_little_memory(tiff([zeros()], fields)) == "refused"


@pytest.mark.parametrize(
    "sides",
    [
        {tags.ROWS: [0xFFFFFFFF]},
        {tags.TILE_WIDTH: [1 << 15], tags.TILE_HEIGHT: [1 << 15], tags.COMPRESSION: [5]},
        {tags.WIDTH: [1 << 20], tags.HEIGHT: [1 << 20], tags.ROWS: [1 << 20], tags.COMPRESSION: [5]},
    ],
)
def test_sizes_that_no_memory_holds(sides: dict[int, list[int]]) -> None:
    data = tiff([array_bytes(noise())], array_fields(noise()) | sides)
    assert in_little_memory(data) in {"refused", "out of memory", "(60, 80, 3)"}


@pytest.mark.parametrize("marker", [0xE1, 0xE2, 0xFE])
def test_segments_of_a_jpeg_take_no_more_than_the_file(marker: int) -> None:
    segment = (
        bytes([0xFF, marker]) + struct.pack(">H", 65535) + b"Exif\0\0MM\0*\0\0\0\x08\xff\xff".ljust(65533, b"\xff")
    )
    data = JPEG[:2] + segment * 30 + JPEG[2:]
    assert peak_of(lambda: load_image(data)) < 3 * len(data) + (1 << 20)
    assert np.array_equal(load_image(data), load_image(JPEG))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "JPEG", "WEBP"])
def test_a_picture_takes_no_more_than_a_few_times_its_pixels(kind: str) -> None:
    picture = noise(600, 800)
    data = encoded(Image.fromarray(picture), kind)
    load_image(data)
    assert peak_of(lambda: load_image(data)) < 2 * picture.nbytes + 3 * len(data)


def peak_of(call: Callable[[], object]) -> int:
    """Bytes that Python and NumPy hold at most during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("error", [-9, -2])
def test_too_little_memory_is_not_called_damage(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Decoders report it by number; it reaches the caller as `MemoryError`, and damage as an error of the library."""

    class Failing:
        pulls_fd = False

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

        def decode(self, _data: bytes) -> tuple[int, int]:
            return -1, error

    expected = MemoryError if error == -9 else PictureDecodeError
    opened = Image.open(io.BytesIO(PNG))
    monkeypatch.setattr(Image, "_getdecoder", decoder_of(Failing))
    for picture in (PNG, encoded(Image.new("RGB", (4, 4)), "TIFF"), opened):
        with pytest.raises(expected):
            load_image(picture)


def decoder_of(failing: type) -> Callable[..., object]:
    """Pillow's way to decoders, with one that fails in place of all but the library's own."""
    real = Image._getdecoder  # noqa: SLF001 - what is stood in for
    return lambda mode, name, *more: real(mode, name, *more) if name.startswith("sam3") else failing()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF", "JPEG2000", "GIF"])
def test_a_whole_picture_is_never_called_damaged_for_want_of_memory(kind: str) -> None:
    try:
        data = encoded(Image.new("RGB", (5000, 5000), (9, 99, 199)), kind, **OPTIONS.get(kind, {}))
    except (KeyError, OSError):
        pytest.skip(f"this Pillow has no {kind}")
    assert in_little_memory(data) in {"out of memory", "(5000, 5000, 3)"}
