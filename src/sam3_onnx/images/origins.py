"""Where a picture came from, so that it can be read once more.

A result is drawn on its picture long after the question. It makes no copy of the pixels, but remembers where they came
from: a path that is read again, or the caller's own array, PIL image or bytes, which it holds. The content is compared,
so that nothing is ever drawn on another picture in silence.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from sam3_onnx.errors import PictureError, PictureGoneError
from sam3_onnx.images.decoding import decode_picture
from sam3_onnx.images.loading import load_image, read_source, require_reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from sam3_onnx.images.loading import Picture

__all__ = ["LoadedPicture", "Origin", "SeenPicture", "load_picture", "picture_key"]


class Origin(Protocol):
    """Where a picture can be had from."""

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright.

        Raises:
            PictureGoneError: It is not there any more.
        """
        ...


@dataclass(frozen=True)
class SeenPicture:
    """A picture that was asked about."""

    key: str
    """Its content, from `picture_key`."""
    origin: Origin

    def is_file(self, path: Path) -> bool:
        """Whether it lies in the file at a path, by whatever name."""
        return isinstance(self.origin, FileOrigin) and self.origin.path.exists() and self.origin.path.samefile(path)

    def read(self) -> NDArray[np.uint8]:
        """The picture that was asked about, and no other.

        Returns:
            (H, W, 3) uint8 RGB, upright.

        Raises:
            PictureGoneError: It is not to be had any more, or what is there has other pixels now.
        """
        pixels = self.origin.read()
        if picture_key(pixels) != self.key:
            raise PictureGoneError(f"{self.origin} holds other pixels now than when it was asked about")
        return pixels


@dataclass(frozen=True, eq=False)
class LoadedPicture:
    """A picture in the one form that the library works on, and where it came from."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, upright."""
    origin: Origin

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]


def picture_key(picture: NDArray[np.uint8]) -> str:
    """Names a picture by its content: size and pixels.

    Args:
        picture: (H, W, 3) uint8, C-contiguous.
    """
    digest = hashlib.sha256(np.ascontiguousarray(picture).data)
    return f"{picture.shape[0]}x{picture.shape[1]}-{digest.hexdigest()}"


def load_picture(
    picture: Picture, *, color: Literal["rgb", "bgr"], max_pixels: int | None, keep: bool = True
) -> LoadedPicture:
    """Does what `sam3_onnx.images.load_image` does, and notes where the picture came from.

    Args:
        picture: As for `load_image`.
        color: As for `load_image`.
        max_pixels: As for `load_image`.
        keep: Whether an array, a PIL image, or the bytes of a file are held; paths are always noted.

    Returns:
        Pixels that are nobody else's, so that what is computed of them belongs to them, whatever the owner of an array
        writes to it meanwhile.

    Raises:
        PictureError: As `load_image`.
        OptionError: As `load_image`.
    """
    if isinstance(picture, (str, os.PathLike)):
        pixels = load_image(picture, color=color, max_pixels=max_pixels)
        return LoadedPicture(pixels, FileOrigin(Path(picture).absolute(), max_pixels))
    if hasattr(picture, "read"):
        require_reading(color, max_pixels)
        picture, name = read_source(picture)
        pixels = decode_picture(picture, name, max_pixels=max_pixels)
    else:
        pixels = load_image(picture, color=color, max_pixels=max_pixels)
        if isinstance(picture, np.ndarray) and np.may_share_memory(picture, pixels):
            pixels = pixels.copy()
    return LoadedPicture(pixels, HeldOrigin(picture, color) if keep else NoOrigin("the session keeps no pictures"))


@dataclass(frozen=True)
class FileOrigin:
    """A picture file."""

    path: Path
    max_pixels: int | None

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright."""
        try:
            return load_image(self.path, max_pixels=self.max_pixels)
        except PictureError as error:
            raise PictureGoneError(f"{self} cannot be read any more ({error})") from error

    def __str__(self) -> str:
        return f"the file {self.path}"


@dataclass(frozen=True, eq=False)
class HeldOrigin:
    """The caller's own array, PIL image or bytes of a picture file, without a copy."""

    picture: NDArray[np.uint8] | NDArray[np.uint16] | Image | bytes = field(repr=False)
    color: Literal["rgb", "bgr"]

    def read(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        try:
            return load_image(self.picture, color=self.color, max_pixels=None)
        except PictureError as error:
            raise PictureGoneError(f"{self} cannot be read any more ({error})") from error

    def __str__(self) -> str:
        return f"the {type(self.picture).__name__}"

    def __reduce__(self) -> tuple[type[NoOrigin], tuple[str]]:
        return NoOrigin, ("an array, a PIL image or bytes are not sent along with their result",)


@dataclass(frozen=True)
class NoOrigin:
    """A picture that nobody can have again."""

    reason: str

    def read(self) -> NDArray[np.uint8]:
        """Never returns."""
        raise PictureGoneError(self.reason)
