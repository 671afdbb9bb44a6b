"""PIL images that are handed over, decoded or not yet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError, PictureTypeError
from sam3_onnx.images import load_image
from tests.support.pictures import encoded, noise

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF"]


def file_of(kind: str) -> bytes:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    return encoded(Image.fromarray(noise()), kind)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "RGBX", "LA", "CMYK", "YCbCr", "HSV"])
def test_any_mode_that_pillow_converts(mode: str) -> None:
    picture = Image.fromarray(noise()).convert("RGB").convert(mode)
    loaded = load_image(picture)
    assert np.array_equal(loaded, np.asarray(picture.convert("RGB")))
    assert loaded.flags.c_contiguous


def test_palette_with_transparency() -> None:
    data = encoded(Image.fromarray(noise()).quantize(200), "PNG", transparency=bytes(range(200)))
    expected = load_image(data)
    assert np.array_equal(load_image(Image.open(io.BytesIO(data))), expected)
    alpha = Image.new("L", (80, 60), 3)
    palette = Image.fromarray(noise()).quantize(200).convert("PA")
    palette.putalpha(alpha)
    assert np.array_equal(load_image(palette), expected)


def test_sixteen_bits_are_shifted_as_in_a_file() -> None:
    deep = np.arange(0, 65536, 17, dtype=np.uint16)[:3840].reshape(60, 64)
    data = encoded(Image.fromarray(deep), "PNG")
    assert np.array_equal(load_image(Image.fromarray(deep)), load_image(data))
    assert np.array_equal(
        load_image(Image.frombytes("I;16B", (64, 60), deep.astype(">u2").tobytes())), load_image(data)
    )


@pytest.mark.parametrize("mode", ["I", "F", "LAB", "La", "RGBa"])
def test_modes_whose_rgb_is_not_known(mode: str) -> None:
    with pytest.raises(PictureTypeError, match=f"mode '{mode}'"):
        load_image(Image.new(mode, (4, 4)))


@pytest.mark.parametrize("is_lenient", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_that_nobody_has_decoded_yet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, *, is_lenient: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", is_lenient)
    data = file_of(kind)
    path = tmp_path / "picture"
    for share in (0.4, 0.7, 0.9):
        cut = data[: int(share * len(data))]
        path.write_bytes(cut)
        for source in (io.BytesIO(cut), path):
            try:
                opened = Image.open(source)
            except Exception:  # noqa: BLE001, S112 - what Pillow does not open is not handed over
                continue
            with opened, pytest.raises(PictureDecodeError, match="from Pillow"):
                load_image(opened)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_that_nobody_has_decoded_yet(tmp_path: Path, kind: str) -> None:
    data = file_of(kind)
    path = tmp_path / "picture"
    path.write_bytes(data)
    for source in (io.BytesIO(data), path):
        with Image.open(source) as opened:
            assert np.array_equal(load_image(opened), load_image(data))
            assert np.array_equal(load_image(opened), load_image(data))


def test_what_a_plug_in_raises_is_an_error_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (RuntimeError("broken"), EOFError(), IndexError("at 7"), KeyError(3), SyntaxError("no")):
        opened = Image.open(io.BytesIO(file_of("PNG")))
        monkeypatch.setattr(opened, "load_prepare", raising(error))
        with pytest.raises(PictureDecodeError, match=str(error) or type(error).__name__):
            load_image(opened)


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_too_little_memory_and_an_interrupt_are_no_damage(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    opened = Image.open(io.BytesIO(file_of("PNG")))
    monkeypatch.setattr(opened, "load_prepare", raising(error))
    with pytest.raises(type(error)):
        load_image(opened)
    monkeypatch.undo()
    assert np.array_equal(load_image(opened), noise())


def test_the_limit_holds_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Image.open(io.BytesIO(file_of("PNG")))
    monkeypatch.setattr(opened, "load", raising(AssertionError("it was decoded")))
    with pytest.raises(PictureTooLargeError, match="80 x 60"):
        load_image(opened, max_pixels=4799)


def raising(error: BaseException) -> object:
    def fail(*_: object) -> None:
        raise error

    return fail
