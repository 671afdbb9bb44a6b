"""What is known of a picture file before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PictureFile", "SampleError"]


class SampleError(ValueError):
    """Samples of which nobody here knows how they become 0 to 255."""


@dataclass(frozen=True)
class PictureFile:
    """A picture file that is whole, as far as its format can show it."""

    data: bytes
    """What the decoder gets. Text, thumbnails, profiles and later frames are left out where the format allows it: they
    make no pixels, but memory, warnings and errors."""

    width: int
    """Columns as stored, before turning."""

    height: int
    """Rows as stored, before turning."""

    header: bytes = b""
    """A file that stands for `data` where the plug-in only chooses how to decode; empty where it is the same."""

    largest_block: tuple[int, int] = (0, 0)
    """Width and height of the largest tile or coded frame, which the decoder allocates as well."""

    orientation: int = 1
    """How the picture is turned, as EXIF numbers it, 1 to 8."""

    colours: int | None = None
    """Colours of its palette, which no pixel may go beyond; None where there is none, or none that can be too short."""

    depth: int = 16
    """Bits of a sample where the decoder answers with more than eight."""

    inverted: bool = False
    """Whether zero is white and the decoder leaves it so."""

    grey_triples: bool = False
    """Whether the decoder gets a colour picture as a grey one that is three times as wide."""

    has_more_frames: bool = False
    """Whether it holds other frames, pages or pictures, which are left out."""

    @property
    def allocated(self) -> tuple[int, int]:
        """Width and height of the larger of the picture and its largest block."""
        return max((self.width, self.height), self.largest_block, key=lambda size: size[0] * size[1])
