"""What is known of each track from frame to frame; nothing in it changes, a frame makes new ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NEVER_HIDDEN", "Track", "Tracks"]

NEVER_HIDDEN = -1
"""Stands for the frame on which a track was last hidden, if there is none."""


@dataclass(frozen=True)
class Track:
    """One thing that is followed."""

    id: int
    """Its number, which no other track of the video has before or after."""
    prompt: int
    """Number of the word that found it."""
    score: float
    """Score of the detection that it began with, in 0..1."""
    first_frame: int
    """Number of the frame on which it began."""
    keep_alive: int
    """Matched frames less unmatched ones, within the limits of the rules."""
    unmatched: int = 0
    """Frames on which no detection was found where it has a mask."""
    shared: Mapping[int, int] = field(default_factory=dict)
    """By the id of an older track: on how many frames the two had a detection in common."""
    last_hidden: int | None = None
    """Frame on which its mask was last empty or emptied, or `NEVER_HIDDEN`; None for a track that has just begun."""

    def is_young(self, frame: int, delay: int, *, reverse: bool) -> bool:
        """Whether it began less than so many frames ago."""
        age = self.first_frame - frame if reverse else frame - self.first_frame
        return age < delay


@dataclass(frozen=True)
class Tracks:
    """All tracks that there are after a frame."""

    present: tuple[Track, ...] = ()
    """In the order in which they began."""
    next_id: int = 1
    """Number of the next track that begins; 0 is left for the background of maps. transformers counts from 0."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Their numbers, in order."""
        return tuple(track.id for track in self.present)
