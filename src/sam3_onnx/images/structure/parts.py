"""`PictureFile`: facts about a picture file that are known before decoding."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PictureFile", "SampleError"]


class SampleError(ValueError):
    """The samples of a picture cannot be converted to 0 to 255, because their range is unknown."""


@dataclass(frozen=True)
class PictureFile:
    """A picture file that is complete, as far as its format allows to check this."""

    data: bytes
    """Bytes for the decoder. Text, thumbnails, profiles and later frames are left out if the format allows it: they do
    not affect the pixels, but cost memory and cause warnings and errors."""

    width: int
    """Number of stored columns, before rotation."""

    height: int
    """Number of stored rows, before rotation."""

    header: bytes = b""
    """A small file that Pillow's plug-in opens instead of `data`, to choose how to decode; empty to open `data`."""

    largest_block: tuple[int, int] = (0, 0)
    """Width and height of the largest tile or coded frame, for which the decoder allocates memory as well."""

    orientation: int = 1
    """EXIF orientation of the picture, 1 to 8."""

    colours: int | None = None
    """Number of colours of the palette, which limits the pixels; None if there is no palette, or a complete one."""

    depth: int = 16
    """Number of bits of a sample, if the decoder returns more than eight."""

    inverted: bool = False
    """Whether 0 is white and the decoder does not invert it."""

    grey_triples: bool = False
    """Whether a colour picture is decoded as a grey picture of three times the width."""

    has_more_frames: bool = False
    """Whether the file contains more frames, pages or pictures, which are left out."""

    @property
    def allocated(self) -> tuple[int, int]:
        """Width and height of the picture or of its largest block, whichever is larger."""
        return max((self.width, self.height), self.largest_block, key=lambda size: size[0] * size[1])
