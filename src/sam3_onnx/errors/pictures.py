"""What can be wrong with a picture."""

from __future__ import annotations

from sam3_onnx.errors.base import Sam3Error

__all__ = [
    "PictureDecodeError",
    "PictureError",
    "PictureGoneError",
    "PictureMissingError",
    "PictureTooLargeError",
    "PictureTypeError",
]


class PictureError(Sam3Error):
    """A picture cannot be used."""


class PictureDecodeError(PictureError, ValueError):
    """The bytes are no picture, or only a part of one."""

    def __init__(self, source: str, *, reason: str, remedy: str = "") -> None:
        remedy = remedy or "Check the file, or decode it yourself and pass the RGB array."
        super().__init__(
            f"The picture {source} cannot be decoded: {reason}. Expected a whole file in one of the formats that are "
            f"read (JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PNM). {remedy}"
        )


class PictureMissingError(PictureError, FileNotFoundError):
    """There is no picture file at a path."""

    def __init__(self, path: str, *, reason: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"There is no picture at {path!r}: {reason}. {remedy}")


class PictureTypeError(PictureError, TypeError):
    """An object that is not a picture, or an array of the wrong kind."""

    def __init__(self, *, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"Not a usable picture: expected {expected}, got {got}. {remedy}")


class PictureTooLargeError(PictureError, ValueError):
    """A picture has more pixels than the limit allows."""

    def __init__(self, source: str, *, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"The picture {source} is {width} x {height} = {width * height} pixels, more than the limit of {limit} "
            "that guards against decompression bombs. If you trust it, pass max_pixels= with a higher limit, "
            "or max_pixels=None for none."
        )


class PictureGoneError(PictureError, LookupError):
    """The picture that a result was found in is not to be had any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The picture of this result is not at hand: {reason}. Pass the picture: result.draw(image).")
