"""GIF: the first frame, wherever it lies and whatever comes after it."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import encoded, noise

CHANCE = np.random.default_rng(0)
COLOURS = CHANCE.integers(0, 256, (256, 3)).astype(np.uint8)
OTHERS = CHANCE.integers(0, 256, (256, 3)).astype(np.uint8)
INDICES = CHANCE.integers(0, 256, (9, 13)).astype(np.uint8)
SHOWN = COLOURS[INDICES]


def blocks(indices: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """Pixels as GIF packs them: every code has nine bits, and the table is cleared before it grows."""
    codes = []
    for at, index in enumerate(indices.ravel().tolist()):
        codes += ([256] if at % 200 == 0 else []) + [index]
    bits = "".join(f"{code:09b}"[::-1] for code in [*codes, 257])
    packed = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    parts = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return b"\x08" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def frame(
    indices: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    *,
    left: int = 0,
    top: int = 0,
    colours: bytes = b"",
    transparent: int | None = None,
    disposal: int = 0,
) -> bytes:
    flags = disposal << 2 | (transparent is not None)
    control = b"\x21\xf9\x04" + bytes([flags, 0, 0, transparent or 0, 0])
    height, width = indices.shape
    place = struct.pack("<HHHHB", left, top, width, height, 0x87 if colours else 0)
    return control + b"\x2c" + place + colours + blocks(indices)


def gif(*frames: bytes, width: int = 13, height: int = 9, colours: bytes = COLOURS.tobytes()) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x87 if colours else 0, 0, 0)
    return b"GIF89a" + screen + colours + b"".join(frames) + b"\x3b"


def test_colours_of_the_file_or_of_the_frame() -> None:
    assert np.array_equal(load_image(gif(frame(INDICES))), SHOWN)
    assert np.array_equal(load_image(gif(frame(INDICES, colours=OTHERS.tobytes()))), OTHERS[INDICES])
    assert np.array_equal(load_image(gif(frame(INDICES, colours=OTHERS.tobytes()), colours=b"")), OTHERS[INDICES])


def test_transparent_pixels_keep_their_colour() -> None:
    for disposal in range(4):
        data = gif(frame(INDICES, transparent=int(INDICES[0, 0]), disposal=disposal), frame(INDICES))
        assert np.array_equal(load_image(data), SHOWN)


def test_interlaced_rows() -> None:
    picture = Image.fromarray(noise()).quantize(64)
    shown = np.asarray(picture.convert("RGB"))
    assert np.array_equal(load_image(encoded(picture, "GIF", interlace=1)), shown)


def test_a_frame_that_does_not_fill_the_screen_or_reaches_over_it() -> None:
    inside = load_image(gif(frame(INDICES, left=4, top=2), width=20, height=12))
    assert inside.shape == (12, 20, 3)
    assert np.array_equal(inside[2:11, 4:17], SHOWN)
    over = load_image(gif(frame(INDICES, left=4, top=2), width=10, height=5))
    assert np.array_equal(over[2:11, 4:17], SHOWN)


@pytest.mark.parametrize("extension", [b"\x21\xfe\x05hello\0", b"\x21\xff\x0bNETSCAPE2.0\x03\1\0\0\0", b"\x21\x01\0"])
def test_comments_and_loops_change_nothing(extension: bytes) -> None:
    assert np.array_equal(load_image(gif(extension, frame(INDICES), extension)), SHOWN)


def test_later_frames_are_left_out_but_have_to_be_whole() -> None:
    data = gif(frame(INDICES), frame(INDICES[::-1].copy(), disposal=2))
    assert np.array_equal(load_image(data), SHOWN)
    assert np.array_equal(load_image(data + b"more"), SHOWN)
    for keep in range(len(data) - 1, len(data) - 150, -7):
        with pytest.raises(PictureDecodeError):
            load_image(data[:keep])


@pytest.mark.parametrize(
    "data",
    [
        gif(),
        gif(frame(INDICES[:5])).replace(struct.pack("<HHHH", 0, 0, 13, 5), struct.pack("<HHHH", 0, 0, 13, 9)),
        gif(frame(INDICES)).replace(struct.pack("<HHHH", 0, 0, 13, 9), struct.pack("<HHHH", 0, 0, 0, 9)),
        gif(b"\x99", frame(INDICES)),
        gif(frame(INDICES).replace(b"\x87", b"\x07").replace(b"\x08", b"\x0d", 1)),
    ],
)
def test_frames_that_cannot_be_true(data: bytes) -> None:
    with pytest.raises(PictureDecodeError):
        load_image(data)


def test_screen_and_frame_are_held_against_the_limit() -> None:
    with pytest.raises(PictureTooLargeError, match="65535 x 65535"):
        load_image(gif(frame(INDICES), width=65535, height=65535))
    larger = gif(frame(INDICES)).replace(struct.pack("<HHHH", 0, 0, 13, 9), struct.pack("<HHHH", 9, 9, 60000, 60000))
    with pytest.raises(PictureTooLargeError, match="60009 x 60009"):
        load_image(larger)
