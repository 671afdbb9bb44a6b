"""Decoding with Pillow in which every error is raised.

`PIL.ImageFile.LOAD_TRUNCATED_IMAGES` is a setting of the whole program. If it is set, Pillow fills missing parts of cut
off and damaged files with grey or black. It checks the setting after a decoder has reported an error, or when there are
no more bytes; so the decoders of a picture are wrapped in a decoder that raises an error before this check.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import ImageFile

__all__ = ["load_by_libtiff", "load_strictly"]

_NAME = "sam3_onnx_strict"
_ERRORS = {
    -1: "image buffer overrun",
    -2: "its data is damaged, or has a compression that this Pillow does not support",
    -8: "bad configuration",
}
_OUT_OF_MEMORY = -9
_LIBTIFF = "libtiff"
"""Name of the decoder that Pillow calls without using the name of the tile.

It does not check the setting, but reports an error as a number in a text."""


def load_strictly(picture: ImageFile.ImageFile) -> None:
    """Decodes a picture that Pillow has opened.

    Raises:
        MemoryError: There is not enough memory for the picture.
        Exception: Any error that Pillow raises for damaged or missing bytes.
    """
    _register()
    tiles = picture.tile
    picture.tile = [tile if tile[0] == _LIBTIFF else _strict(tile) for tile in tiles]
    try:
        with _honest_reading(picture):
            picture.load()
    except OSError as error:
        picture.tile = tiles
        if str(error) == f"decoder error {_OUT_OF_MEMORY}":
            raise MemoryError(str(error)) from error
        raise
    except BaseException:
        picture.tile = tiles
        raise


@contextmanager
def _honest_reading(picture: ImageFile.ImageFile) -> Iterator[None]:
    """Raises an error if a plug-in adds bytes that the file does not contain, such as the end of a cut off JPEG."""
    read = getattr(picture, "load_read", None)
    if read is None:
        yield
        return

    def read_from_file(size: int) -> bytes:
        before = picture.fp.tell() if picture.fp else None
        found: bytes = read(size)
        if found and picture.fp and picture.fp.tell() == before:
            raise OSError("the data of the picture ends early")
        return found

    vars(picture)["load_read"] = read_from_file
    try:
        yield
    finally:
        del vars(picture)["load_read"]


def load_by_libtiff(picture: ImageFile.ImageFile, data: bytes) -> None:
    """Decodes the first directory of a TIFF into a picture.

    Args:
        picture: Opened by Pillow's plug-in, from `data` or from a header that says the same of its pixels.
        data: The file.

    Raises:
        MemoryError: There is not enough memory for it.
        OSError: Bytes are damaged or missing.
    """
    from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

    ((_, extents, _, (*how, _directory)),) = cast("Any", picture.tile)
    decoder: Any = Image._getdecoder(picture.mode, _LIBTIFF, (*how, 0), ())  # noqa: SLF001 - as Pillow makes it
    picture.im = Image.new(picture.mode, picture.size).im  # which does not check MAX_IMAGE_PIXELS
    decoder.setimage(picture.im, extents)
    try:
        _, error = decoder.decode(data)
    finally:
        decoder.cleanup()
    _require_success(error)
    picture.tile = []


def _require_success(error: int) -> None:
    if error == _OUT_OF_MEMORY:
        raise MemoryError("Pillow's decoder finds too little memory")
    if error < 0:
        raise OSError(_ERRORS.get(error, f"decoder error {error}"))


def _strict(tile: ImageFile._Tile) -> ImageFile._Tile:
    from PIL import ImageFile  # noqa: PLC0415 - where pictures are read, and not before

    return ImageFile._Tile(_NAME, tile[1], tile[2], (tile[0], tile[3]))  # noqa: SLF001 - the type that `tile` holds


@cache
def _register() -> None:
    from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

    Image.register_decoder(_NAME, cast("type[ImageFile.PyDecoder]", _StrictDecoder))  # which it calls alike


class _StrictDecoder:
    """One of Pillow's decoders, which raises what it would report."""

    def __init__(self, mode: str, name: str, arguments: object, *configuration: object) -> None:
        from PIL import Image  # noqa: PLC0415 - where pictures are read, and not before

        self._decoder: Any = Image._getdecoder(mode, name, arguments, configuration)  # noqa: SLF001 - as Pillow makes it
        self._waits = True
        self.pulls_fd = self._decoder.pulls_fd
        self.setimage = self._decoder.setimage
        self.setfd = self._decoder.setfd

    def decode(self, data: bytes) -> tuple[int, int]:
        self._waits = False
        consumed, error = self._decoder.decode(data)
        _require_success(error)
        self._waits = consumed >= 0 and not self.pulls_fd
        return consumed, error

    def cleanup(self) -> None:
        self._decoder.cleanup()
        if self._waits:
            raise OSError("the data of the picture ends early")
