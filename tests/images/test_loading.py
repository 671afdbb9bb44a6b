"""Any picture that a person has is loaded as upright RGB, or refused with a reason."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sam3_onnx.errors import PictureTypeError
from sam3_onnx.images import load_image
from sam3_onnx.testing import fake_session
from tests.support.pictures import LOSSLESS, OPENCV, encoded, mean_difference, noise

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "JPEG": ("1", "L", "RGB", "CMYK", "YCbCr"),
    "WEBP": ("L", "LA", "P", "RGB", "RGBA"),
    "PPM": ("1", "L", "RGB"),
}


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

    def test_pillow_is_imported_when_a_file_is_read_and_not_before(self) -> None:
        data = encoded(Image.fromarray(noise(4, 4)), "PNG")
        code = f"""
import sys, numpy, sam3_onnx.images as images
images.load_image(numpy.zeros((4, 4), numpy.uint8))
print("PIL" in sys.modules)
images.load_image({data!r})
print("PIL" in sys.modules)
"""
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
        assert run.stdout.split() == ["False", "True"]


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
            (np.zeros((4, 5, 2), np.uint8), "select them"),
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


def test_the_home_folder_is_known_in_paths_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    image = noise(6, 8)
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(image), "PNG"))
    for path in ("~/a.png", Path("~/a.png")):
        np.testing.assert_array_equal(load_image(path), image)
        assert fake_session({}).predict(path, "coin").draw().shape == (6, 8, 3)
