"""Errors of videos and of other sources of frames."""

from __future__ import annotations

from sam3_onnx.errors.base import Sam3Error

__all__ = ["FrameIndexError", "FrameSizeError", "VideoDamagedError", "VideoError", "VideoOpenError", "VideoWarning"]


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


class VideoWarning(UserWarning):
    """A video has another number of frames than its header says."""
