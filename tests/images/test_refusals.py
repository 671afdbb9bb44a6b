"""What is no picture is refused in the library's own words, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sam3_onnx.errors import OptionError, PictureDecodeError, PictureError, PictureMissingError, PictureTypeError
from sam3_onnx.images import load_image
from tests.support.pictures import encoded, noise

if TYPE_CHECKING:
    from pathlib import Path


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b"<html>not found</html>", "first bytes"),
            (b"\xff\xd8\xff", "cut off"),
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
        with pytest.raises(PictureMissingError, match=r"URLs are not downloaded\. Download it"):
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
