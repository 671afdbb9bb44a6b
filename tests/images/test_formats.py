"""Which formats are read: those of the library's list, and those of plug-ins that the host has registered."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFile

from sam3_onnx.errors import PictureDecodeError, PictureTooLargeError
from sam3_onnx.images import find_pictures, load_image
from sam3_onnx.images.formats import has_more_frames
from tests.support.pictures import corners, encoded, exif, noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"HOSTPICT"


class HostPicture(ImageFile.ImageFile):
    """A format of the host: a magic word, the sides, and the pixels."""

    format = "HOSTS"

    def _open(self) -> None:
        assert self.fp is not None
        head = self.fp.read(16)
        self._size = struct.unpack("<II", head[8:])
        self._mode = "RGB"
        if self._size[0] == 7:
            raise RuntimeError("seven is never a width")
        self.info["exif"] = exif(6) if self._size[0] == 40 else b""
        self.tile = [ImageFile._Tile("raw", (0, 0, *self._size), 16, ("RGB", 0, 1))]  # noqa: SLF001 - what tiles are


@pytest.fixture
def host_format() -> Iterator[None]:
    before = dict(Image.EXTENSION)
    Image.register_open("HOSTS", HostPicture, lambda prefix: prefix.startswith(MAGIC))
    Image.register_extension("HOSTS", ".HostP")
    yield
    del Image.OPEN["HOSTS"]
    Image.ID.remove("HOSTS")
    Image.EXTENSION.clear()
    Image.EXTENSION.update(before)


def host_file(width: int, height: int, pixels: bytes) -> bytes:
    return MAGIC + struct.pack("<II", width, height) + pixels


@pytest.mark.usefixtures("host_format")
class TestPlugIns:
    def test_a_registered_one_reads_its_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = host_file(80, 60, noise().tobytes())
        assert np.array_equal(load_image(data), noise())
        turned = host_file(40, 24, corners().tobytes())
        assert np.array_equal(load_image(turned), np.rot90(corners(), -1))
        for is_lenient in (False, True):
            monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", is_lenient)
            with pytest.raises(PictureDecodeError):
                load_image(data[:-100])

    def test_its_errors_and_sizes_are_those_of_the_library(self) -> None:
        with pytest.raises(PictureDecodeError, match="seven is never a width"):
            load_image(host_file(7, 7, bytes(147)))
        with pytest.raises(PictureTooLargeError):
            load_image(host_file(60_000, 60_000, b""))

    @pytest.mark.parametrize("mode", ["I", "F"])
    def test_its_modes_of_an_unknown_range_are_refused(self, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
        monkeypatch.setattr(HostPicture, "mode", mode)
        with pytest.raises(PictureDecodeError, match=f"of mode '{mode}'.*Scale the samples"):
            load_image(host_file(80, 60, noise().tobytes()))

    def test_its_endings_are_those_of_pictures_from_then_on(self, tmp_path: Path) -> None:
        (tmp_path / "a.HOSTP").touch()
        assert find_pictures(tmp_path) == [tmp_path / "a.HOSTP"]


def test_formats_of_pillow_that_are_not_on_the_list_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", None)
    files = [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        b"\xd7\xcd\xc6\x9a\0\0" + struct.pack("<hhhhH", 0, 0, 99, 99, 72) + bytes(6) + b"\1\0\x09\0" + bytes(40),
        b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60),
    ]
    files += [encoded(Image.new("RGB", (16, 16)), kind) for kind in ("ICO", "TGA", "PCX", "SGI", "ICNS", "DDS", "EPS")]
    files.append(encoded(Image.new("P", (16, 16)), "PDF"))
    for data in files:
        with pytest.raises(PictureDecodeError, match="its first bytes are not those of"):
            load_image(data)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "MPO"])
def test_files_of_several_frames_are_told_from_others(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    first, second = Image.fromarray(noise()), Image.fromarray(noise(seed=1))
    path.write_bytes(encoded(first, kind, save_all=True, append_images=[second]))
    assert has_more_frames(path)
    alone = io.BytesIO()
    first.save(alone, "JPEG" if kind == "MPO" else kind)
    path.write_bytes(alone.getvalue())
    assert not has_more_frames(path)


def test_nothing_is_said_of_the_frames_of_what_is_not_read(tmp_path: Path) -> None:
    assert not has_more_frames(tmp_path / "absent.png")
    assert not has_more_frames(tmp_path)
    (tmp_path / "text.gif").write_bytes(b"GIF89a cut")
    assert not has_more_frames(tmp_path / "text.gif")
