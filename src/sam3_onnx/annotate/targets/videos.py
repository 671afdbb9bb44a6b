"""A video with what was found drawn on it."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_number, require_choice
from sam3_onnx._support.files import faults_named
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.annotate.targets.video_encoding import CODECS, video_encoder
from sam3_onnx.errors import FrameIndexError, OptionError
from sam3_onnx.images.writing import require_target
from sam3_onnx.labels.videos.frames import checked_frames, track_id_of
from sam3_onnx.results.segmentation import Segmentation

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.annotate.targets.video_encoding import VideoBackend, VideoEncoder
    from sam3_onnx.draw.style import DrawOptions
    from sam3_onnx.images.frames.frame import Frame
    from sam3_onnx.labels.videos.frames import TrackedFrame

__all__ = ["draw_tracks", "write_overlay_video"]

_USUAL_FPS = 25.0
"""Of a video of one frame, whose times say nothing."""


@known_keywords()
def write_overlay_video(
    path: str | os.PathLike[str],
    pictures: Iterable[Frame],
    frames: Iterable[TrackedFrame],
    *,
    fps: float | None = None,
    backend: VideoBackend = "auto",
    overwrite: bool = False,
    **options: Unpack[DrawOptions],
) -> int:
    """Writes a video of the frames with their tracks on them, each track always in the same colour.

    The file takes its place when it is whole. Where a side has an odd number of pixels, its last row is repeated, as
    most codecs want even ones.

    Args:
        path: The file; it ends in .mp4, .webm or .avi. PyAV (extra `video`) writes .mp4 as H.264, which every browser
            plays; without it OpenCV writes MPEG-4, which browsers may not play, so prefer .webm then.
        pictures: All frames of the video, such as `open_frames` returns them; those without a result are left out.
        frames: What was found, in order; they are taken one after the other.
        fps: Frames in a second; None for what the times of the first two frames say. PyAV keeps the time of each
            frame, OpenCV shows all for the same time.
        backend: "auto" for PyAV if it is installed, otherwise OpenCV; or one of the two.
        overwrite: Whether a file that is there is replaced.
        **options: opacity, fill, labels and color_mode; see `sam3_onnx.draw.DrawOptions`.

    Returns:
        The number of frames that were written.

    Raises:
        OutputExistsError: There is a file already.
        OptionError: Another ending, an option out of its range, no frame, or they are no frames of a video.
        FrameIndexError: There is no picture of a frame.
        FrameSizeError: A frame has another size than the first one.
        MissingExtraError: PyAV is asked for and not installed.
        OSError: The file cannot be written, or the disk is full.
    """
    target = require_target(path, overwrite=overwrite, endings=tuple(CODECS))
    require_choice("backend", backend, ("auto", "opencv", "pyav"))
    if fps is not None and not (is_number(fps) and fps > 0):
        raise OptionError("fps", expected="a number of frames in a second above 0, or None", got=fps)
    drawn = _drawn(_with_pictures(pictures, checked_frames(frames, of=str(target)), target), options)
    first = list(islice(drawn, 2))
    if not first:
        raise OptionError("frames", expected="at least one frame", got="none")
    rate = fps or _rate([time for time, _ in first])
    height, width = first[0][1].shape[:2]
    with faults_named(target), _draft(target) as draft:
        encoder = video_encoder(draft, (height, width), rate, backend)
        return _encoded(encoder, chain(first, drawn), start=first[0][0])


def draw_tracks(image: NDArray[np.uint8], result: Segmentation, **options: Unpack[DrawOptions]) -> NDArray[np.uint8]:
    """Draws the things of one frame with their numbers, each number always in the same colour.

    Args:
        image: (H, W, 3) uint8 RGB, the frame.
        result: What was found on it; its instances have a `track_id`.
        **options: As for `write_overlay_video`.

    Returns:
        (H, W, 3) uint8 RGB; a new array.

    Raises:
        OptionError: An instance has no number, or an option is out of its range.
        PictureTypeError: The image is not of the size of the result.
    """
    names = {track_id_of(instance): f"{instance.label} {track_id_of(instance)}" for instance in result}
    places = [names.get(number, str(number)) for number in range(1, max(names, default=0) + 1)]
    named = tuple(replace(instance, label=names[track_id_of(instance)]) for instance in result)
    style: DrawOptions = {"color_mode": "class", **options}
    return Segmentation(named, result.size, classes=tuple(places)).draw(image, **style)


def _with_pictures(
    pictures: Iterable[Frame], frames: Iterable[TrackedFrame], target: Path
) -> Iterator[tuple[Frame, TrackedFrame]]:
    """Yields each frame with its picture."""
    ahead = iter(pictures)
    for frame in frames:
        picture = next((each for each in ahead if each.index >= frame.index), None)
        if picture is None or picture.index != frame.index:
            expected = "a picture of each frame that has a result"
            remedy = "Pass all frames of the same video, from the first one on, as open_frames reads them."
            raise FrameIndexError(str(target), frame.index, expected=expected, remedy=remedy)
        yield picture, frame


def _drawn(
    pairs: Iterable[tuple[Frame, TrackedFrame]], options: DrawOptions
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yields the time of each frame, and its picture with the tracks, of even height and width."""
    for picture, frame in pairs:
        image = draw_tracks(picture.image, frame.result, **options)
        height, width = image.shape[:2]
        yield frame.time, np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _rate(times: list[float]) -> float:
    """Returns frames in a second from the times of the first frames."""
    step = times[-1] - times[0]
    return 1 / step if step > 0 else _USUAL_FPS


def _encoded(encoder: VideoEncoder, drawn: Iterable[tuple[float, NDArray[np.uint8]]], *, start: float) -> int:
    count = 0
    try:
        for time, image in drawn:
            encoder.add(image, time - start)
            count += 1
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is raised, not this one
            encoder.close()
        raise
    encoder.close()
    return count


@contextlib.contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Yields a file beside a target that takes its place if the block ends well, and goes if not."""
    draft = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
