"""Origins of pictures, from which they can be read again.

A result may be drawn on its picture long after the prediction. It does not copy the pixels, but stores their origin: a
path that is read again, or a reference to the array, PIL image or bytes of the caller. The content is compared, so that
a result is never drawn on another picture silently.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from sam3_onnx.errors import PictureError, PictureGoneError
from sam3_onnx.images.decoding import decode_picture
from sam3_onnx.images.loading import load_image, path_of, read_source, require_reading

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    from sam3_onnx.images.loading import Picture

__all__ = ["LoadedPicture", "Origin", "SeenPicture", "load_picture", "picture_key"]


class Origin(Protocol):
    """Protocol of origins from which a picture can be read again."""

    def read(self) -> NDArray[np.uint8]:
        """Reads the picture as (H, W, 3) uint8 RGB, upright.

        Raises:
            PictureGoneError: The picture is no longer available.
        """
        ...


@dataclass(frozen=True)
class SeenPicture:
    """The picture of a result: its origin, and a key of its content."""

    key: str
    """Key of its content, from `picture_key`."""
    origin: Origin

    def is_file(self, path: Path) -> bool:
        """Returns whether the picture is the file at a path, also if it was read by another name."""
        return isinstance(self.origin, FileOrigin) and self.origin.path.exists() and self.origin.path.samefile(path)

    def read(self) -> NDArray[np.uint8]:
        """Reads the picture again, and checks that its content is the same.

        Returns:
            (H, W, 3) uint8 RGB, upright.

        Raises:
            PictureGoneError: The picture is no longer available, or its pixels have changed.
        """
        pixels = self.origin.read()
        if picture_key(pixels) != self.key:
            raise PictureGoneError(f"{self.origin} has other pixels now than at the time of the prediction")
        return pixels


@dataclass(frozen=True, eq=False)
class LoadedPicture:
    """A picture as (H, W, 3) uint8 RGB, with its origin."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, upright."""
    origin: Origin

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


def picture_key(picture: NDArray[np.uint8]) -> str:
    """Returns a key of the content of a picture: of its size and pixels.

    Args:
        picture: (H, W, 3) uint8, C-contiguous.
    """
    digest = hashlib.sha256(np.ascontiguousarray(picture).data)
    return f"{picture.shape[0]}x{picture.shape[1]}-{digest.hexdigest()}"


def load_picture(
    picture: Picture, *, color: Literal["rgb", "bgr"], max_pixels: int | None, keep: bool = True
) -> LoadedPicture:
    """Loads a picture like `sam3_onnx.images.load_image`, and stores its origin.

    Args:
        picture: As for `load_image`.
        color: As for `load_image`.
        max_pixels: As for `load_image`.
        keep: Whether to keep a reference to an array, PIL image or bytes; paths are always stored.

    Returns:
        The picture with its own copy of the pixels, so that a later change of the caller's array has no effect.

    Raises:
        PictureError: The same errors as for `load_image`.
        OptionError: The same errors as for `load_image`.
    """
    if isinstance(picture, (str, os.PathLike)):
        pixels = load_image(picture, color=color, max_pixels=max_pixels)
        return LoadedPicture(pixels, FileOrigin(path_of(picture).absolute(), max_pixels))
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
    """Origin of a picture that was read from a path."""

    path: Path
    max_pixels: int | None

    def read(self) -> NDArray[np.uint8]:
        """Reads the picture as (H, W, 3) uint8 RGB, upright."""
        try:
            return load_image(self.path, max_pixels=self.max_pixels)
        except PictureError as error:
            raise PictureGoneError(f"{self} cannot be read any more ({error})") from error

    def __str__(self) -> str:
        return f"the file {self.path}"


@dataclass(frozen=True, eq=False)
class HeldOrigin:
    """Origin of a picture that is an array, PIL image or bytes of the caller, kept without a copy."""

    picture: NDArray[np.uint8] | NDArray[np.uint16] | Image | bytes = field(repr=False)
    color: Literal["rgb", "bgr"]

    def read(self) -> NDArray[np.uint8]:
        """Reads the picture as (H, W, 3) uint8 RGB."""
        try:
            return load_image(self.picture, color=self.color, max_pixels=None)
        except PictureError as error:
            raise PictureGoneError(f"{self} cannot be read any more ({error})") from error

    def __str__(self) -> str:
        return f"the {type(self.picture).__name__}"

    def __reduce__(self) -> tuple[type[NoOrigin], tuple[str]]:
        return NoOrigin, ("arrays, PIL images and bytes are not pickled with their result",)


@dataclass(frozen=True)
class NoOrigin:
    """Origin of a picture that cannot be read again."""

    reason: str

    def read(self) -> NDArray[np.uint8]:
        """Always raises a `PictureGoneError`."""
        raise PictureGoneError(self.reason)
