"""`open_frames`: opening of any source of frames."""

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
"""Sources for `open_frames`: the path of a video or folder, the number of a camera, or a sequence of pictures."""
Backend: TypeAlias = Literal["auto", "opencv", "pyav"]
"""Library that reads video files: "auto" is PyAV if installed, otherwise OpenCV."""

_PYAV = "av"
_INSTALL = '`pip install "sam3-onnx[video]"` adds support for more formats, including AV1.'


@known_keywords()
def open_frames(
    source: FramesLike, *, fps: float = 25.0, color: Literal["rgb", "bgr"] = "rgb", backend: Backend = "auto"
) -> FrameSource:
    """Opens a video, a folder of pictures, a camera, or pictures in memory.

    Frames are upright RGB, with indices from 0. Times come from the file, and the intervals may differ; the interval
    between pictures is `1 / fps` seconds. Pictures of a folder are sorted by name, with 2.png before 10.png.

    The number of frames is known only after the last frame was read, because files may state a wrong number. A file
    that ends before its stated duration gives a `VideoWarning`. With the extra `video`, PyAV reads files: it supports
    more formats, and raises an error for damage where OpenCV ends silently.

    Args:
        source: The path of a video or folder; the number of a camera; or a sequence of pictures, each in a form that
            `load_image` accepts, or as one array (N, H, W, 3). An iterator can be read only once.
        fps: Frames per second for pictures; ignored for videos, which contain times.
        color: Channel order of arrays, "rgb" or "bgr".
        backend: Library that reads video files.

    Returns:
        A source of frames. Close it when it is no longer needed.

    Raises:
        VideoOpenError: The source cannot be opened, or has no frame.
        FolderError: The folder cannot be read.
        NoPicturesError: The folder has no picture.
        PictureError: The first picture cannot be read.
        MissingExtraError: `backend` is "pyav" and PyAV is not installed.
        OptionError: The source has an unsupported type, or an option has a value that is not allowed.
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
    """Returns a function that opens a video file, and the advice if it has no frame."""
    has_pyav = importlib.util.find_spec(_PYAV) is not None
    if backend == "pyav" and not has_pyav:
        raise MissingExtraError(feature="Reading videos with PyAV", package=_PYAV, extra="video")
    if backend == "opencv" or not has_pyav:
        from sam3_onnx.images.frames.opencv import OpenCvReader  # noqa: PLC0415 - one of two

        return partial(OpenCvReader, path), _INSTALL
    from sam3_onnx.images.frames.pyav import PyAvReader  # noqa: PLC0415 - one of two

    return partial(PyAvReader, path), "Check that it is complete."


def _of_pictures(source: object, *, fps: float, color: Literal["rgb", "bgr"]) -> FrameSource:
    if isinstance(source, np.ndarray) and source.ndim != 4:  # noqa: PLR2004 - frames, rows, columns, channels
        remedy = "Pass [array] for one picture."
        raise OptionError("source", expected="an array (N, H, W, 3)", got=f"an array {source.shape}", remedy=remedy)
    if isinstance(source, bytes | bytearray) or not isinstance(source, Iterable):
        expected = "the path of a video or folder, the number of a camera, or a sequence of pictures"
        raise OptionError("source", expected=expected, got=type(source))
    can_go_back = isinstance(source, Sequence | np.ndarray) or not isinstance(source, Iterator)
    stated = len(source) if isinstance(source, Sequence | np.ndarray) else None
    reader = partial(StillsReader, source, fps=fps, color=color, stated=stated)
    return CountedFrames("the pictures", reader, can_go_back=can_go_back, empty="Pass at least one picture.")
