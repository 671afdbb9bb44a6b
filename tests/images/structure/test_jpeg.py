"""JPEG: every kind of scan, and damage that its segments show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import load_image
from tests.support.pictures import by_opencv, encoded, exif, mean_difference, noise

SMOOTH = Image.fromarray(noise(6, 8)).resize((93, 61), Image.Resampling.BICUBIC)
PLAIN = encoded(SMOOTH, "JPEG", quality=90)
FRAME = PLAIN.index(b"\xff\xc0")


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_of_opencv_but_for_rounding(mode: str, options: dict[str, object], subsampling: int) -> None:
    kind = {} if mode == "L" else {"subsampling": subsampling}
    data = encoded(SMOOTH.convert(mode), "JPEG", quality=88, **options, **kind)
    assert np.abs(load_image(data).astype(int) - by_opencv(data)).max() <= 1


def test_cmyk_is_inverted_as_adobe_does_whether_it_is_marked_or_not() -> None:
    cmyk = SMOOTH.convert("CMYK")
    data = encoded(cmyk, "JPEG", quality=98, subsampling=0)
    assert mean_difference(load_image(data), np.asarray(cmyk.convert("RGB"))) < 2
    at = data.index(b"\xff\xee")
    unmarked = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert np.array_equal(load_image(unmarked), load_image(data))


def test_segments_without_pixels_change_nothing() -> None:
    extras = b"\xff\xfe\0\4hi" + b"\xff\xe1\0\x0fhttp://ns.ad" + b"\xff\xe2\0\x0bICC_PROFI" + b"\xff\xff\xfe\0\2"
    assert np.array_equal(load_image(PLAIN[:2] + extras + PLAIN[2:]), load_image(PLAIN))


def test_what_comes_behind_the_end_is_no_part_of_the_picture() -> None:
    for more in (b"\0" * 100, b"more", PLAIN, b"\xff"):
        assert np.array_equal(load_image(PLAIN + more), load_image(PLAIN))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_scan_without_the_marker_that_ends_the_picture(options: dict[str, object]) -> None:
    data = encoded(SMOOTH, "JPEG", **options)
    for keep in (data.index(b"\xff\xda") + 40, len(data) - 1):
        with pytest.raises(PictureDecodeError, match="marker that ends a JPEG is missing"):
            load_image(data[:keep])


@pytest.mark.parametrize(
    ("place", "new"),
    [
        (FRAME + 2, b"\0\0"),
        (FRAME + 2, b"\xff\xff"),
        (FRAME + 4, b"\0"),
        (FRAME + 4, b"\x0c"),
        (FRAME + 5, b"\0\0"),
        (FRAME + 7, b"\0\0"),
        (FRAME + 9, b"\0"),
        (FRAME + 9, b"\x02"),
        (FRAME + 1, b"\xcb"),
        (2, b"\xff\xda"),
        (4, b"\0\1"),
    ],
)
def test_headers_that_cannot_be_true(place: int, new: bytes) -> None:
    with pytest.raises(PictureDecodeError):
        load_image(PLAIN[:place] + new + PLAIN[place + len(new) :])


def test_two_frames_or_none() -> None:
    end = FRAME + 2 + int.from_bytes(PLAIN[FRAME + 2 : FRAME + 4], "big")
    with pytest.raises(PictureDecodeError, match="two frame headers"):
        load_image(PLAIN[:end] + PLAIN[FRAME:end] + PLAIN[end:])
    with pytest.raises(PictureDecodeError, match="no frame header"):
        load_image(PLAIN[:FRAME] + PLAIN[end:])


def test_twelve_bits_are_refused() -> None:
    with pytest.raises(PictureDecodeError):
        load_image(PLAIN[: FRAME + 1] + b"\xc1" + PLAIN[FRAME + 2 : FRAME + 4] + b"\x0c" + PLAIN[FRAME + 5 :])


def test_the_size_is_that_of_the_frame_and_held_against_the_limit() -> None:
    large = PLAIN[: FRAME + 5] + b"\xff\xdc\xff\xdc" + PLAIN[FRAME + 9 :]
    with pytest.raises(PictureTooLargeError, match="65500 x 65500"):
        load_image(large)


def test_damaged_exif_turns_nothing() -> None:
    whole = exif(6)
    assert load_image(encoded(SMOOTH, "JPEG", exif=whole)).shape == (93, 61, 3)
    for damaged in (whole[:20], whole[:6] + b"XX" + whole[8:], whole[:8] + b"\xff" * 20):
        assert load_image(encoded(SMOOTH, "JPEG", exif=damaged)).shape == (61, 93, 3)
