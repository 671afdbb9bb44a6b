"""The frames of a video as label files take them, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sam3_onnx._support.checks import is_whole
from sam3_onnx.errors import FrameSizeError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sam3_onnx.results.instance import Instance
    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["FRAME_NAME", "TrackedFrame", "checked_frames", "frame_name", "track_id_of", "track_score_of"]

FRAME_NAME = "{index:06d}"
"""Name of a frame's files without their ending, where nobody says another one."""


class TrackedFrame(Protocol):
    """One frame, as `sam3_onnx.video` yields it."""

    @property
    def index(self) -> int:
        """Number of the frame, from 0."""
        ...

    @property
    def time(self) -> float:
        """Seconds from the beginning of the video."""
        ...

    @property
    def result(self) -> Segmentation:
        """What is seen on it; each instance has a `track_id`."""
        ...


def checked_frames(frames: Iterable[TrackedFrame], *, of: str) -> Iterator[TrackedFrame]:
    """Yields frames that follow each other, in one size.

    Args:
        frames: Of one video.
        of: Name of the file that is made of them, for messages.

    Raises:
        FrameSizeError: A frame has another size than the first one.
        OptionError: A frame has the number of the one before it, or a smaller one.
    """
    size: tuple[int, int] | None = None
    last = -1
    for frame in frames:
        if frame.index <= last:
            raise OptionError("frames", expected=f"in the order of the video, above {last}", got=frame.index)
        size, last = size or frame.result.size, frame.index
        if frame.result.size != size:
            raise FrameSizeError(of, frame.index, expected=size, got=frame.result.size)
        yield frame


def frame_name(pattern: str, frame: TrackedFrame) -> str:
    """Returns the name of a frame's file.

    Args:
        pattern: With {index} for the number of the frame, such as "{index:06d}.jpg".
        frame: The frame.

    Raises:
        OptionError: The pattern has no {index}, or something else in braces; or the name leads to another folder.
    """
    expected = 'a name with {index} for the number of the frame, such as "{index:06d}.jpg"'
    try:
        name, other = (pattern.format(index=index) for index in (frame.index, frame.index + 1))
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise OptionError("names", expected=expected, got=pattern) from error
    if name == other or not name.strip() or any(sign in name for sign in "/\\\0"):
        raise OptionError("names", expected=expected, got=pattern)
    return name


def track_id_of(instance: Instance) -> int:
    """Returns the number of the thing that an instance is.

    Raises:
        OptionError: It has none: it was found on a picture, not in a video.
    """
    number = getattr(instance, "track_id", None)
    if not is_whole(number) or number < 1:
        remedy = "Pass the frames of a video, which have it, not the results of predict."
        raise OptionError("frames", expected="instances with a track_id of at least 1", got=number, remedy=remedy)
    return int(number)


def track_score_of(instance: Instance) -> float:
    """Returns how sure it is that the thing is seen here, in 0..1; its score, if nothing else is known."""
    return float(getattr(instance, "track_score", instance.score))
