"""Pillow's decoders, with every error raised.

`PIL.ImageFile.LOAD_TRUNCATED_IMAGES` belongs to the host. Where it is set, Pillow answers cut and damaged files with
grey or black in place of what is missing. It asks the flag after a decoder has reported an error, or when it has no
more bytes for one; so the decoders of a picture are wrapped in one that raises before Pillow asks.
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
    -2: "its data are damaged, or packed in a way that this Pillow lacks",
    -8: "bad configuration",
}
_OUT_OF_MEMORY = -9
_LIBTIFF = "libtiff"
"""The decoder that Pillow calls without looking at the tile's name.

It does not ask the flag, but says an error as a number in a text."""


def load_strictly(picture: ImageFile.ImageFile) -> None:
    """Decodes a picture that Pillow has opened.

    Raises:
        MemoryError: There is not enough memory for it.
        Exception: Whatever Pillow raises where bytes are damaged or missing.
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
    """Raises where a plug-in hands a decoder bytes that the file does not have: the end of a JPEG that was cut off."""
    read = getattr(picture, "load_read", None)
    if read is None:
        yield
        return

    def read_from_file(size: int) -> bytes:
        before = picture.fp.tell() if picture.fp else None
        found: bytes = read(size)
        if found and picture.fp and picture.fp.tell() == before:
            raise OSError("the data of the picture end early")
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
    picture.im = Image.new(picture.mode, picture.size).im  # of which nobody asks the host's MAX_IMAGE_PIXELS
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
            raise OSError("the data of the picture end early")
