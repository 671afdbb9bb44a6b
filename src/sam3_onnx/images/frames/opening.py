"""Any source of frames, opened."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from sam3_onnx._support.checks import is_number, is_whole, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import MissingExtraError, OptionError, VideoOpenError
from sam3_onnx.images.frames.reading import CountedFrames
from sam3_onnx.images.frames.stills import StillsReader, files_in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sam3_onnx.images.frames.frame import FrameSource
    from sam3_onnx.images.frames.reading import Reader
    from sam3_onnx.images.loading import Picture

__all__ = ["Backend", "FramesLike", "open_frames"]

FramesLike: TypeAlias = "str | os.PathLike[str] | int | Iterable[Picture] | NDArray[np.uint8]"
"""What `open_frames` takes: the path of a video or of a folder, the number of a camera, or pictures in order."""
Backend: TypeAlias = Literal["auto", "opencv", "pyav"]
"""What reads video files: PyAV where it is installed, otherwise OpenCV; or one of the two."""

_PYAV = "av"
_INSTALL = '`pip install "sam3-onnx[video]"` reads more kinds, AV1 among them.'


@known_keywords()
def open_frames(
    source: FramesLike, *, fps: float = 25.0, color: Literal["rgb", "bgr"] = "rgb", backend: Backend = "auto"
) -> FrameSource:
    """Opens a video, a folder of pictures, a camera, or pictures that are in memory already.

    Frames are upright RGB, numbered from 0. Times are those that a file states, also where frames are not equally far
    apart; pictures are `1 / fps` seconds apart. Pictures of a folder come in the order of their names, 2.png before
    10.png.

    How many frames a file has is known when its last one was read: what it states may be wrong. A file that ends before
    the time that it states gives a `VideoWarning`. With the extra `video`, PyAV reads files: more kinds, and damage is
    an error where OpenCV just ends.

    Args:
        source: The path of a video or of a folder; the number of a camera; pictures in order, as anything that
            `load_image` takes each, or as one array (N, H, W, 3). An iterator is read once.
        fps: Frames in a second of pictures; not of videos, which state their times.
        color: Channel order of arrays.
        backend: What reads video files.

    Returns:
        The frames. Close it when it is no longer needed.

    Raises:
        VideoOpenError: It cannot be opened, or has no frame.
        FolderError: The folder may not be read.
        NoPicturesError: The folder has no picture.
        PictureError: The first picture cannot be read.
        MissingExtraError: `backend` is "pyav" and PyAV is not installed.
        OptionError: Another kind of source, or an option out of its range.
    """
    if not is_number(fps) or not 0 < fps < float("inf"):
        raise OptionError("fps", expected="a number above 0", got=fps)
    if color not in ("rgb", "bgr"):
        raise OptionError("color", expected="'rgb' or 'bgr'", got=color)
    if backend not in ("auto", "opencv", "pyav"):
        raise OptionError("backend", expected='"auto", "opencv" or "pyav"', got=backend)
    if isinstance(source, str | os.PathLike):
        return _of_path(require_path("source", source), fps=fps, color=color, backend=backend)
    if is_whole(source):
        from sam3_onnx.images.frames.opencv import CameraReader  # noqa: PLC0415 - most sources are no camera

        empty = "Check that the camera is switched on."
        return CountedFrames(f"camera {source}", partial(CameraReader, int(source)), can_go_back=False, empty=empty)
    return _of_pictures(source, fps=fps, color=color)


def _of_path(path: Path, *, fps: float, color: Literal["rgb", "bgr"], backend: Backend) -> FrameSource:
    if path.is_dir():
        files = files_in_order(path)
        reader = partial(StillsReader, files, fps=fps, color=color, stated=len(files))
        return CountedFrames(str(path), reader, can_go_back=True, empty="")
    if not path.is_file():
        remedy = f"Check the path; relative ones start at {Path.cwd()}."
        raise VideoOpenError(str(path), reason="there is no such file", remedy=remedy)
    opened, empty = _video_reader(str(path.absolute()), backend)
    return CountedFrames(str(path), opened, can_go_back=True, empty=empty)


def _video_reader(path: str, backend: Backend) -> tuple[Callable[[], Reader], str]:
    """Returns what opens a video file, and what to do if it has no frame."""
    has_pyav = importlib.util.find_spec(_PYAV) is not None
    if backend == "pyav" and not has_pyav:
        raise MissingExtraError(feature="Reading videos with PyAV", package=_PYAV, extra="video")
    if backend == "opencv" or not has_pyav:
        from sam3_onnx.images.frames.opencv import OpenCvReader  # noqa: PLC0415 - one of two

        return partial(OpenCvReader, path), _INSTALL
    from sam3_onnx.images.frames.pyav import PyAvReader  # noqa: PLC0415 - one of two

    return partial(PyAvReader, path), "Check that it is whole."


def _of_pictures(source: object, *, fps: float, color: Literal["rgb", "bgr"]) -> FrameSource:
    if isinstance(source, np.ndarray) and source.ndim != 4:  # noqa: PLR2004 - frames, rows, columns, channels
        remedy = "Pass [array] for one picture."
        raise OptionError("source", expected="an array (N, H, W, 3)", got=f"one {source.shape}", remedy=remedy)
    if isinstance(source, bytes | bytearray) or not isinstance(source, Iterable):
        expected = "the path of a video or a folder, the number of a camera, or pictures in order"
        raise OptionError("source", expected=expected, got=type(source))
    can_go_back = isinstance(source, Sequence | np.ndarray) or not isinstance(source, Iterator)
    stated = len(source) if isinstance(source, Sequence | np.ndarray) else None
    reader = partial(StillsReader, source, fps=fps, color=color, stated=stated)
    return CountedFrames("the pictures", reader, can_go_back=can_go_back, empty="Pass at least one picture.")
