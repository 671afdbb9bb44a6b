"""Any picture that a person has is loaded as upright RGB, or refused with a reason."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps, features

from sam3_onnx.errors import (
    OptionError,
    PictureDecodeError,
    PictureError,
    PictureMissingError,
    PictureTooLargeError,
    PictureTypeError,
)
from sam3_onnx.images import load_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HEIGHT, WIDTH = 24, 40
LOSSLESS: Mapping[str, Mapping[str, object]] = {
    "PNG": {},
    "TIFF": {},
    "BMP": {},
    "PPM": {},
    "WEBP": {"lossless": True, "exact": True},
    "JPEG2000": {},
}
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "JPEG": ("1", "L", "RGB", "CMYK", "YCbCr"),
    "WEBP": ("L", "LA", "P", "RGB", "RGBA"),
    "PPM": ("1", "L", "RGB"),
}
OPENCV = tuple(int(part) for part in cv2.__version__.split(".")[:2])


def corners() -> NDArray[np.uint8]:
    """Four plain quarters, so that every way of turning the picture looks different."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2, : WIDTH // 2] = (200, 30, 40)
    picture[: HEIGHT // 2, WIDTH // 2 :] = (30, 180, 60)
    picture[HEIGHT // 2 :, : WIDTH // 2] = (50, 60, 220)
    picture[HEIGHT // 2 :, WIDTH // 2 :] = (220, 210, 80)
    return picture


def noise(height: int = 60, width: int = 80, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - handed on to Pillow
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def tiff_block(orientation: int, *, order: str = "<", offset: int = 8) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", offset)
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return head.ljust(offset, b"\0") + struct.pack(order + "H", 1) + entry + bytes(4)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def mean_difference(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    assert left.shape == right.shape
    return float(np.abs(left.astype(int) - right.astype(int)).mean())


class TestSources:
    @pytest.mark.usefixtures("names_of_any_letters")
    @pytest.mark.parametrize("name", ["plain.png", "Fotos/größe 图片 🪙.png"])
    @pytest.mark.parametrize("kind", [str, Path])
    def test_reads_paths_of_any_name(self, tmp_path: Path, name: str, kind: type[str | Path]) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(Image.fromarray(noise()), "PNG"))
        assert np.array_equal(load_image(kind(path)), noise())

    def test_reads_bytes_and_binary_files(self, tmp_path: Path) -> None:
        data = encoded(Image.fromarray(noise()), "PNG")
        path = tmp_path / "picture.png"
        path.write_bytes(data)
        assert np.array_equal(load_image(data), noise())
        assert np.array_equal(load_image(io.BytesIO(data)), noise())
        with path.open("rb") as file:
            assert np.array_equal(load_image(file), noise())

    @pytest.mark.parametrize("kind", sorted(LOSSLESS))
    def test_lossless_files_come_back_to_the_bit(self, kind: str) -> None:
        loaded = load_image(encoded(Image.fromarray(noise()), kind, **LOSSLESS[kind]))
        assert np.array_equal(loaded, noise())
        assert loaded.flags.c_contiguous

    @pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
    def test_files_of_every_mode_look_as_pillow_shows_them(self, kind: str, mode: str) -> None:
        smooth = Image.fromarray(noise(6, 8)).resize((80, 60), Image.Resampling.BICUBIC)
        written = smooth.convert(mode)
        data = encoded(written, kind)
        # Pillow 12 cannot read the TIFF files of mode YCbCr that it writes. In a TIFF nothing is lost on the way.
        shown = written if kind == "TIFF" else Image.open(io.BytesIO(data))
        assert mean_difference(load_image(data), np.asarray(shown.convert("RGB"))) < 3

    @pytest.mark.skipif(OPENCV < (4, 12), reason="this OpenCV reads no GIF")
    def test_first_frame_of_an_animation(self) -> None:
        first, second = Image.fromarray(noise()).quantize(64), Image.fromarray(noise(seed=1)).quantize(64)
        data = encoded(first, "GIF", save_all=True, append_images=[second])
        assert mean_difference(load_image(data), np.asarray(first.convert("RGB"))) < 1

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_sixteen_bit_grey_is_shifted(self, kind: str) -> None:
        deep = np.arange(0, 65536, 17, dtype=np.uint16)[:3840].reshape(60, 64)
        expected = np.repeat((deep >> 8)[..., None], 3, axis=2)
        assert np.array_equal(load_image(encoded(Image.fromarray(deep), kind)), expected)

    @pytest.mark.parametrize(("kind", "off_by"), [(".png", 0), (".ppm", 0), (".tif", 1)])
    def test_sixteen_bit_colour_is_shifted(self, kind: str, off_by: int) -> None:
        deep = np.random.default_rng(0).integers(0, 65536, (60, 64, 3)).astype(np.uint16)
        _, data = cv2.imencode(kind, deep[..., ::-1])
        assert np.abs(load_image(data.tobytes()).astype(int) - (deep >> 8)).max() <= off_by

    def test_alpha_is_dropped_not_blended(self) -> None:
        transparent = Image.fromarray(np.dstack([noise(), np.zeros((60, 80), np.uint8)]))
        for kind in ("PNG", "BMP", "WEBP"):
            assert np.array_equal(load_image(encoded(transparent, kind, **LOSSLESS[kind])), noise())
        palette = Image.fromarray(noise()).quantize(200)
        data = encoded(palette, "PNG", transparency=bytes(range(200)))
        assert np.array_equal(load_image(data), np.asarray(palette.convert("RGB")))


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


class TestPilImages:
    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "RGBX", "LA", "CMYK", "YCbCr", "HSV"])
    def test_any_mode_that_pillow_converts(self, mode: str) -> None:
        picture = Image.fromarray(noise()).convert("RGB").convert(mode)
        loaded = load_image(picture)
        assert np.array_equal(loaded, np.asarray(picture.convert("RGB")))
        assert loaded.flags.c_contiguous

    def test_palette_with_transparency(self) -> None:
        data = encoded(Image.fromarray(noise()).quantize(200), "PNG", transparency=bytes(range(200)))
        expected = load_image(data)
        assert np.array_equal(load_image(Image.open(io.BytesIO(data))), expected)
        alpha = Image.new("L", (80, 60), 3)
        palette = Image.fromarray(noise()).quantize(200).convert("PA")
        palette.putalpha(alpha)
        assert np.array_equal(load_image(palette), expected)

    def test_sixteen_bits_are_shifted_as_in_a_file(self) -> None:
        deep = np.arange(0, 65536, 17, dtype=np.uint16)[:3840].reshape(60, 64)
        data = encoded(Image.fromarray(deep), "PNG")
        assert np.array_equal(load_image(Image.fromarray(deep)), load_image(data))
        assert np.array_equal(
            load_image(Image.frombytes("I;16B", (64, 60), deep.astype(">u2").tobytes())), load_image(data)
        )

    @pytest.mark.parametrize("mode", ["I", "F", "LAB", "La", "RGBa"])
    def test_modes_whose_rgb_is_not_known(self, mode: str) -> None:
        with pytest.raises(PictureTypeError, match=f"mode '{mode}'"):
            load_image(Image.new(mode, (4, 4)))

    def test_cut_off_file_opened_by_pillow(self) -> None:
        for kind in ("JPEG", "PNG"):
            data = encoded(Image.fromarray(noise()), kind)
            with pytest.raises(PictureDecodeError, match="Pillow"):
                load_image(Image.open(io.BytesIO(data[: len(data) // 2])))

    def test_pillow_is_not_imported_for_other_pictures(self) -> None:
        data = encoded(Image.fromarray(noise(4, 4)), "PNG")
        load = f"import sys, sam3_onnx.images as images; images.load_image({data!r})"
        code = f"{load}; print('PIL' in sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
        assert run.stdout.strip() == "False"


class TestArrays:
    def test_every_accepted_form(self) -> None:
        rgb = noise()
        grey = rgb[..., 0]
        as_rgb = np.repeat(grey[..., None], 3, axis=2)
        assert np.array_equal(load_image(rgb), rgb)
        assert np.array_equal(load_image(rgb[..., ::-1], color="bgr"), rgb)
        assert np.array_equal(load_image(np.dstack([rgb, grey])), rgb)
        assert np.array_equal(load_image(np.dstack([rgb[..., ::-1], grey]), color="bgr"), rgb)
        assert np.array_equal(load_image(grey), as_rgb)
        assert np.array_equal(load_image(grey[..., None]), as_rgb)
        assert np.array_equal(load_image(grey, color="bgr"), as_rgb)
        deep = rgb.astype(np.uint16) * 256 + 255
        assert np.array_equal(load_image(deep), rgb)
        assert np.array_equal(load_image(deep.astype(">u2")), rgb)

    @given(
        size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
        channels=st.sampled_from([(), (1,), (3,), (4,)]),
        deep=st.booleans(),
        color=st.sampled_from(["rgb", "bgr"]),
        flip=st.booleans(),
    )
    @settings(deadline=None, max_examples=60)
    def test_always_contiguous_rgb_and_the_input_unchanged(
        self,
        *,
        size: tuple[int, int],
        channels: tuple[int, ...],
        deep: bool,
        color: Literal["rgb", "bgr"],
        flip: bool,
    ) -> None:
        values = np.random.default_rng(0).integers(0, 256, (*size, *channels))
        values = values[::-1, ::-1] if flip else values
        array = values.astype(np.uint16, order="K") if deep else values.astype(np.uint8, order="K")
        before = array.copy()
        loaded = load_image(array, color=color)
        assert loaded.shape == (*size, 3)
        assert loaded.dtype == np.uint8
        assert loaded.flags.c_contiguous
        assert np.array_equal(array, before)

    @pytest.mark.parametrize(
        ("array", "advice"),
        [
            (np.zeros((4, 5, 3), np.float32), r"np\.rint"),
            (np.zeros((4, 5, 3), np.float64), r"np\.rint"),
            (np.zeros((4, 5), np.bool_), r"\* 255"),
            (np.zeros((4, 5, 3), np.int64), r"astype\(np\.uint8\)"),
            (np.zeros((4, 5, 3), np.uint32), r"astype\(np\.uint8\)"),
            (np.zeros((0, 5, 3), np.uint8), "no pixels"),
            (np.zeros((0,), np.uint8), "no pixels"),
            (np.zeros((3, 40, 50), np.uint8), r"transpose\(1, 2, 0\)"),
            (np.zeros((1, 40, 50), np.uint8), r"transpose\(1, 2, 0\)"),
            (np.zeros((4, 5, 2), np.uint8), "choose them"),
            (np.zeros((2, 4, 5, 3), np.uint8), r"array\[0\]"),
            (np.zeros((500,), np.uint8), "bytes"),
        ],
    )
    def test_other_arrays_say_what_to_do(self, array: Any, advice: str) -> None:  # noqa: ANN401 - wrong on purpose
        with pytest.raises(PictureTypeError, match=advice) as caught:
            load_image(array)
        assert str(array.dtype) in str(caught.value)
        assert str(array.shape) in str(caught.value)
        assert isinstance(caught.value, TypeError)


class TestRefusals:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "JPEG2000"])
    def test_files_cut_off_anywhere(self, kind: str) -> None:
        data = encoded(Image.fromarray(noise()), kind)
        for keep in [*range(1, 40), *range(40, len(data), max(1, len(data) // 25)), len(data) - 2, len(data) - 1]:
            with pytest.raises(PictureDecodeError):
                load_image(data[:keep])

    def test_progressive_jpeg_cut_off(self) -> None:
        data = encoded(Image.fromarray(noise()), "JPEG", progressive=True)
        for keep in (len(data) // 2, len(data) - 100, len(data) - 1):
            with pytest.raises(PictureDecodeError):
                load_image(data[:keep])

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_download_whose_rest_is_zeros(self, kind: str) -> None:
        data = encoded(Image.fromarray(noise()), kind)
        with pytest.raises(PictureDecodeError):
            load_image(data[: len(data) // 2].ljust(len(data), b"\0"))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b"<html>not found</html>", "first bytes"),
            (b"\xff\xd8\xff", "header"),
            (bytes(1000), "first bytes"),
        ],
    )
    def test_bytes_that_are_no_picture(self, data: bytes, reason: str) -> None:
        with pytest.raises(PictureDecodeError, match=reason) as caught:
            load_image(data)
        assert isinstance(caught.value, ValueError)

    @given(
        st.binary(max_size=200),
        st.sampled_from(
            [
                b"\xff\xd8\xff",
                b"\x89PNG\r\n\x1a\n",
                b"RIFF\0\0\0\0WEBP",
                b"II*\0",
                b"MM\0*",
                b"BM",
                b"GIF89a",
                b"\0\0\0\x18ftypavif",
                b"\xff\x4f\xff\x51",
                b"P6\n",
                b"",
            ]
        ),
    )
    @settings(deadline=None, max_examples=300)
    def test_garbage_is_always_refused_in_the_librarys_words(self, rest: bytes, signature: bytes) -> None:
        try:
            loaded = load_image(signature + rest, max_pixels=10_000)
        except PictureError:
            return
        assert loaded.dtype == np.uint8
        assert loaded.shape[2] == 3

    def test_file_that_is_missing_or_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(PictureMissingError, match=r"absent\.png': no such file") as caught:
            load_image(tmp_path / "absent.png")
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.path == str(tmp_path / "absent.png")
        with pytest.raises(PictureMissingError, match="it is a folder, not a file"):
            load_image(tmp_path)
        with pytest.raises(PictureMissingError, match=r"a URL is not fetched\. Download it first"):
            load_image("https://example.com/coins.png")
        with pytest.raises(PictureMissingError, match="the path is empty"):
            load_image("")
        with pytest.raises(PictureDecodeError, match="cannot be read"):
            load_image("nul\0byte.png")

    def test_tiff_of_values_without_a_known_range(self) -> None:
        for mode in ("F", "I"):
            with pytest.raises(PictureDecodeError):
                load_image(encoded(Image.new(mode, (8, 8)), "TIFF"))

    def test_things_that_are_no_picture(self, tmp_path: Path) -> None:
        path = tmp_path / "picture.png"
        path.write_bytes(encoded(Image.fromarray(noise()), "PNG"))
        with path.open(encoding="latin-1") as file, pytest.raises(PictureTypeError, match="rb"):
            load_image(file)  # type: ignore[arg-type]
        for thing in (None, 7, [[0, 1], [2, 3]]):
            with pytest.raises(PictureTypeError, match=type(thing).__name__):
                load_image(thing)  # type: ignore[arg-type]

    def test_options_out_of_range(self) -> None:
        with pytest.raises(OptionError, match="color"):
            load_image(noise(), color="gbr")  # type: ignore[arg-type]
        with pytest.raises(OptionError, match="max_pixels"):
            load_image(noise(), max_pixels=0)


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
