"""Errors of videos and of other sources of frames."""

from __future__ import annotations

from sam3_onnx.errors.base import Sam3Error

__all__ = ["FrameIndexError", "FrameSizeError", "VideoDamagedError", "VideoError", "VideoOpenError", "VideoWarning"]


class VideoError(Sam3Error):
    """A video, or another source of frames, cannot be used."""


class VideoOpenError(VideoError, ValueError):
    """A source of frames cannot be opened, or has no frame."""

    def __init__(self, source: str, *, reason: str, remedy: str) -> None:
        super().__init__(f"The frames of {source} cannot be read: {reason}. {remedy}")


class VideoDamagedError(VideoError, ValueError):
    """A video is damaged behind the frames that were read."""

    def __init__(self, source: str, *, frames: int, reason: str) -> None:
        self.frames = frames
        super().__init__(
            f"The video {source} is damaged: expected more frames after the first {frames}, got an error ({reason}). "
            "The frames before it are fine. Write the video anew with another program, or use only its beginning."
        )


class FrameIndexError(VideoError, IndexError):
    """There is no frame of a number, or it cannot be read any more."""

    def __init__(self, source: str, index: object, *, expected: str, remedy: str) -> None:
        super().__init__(f"No frame {index} of {source}: expected {expected}. {remedy}")


class FrameSizeError(VideoError, ValueError):
    """A frame has another size than the frames before it."""

    def __init__(self, source: str, index: int, *, expected: tuple[int, int], got: tuple[int, int]) -> None:
        super().__init__(
            f"Frame {index} of {source} is {got[1]} x {got[0]} pixels, expected {expected[1]} x {expected[0]} as the "
            "first one. Bring all frames to one size, or take the parts of one size as videos of their own."
        )


class VideoWarning(UserWarning):
    """A video ended in another place than it said."""
