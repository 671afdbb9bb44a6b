"""Whole pictures in all formats, made in memory, each with what a reader has to make of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, features

from tools.fuzz.png_files import png
from tools.fuzz.tiff_files import tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from numpy.typing import NDArray

    Maker = Callable[[Random], tuple[bytes, NDArray[np.uint8], int]]
    """Makes a file of one format: its bytes, what it shows, and the tolerance."""

__all__ = ["FORMATS", "WholePicture", "whole_picture"]

_EXACT, _ROUNDING = 0, 1
_LOSSY = 3
"""Largest difference of a sample between two decoders of one lossy file that differ in rounding and in upsampling."""
_FAR = 80
"""As `_LOSSY`, to what was drawn, where OpenCV does not read a format."""
_TURNED_BACK = {6: 8, 8: 6}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class WholePicture:
    """A picture file, and what it shows."""

    format: str
    data: bytes
    shown: NDArray[np.uint8]
    """(H, W, 3), RGB, upright: what was drawn where the format is exact, otherwise what OpenCV makes of it."""
    tolerance: int
    """Largest difference to it that a right reader may have, in steps of 255."""


def _drawn(chance: Random) -> NDArray[np.uint8]:
    """Returns a smooth picture (H, W, 3) with blocks in it, of 16 to 72 pixels a side, now and then of a few only."""
    low, high = (1, 9) if chance.random() < 0.1 else (16, 72)
    height, width = chance.randint(low, high), chance.randint(low, high)
    y, x = np.mgrid[:height, :width]
    red, green = 255 * x // max(1, width - 1), 255 * y // max(1, height - 1)
    blue = (x // 6 + y // 6) % 2 * chance.randint(60, 200) + chance.randint(0, 50)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def _sixteen(chance: Random, array: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Returns the same picture in 16 bits, with chance in the lower eight."""
    low = np.random.default_rng(chance.getrandbits(32)).integers(0, 256, array.shape)
    return (array.astype(np.uint16) << 8 | low.astype(np.uint16)).astype(np.uint16)


def _with_alpha(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns RGBA (H, W, 4), more and more transparent from left to right."""
    alpha = np.broadcast_to(np.linspace(0, 255, array.shape[1]).astype(np.uint8), array.shape[:2])
    return np.dstack([array, alpha])


def _grey(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the green channel three times."""
    return np.repeat(array[..., 1:2], 3, axis=2)


def _turned(array: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Returns a stored picture as EXIF's orientation, 1 to 8, wants it shown."""
    turns: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90,
    }
    return np.ascontiguousarray(turns[orientation](array)) if orientation in turns else array


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif.tobytes()


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _by_opencv(data: bytes) -> NDArray[np.uint8] | None:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if found is None else np.asarray(found, np.uint8)


def _by_pillow(kind: str, mode: str = "RGB", *, lossy: bool = False, turned: bool = False, **options: object) -> Maker:
    """Returns a maker that lets Pillow write a format from an image of a mode.

    Args:
        kind: Pillow's name of the format.
        mode: Pillow's name of the kind of pixels.
        lossy: Whether the file does not hold the pixels exactly, so that OpenCV says what it shows.
        turned: Whether it has EXIF's orientation.
        options: Of Pillow's writer.
    """

    def make(chance: Random) -> tuple[bytes, NDArray[np.uint8], int]:
        orientation = chance.randint(1, 8) if turned else 1
        stored = _turned(_drawn(chance), _TURNED_BACK.get(orientation, orientation))
        image = _in_mode(stored, mode)
        plain = _saved(image, kind, **options)
        data = _saved(image, kind, **options, exif=_exif(orientation)) if turned else plain
        if not lossy:
            return data, _turned(_rgb(image), orientation), _EXACT
        shown = _by_opencv(plain)
        if shown is None:
            return data, _turned(_rgb(image), orientation), _FAR
        return data, _turned(shown, orientation), _LOSSY

    return make


def _in_mode(array: NDArray[np.uint8], mode: str) -> Image.Image:
    if mode in {"RGBA", "LA"}:
        return Image.fromarray(_with_alpha(array)).convert(mode)
    image = Image.fromarray(array)
    return image.quantize(64) if mode == "P" else image.convert(mode)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    opaque = image.convert("RGBA") if image.mode in {"LA", "RGBA"} else image.convert("RGB")
    return np.ascontiguousarray(np.asarray(opaque)[..., :3])


def _several(kind: str, *, lossy: bool = False, mode: str = "RGB", **options: object) -> Maker:
    """Returns a maker of a file with three frames, of which the first is what it shows."""

    def make(chance: Random) -> tuple[bytes, NDArray[np.uint8], int]:
        first = _drawn(chance)
        images = [_in_mode(array, mode) for array in (first, 255 - first, first[::-1] // 2)]
        data = _saved(images[0], kind, save_all=True, append_images=images[1:], **options)
        shown = _by_opencv(_saved(images[0], kind, **options)) if lossy else None
        return (data, _rgb(images[0]), _EXACT) if shown is None else (data, shown, _LOSSY)

    return make


def _png_by_hand(channels: int, *, sixteen: bool = False, interlaced: bool = False) -> Maker:
    def make(chance: Random) -> tuple[bytes, NDArray[np.uint8], int]:
        array, shown = _channels(_drawn(chance), channels)
        stored = _sixteen(chance, array) if sixteen else array
        return png(stored, interlaced=interlaced), shown, _EXACT

    return make


def _tiff_by_hand(channels: int, *, sixteen: bool = False, turned: bool = False, **options: Any) -> Maker:  # noqa: ANN401 - those of `tiff`
    def make(chance: Random) -> tuple[bytes, NDArray[np.uint8], int]:
        orientation = chance.randint(1, 8) if turned else 1
        array, shown = _channels(_drawn(chance), channels)
        stored = _turned(array, _TURNED_BACK.get(orientation, orientation))
        content = _sixteen(chance, stored) if sixteen else stored
        return tiff(content, orientation=orientation, **options), shown, _EXACT

    return make


def _channels(array: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns a picture as grey, grey with alpha, RGB or RGBA, (H, W, count), and what it shows."""
    pixels = _with_alpha(array)
    if count > 2:
        return pixels[..., :count], array
    return pixels[..., [1, 3][:count]], _grey(array)


def _pnm(letter: str) -> Maker:
    """Returns a maker of Netpbm's format P1 to P6, grey and colour with any largest value."""
    is_text, is_bits, is_colour = letter in "123", letter in "14", letter in "36"

    def make(chance: Random) -> tuple[bytes, NDArray[np.uint8], int]:
        array = _drawn(chance) if is_colour else _drawn(chance)[..., 1:2]
        most = 1 if is_bits else chance.choice((1, 15, 100, 255, 256, 1000, 65535))
        values = np.rint(array / 255 * most).astype(np.uint16)
        shown = np.rint(values / most * 255).astype(np.uint8)
        written = 1 - values if is_bits else values
        height, width = array.shape[:2]
        header = f"P{letter}\n# made to be read\n{width} {height}\n" + ("" if is_bits else f"{most}\n")
        return (
            header.encode() + _samples(written, most, is_text=is_text),
            np.broadcast_to(shown, (height, width, 3)),
            _ROUNDING,
        )

    def _samples(written: NDArray[np.uint16], most: int, *, is_text: bool) -> bytes:
        if is_text:
            return "".join(" ".join(map(str, row)) + "\n" for row in written.reshape(len(written), -1)).encode()
        if is_bits:
            return np.packbits(written[..., 0].astype(np.bool_), axis=1).tobytes()
        return written.astype(">u2" if most > 255 else np.uint8).tobytes()

    return make


def _jpeg_2000(**options: Any) -> Maker:  # noqa: ANN401 - those of `_by_pillow`
    return _by_pillow("JPEG2000", num_resolutions=1, **options)


_MAKERS: Mapping[str, Maker] = {
    "jpeg baseline": _by_pillow("JPEG", lossy=True, turned=True, quality=90),
    "jpeg 4:4:4": _by_pillow("JPEG", lossy=True, quality=95, subsampling=0),
    "jpeg progressive": _by_pillow("JPEG", lossy=True, turned=True, progressive=True),
    "jpeg restarts": _by_pillow("JPEG", lossy=True, restart_marker_blocks=2),
    "jpeg grey": _by_pillow("JPEG", "L", lossy=True),
    "jpeg cmyk": _by_pillow("JPEG", "CMYK", lossy=True, quality=95),
    "mpo": _several("MPO", lossy=True),
    "png rgb": _by_pillow("PNG", turned=True),
    "png rgba": _by_pillow("PNG", "RGBA"),
    "png grey": _by_pillow("PNG", "L"),
    "png grey alpha": _by_pillow("PNG", "LA"),
    "png bits": _by_pillow("PNG", "1"),
    "png palette": _by_pillow("PNG", "P"),
    "png grey 16": _png_by_hand(1, sixteen=True),
    "png rgb 16": _png_by_hand(3, sixteen=True),
    "png rgba 16 interlaced": _png_by_hand(4, sixteen=True, interlaced=True),
    "png rgb interlaced": _png_by_hand(3, interlaced=True),
    "apng": _several("PNG"),
    "webp lossy": _by_pillow("WEBP", lossy=True, turned=True),
    "webp lossless": _by_pillow("WEBP", lossless=True),
    "webp lossless alpha": _by_pillow("WEBP", "RGBA", lossless=True, exact=True),
    "webp animated": _several("WEBP", lossless=True),
    "tiff strips": _tiff_by_hand(3, turned=True),
    "tiff strips motorola": _tiff_by_hand(3, order=">", rows=5),
    "tiff grey": _tiff_by_hand(1),
    "tiff grey 16": _tiff_by_hand(1, sixteen=True),
    "tiff rgb 16 deflate": _tiff_by_hand(3, sixteen=True, deflate=True),
    "tiff rgba 16": _tiff_by_hand(4, sixteen=True),
    "tiff rgba": _tiff_by_hand(4),
    "tiff deflate": _tiff_by_hand(3, deflate=True, turned=True),
    "tiff tiles": _tiff_by_hand(3, tile=16, turned=True),
    "tiff tiles deflate": _tiff_by_hand(3, tile=32, deflate=True),
    "tiff lzw": _by_pillow("TIFF", compression="tiff_lzw"),
    "tiff packbits": _by_pillow("TIFF", compression="packbits"),
    "tiff jpeg": _by_pillow("TIFF", lossy=True, compression="jpeg"),
    "tiff palette": _by_pillow("TIFF", "P"),
    "tiff cmyk": _by_pillow("TIFF", "CMYK"),
    "tiff bits": _by_pillow("TIFF", "1"),
    "tiff pages": _several("TIFF"),
    "bmp rgb": _by_pillow("BMP"),
    "bmp rgba": _by_pillow("BMP", "RGBA"),
    "bmp palette": _by_pillow("BMP", "P"),
    "bmp bits": _by_pillow("BMP", "1"),
    "gif": _by_pillow("GIF", "P"),
    "gif animated": _several("GIF", mode="P"),
    "jp2": _jpeg_2000(),
    "jp2 lossy": _jpeg_2000(irreversible=True, lossy=True),
    "jp2 codestream": _jpeg_2000(no_jp2=True),
    "avif": _by_pillow("AVIF", lossy=True, turned=True, speed=10),
    "avif 4:4:4": _by_pillow("AVIF", lossy=True, speed=10, subsampling="4:4:4", quality=95),
    **{f"pnm P{letter}": _pnm(letter) for letter in "123456"},
}
Image.init()
_OPTIONAL = {"avif": "AVIF" in Image.SAVE, "jp2": features.check("jpg_2000"), "webp": features.check("webp")}
"""Whether Pillow is built with a format, by the first word of its name here."""

FORMATS = tuple(name for name in _MAKERS if _OPTIONAL.get(name.split()[0], True))
"""Names of the formats that can be made here."""


def whole_picture(format_name: str, chance: Random) -> WholePicture:
    """Returns a picture file of one of `FORMATS`; the same chance makes the same file."""
    return WholePicture(format_name, *_MAKERS[format_name](chance))
