"""Errors of pictures."""

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
    """The data is not a picture, or the picture is damaged or incomplete."""

    def __init__(self, source: str, *, reason: str, remedy: str = "") -> None:
        remedy = remedy or "Check the file, or decode it yourself and pass the RGB array."
        super().__init__(
            f"The picture {source} cannot be decoded: {reason}. Expected a complete file in one of the supported "
            f"formats (JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PNM). {remedy}"
        )


class PictureMissingError(PictureError, FileNotFoundError):
    """A picture file does not exist."""

    def __init__(self, path: str, *, reason: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"There is no picture at {path!r}: {reason}. {remedy}")


class PictureTypeError(PictureError, TypeError):
    """An object is not a picture, or an array has the wrong shape or dtype for one."""

    def __init__(self, *, expected: str, got: str, remedy: str) -> None:
        super().__init__(f"Not a usable picture: expected {expected}, got {got}. {remedy}")


class PictureTooLargeError(PictureError, ValueError):
    """A picture has more pixels than the limit allows."""

    def __init__(self, source: str, *, width: int, height: int, limit: int) -> None:
        super().__init__(
            f"The picture {source} is {width} x {height} = {width * height} pixels, more than the limit of {limit} "
            "that protects against decompression bombs. If you trust the picture, pass a higher max_pixels=, "
            "or max_pixels=None to switch the limit off."
        )


class PictureGoneError(PictureError, LookupError):
    """The picture of a result is no longer available."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The picture of this result is not available: {reason}. Pass the picture: result.draw(image)."
        )
