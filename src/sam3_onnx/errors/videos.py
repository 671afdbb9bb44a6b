"""Errors of videos and of other sources of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.base import Sam3Error

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FrameIndexError",
    "FrameSizeError",
    "NoTracksError",
    "TrackMemoryError",
    "UnknownTrackError",
    "VideoClosedError",
    "VideoDamagedError",
    "VideoError",
    "VideoOpenError",
    "VideoWarning",
]


class VideoError(Sam3Error):
    """A video, or another source of frames, cannot be used."""


class VideoOpenError(VideoError, ValueError):
    """A source of frames cannot be opened, or has no frames."""

    def __init__(self, source: str, *, reason: str, remedy: str) -> None:
        super().__init__(f"The frames of {source} cannot be read: {reason}. {remedy}")


class VideoDamagedError(VideoError, ValueError):
    """A video is damaged after the frames that were read."""

    def __init__(self, source: str, *, frames: int, reason: str) -> None:
        self.frames = frames
        super().__init__(
            f"The video {source} is damaged: expected more frames after the first {frames}, got an error ({reason}). "
            f"The first {frames} frames are valid. Convert the video with another program, or use only its beginning."
        )


class FrameIndexError(VideoError, IndexError):
    """A frame index is out of range, or the frame can no longer be read."""

    def __init__(self, source: str, index: object, *, expected: str, remedy: str) -> None:
        super().__init__(f"No frame {index} of {source}: expected {expected}. {remedy}")


class FrameSizeError(VideoError, ValueError):
    """A frame has another size than the frames before it."""

    def __init__(self, source: str, index: int, *, expected: tuple[int, int], got: tuple[int, int]) -> None:
        super().__init__(
            f"Frame {index} of {source} has another size: expected {expected[1]} x {expected[0]} pixels, the size of "
            f"the first frame, got {got[1]} x {got[0]} (width x height). Resize all frames to one size, or use "
            "a separate video for each size."
        )


class UnknownTrackError(VideoError, LookupError):
    """A video has no object of this number, or none any more."""

    def __init__(self, track_id: object, *, known: Sequence[int], was_removed: bool) -> None:
        there = f"one of {', '.join(map(str, known))}" if known else "the number of an object, and there is none"
        reason = "it was removed, and numbers are not used again" if was_removed else "no object ever had it"
        super().__init__(
            f"The video has no object {track_id!r}: {reason}. Expected {there}. "
            "Add an object with video.add(frame=..., points=[(x, y)]), which returns its number."
        )


class NoTracksError(VideoError, ValueError):
    """A video is to be gone through, and there is no object to follow."""

    def __init__(self) -> None:
        super().__init__(
            "There is nothing to follow: expected an object at least, got none. "
            "Add one first: video.add(frame=0, points=[(x, y)]), or box=, or mask=."
        )


class TrackMemoryError(VideoError, RuntimeError):
    """What was remembered of an object on an earlier frame is needed, and has been lost."""

    def __init__(self, track_id: int, *, frame: int, lost: int, start: int) -> None:
        super().__init__(
            f"Object {track_id} cannot be followed on frame {frame}: expected its memory of frame {lost}, got none, as "
            "the temporary file for memories is full or could not be written. "
            f"Begin at a frame with a prompt for it: video.propagate(start={start})."
        )


class VideoClosedError(VideoError, RuntimeError):
    """A video was used that has been closed."""

    def __init__(self, source: str) -> None:
        super().__init__(f"The video {source} has been closed. Open it again with session.video(...).")


class VideoWarning(UserWarning):
    """A video has another number of frames than its header says, or memories of its frames could not be kept."""
