"""A label file for each frame in the formats of pictures: the group id of a shape is the number of its track."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_choice, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.labels.finds import shapes_of
from sam3_onnx.labels.formats import picture_format
from sam3_onnx.labels.label_file import LabelFile
from sam3_onnx.labels.videos.frames import FRAME_NAME, checked_frames, frame_name, track_id_of
from sam3_onnx.labels.writing import put

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.labels.videos.frames import TrackedFrame
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["TRACK_FORMATS", "WrittenFrame", "track_shapes", "write_frame_labels"]

TRACK_FORMATS = ("xanylabeling", "labelme")
"""Formats whose shapes have a group id."""


@dataclass(frozen=True)
class WrittenFrame:
    """The label file of one frame."""

    path: Path
    shapes: int
    losses: tuple[Loss, ...]
    """What the file does not say."""


@known_keywords()
def write_frame_labels(
    folder: str | os.PathLike[str],
    frames: Iterable[TrackedFrame],
    *,
    label_format: str = "xanylabeling",
    mode: ShapeType | None = None,
    epsilon: float | None = None,
    min_area: float = 0,
    pictures: str = f"{FRAME_NAME}.jpg",
) -> list[WrittenFrame]:
    """Writes a label file for each frame as it comes, each in one step; a file that is there is replaced.

    Args:
        folder: Where the files go, which is where the pictures of the frames lie; it has to be there.
        frames: Of one video, in order.
        label_format: "xanylabeling" or "labelme".
        mode: Kind of shapes; None for polygons.
        epsilon: Simplification of polygons; None for the session's.
        min_area: Parts of polygons of fewer pixels are left out.
        pictures: Names of the frames' pictures, with {index} for the number of the frame. A label file has the name of
            its picture with another ending.

    Returns:
        What was written of each frame. Files that were written stay where a later frame fails.

    Raises:
        OptionError: There is no such format or mode, the frames are no frames of a video, or `pictures` is no name of
            frames.
        FrameSizeError: A frame has another size than the first one.
        LabelError: A shape or a label cannot be written, or the file may not.
        OSError: It cannot be written.
    """
    require_choice("label_format", label_format, TRACK_FORMATS)
    chosen = picture_format(label_format)
    kind = mode or chosen.modes[0]
    if kind not in chosen.modes:
        raise OptionError("mode", expected=f"one of {', '.join(chosen.modes)} for {label_format}", got=mode)
    place = require_path("folder", folder)
    written = []
    for frame in checked_frames(frames, of=str(place)):
        name = frame_name(pictures, frame)
        shapes, losses = track_shapes(frame.result, kind, epsilon=epsilon, min_area=min_area)
        content, lost = chosen.encode(LabelFile(tuple(shapes), name, frame.result.size))
        path = (place / name).with_suffix(chosen.suffix)
        put(path, content)
        written.append(WrittenFrame(path, len(shapes), (*losses, *lost)))
    return written


def track_shapes(
    result: Segmentation, mode: ShapeType, *, epsilon: float | None = None, min_area: float = 0
) -> tuple[list[Shape], list[Loss]]:
    """Returns the shapes of a frame, all parts of a mask, each with the number of its track as its group id.

    Raises:
        OptionError: Another mode, or an instance has no number.
    """
    shapes: list[Shape] = []
    losses: list[Loss] = []
    for place, instance in enumerate(result):
        found, lost = shapes_of(result[[place]], mode, epsilon=epsilon, parts="all", min_area=min_area)
        shapes += [replace(shape, group_id=track_id_of(instance)) for shape in found]
        losses += lost
    return shapes, losses
