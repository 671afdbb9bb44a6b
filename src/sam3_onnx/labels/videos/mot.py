"""Boxes of tracks as the text files of the Multiple Object Tracking benchmark (https://motchallenge.net/instructions).

One line for each thing on each frame. Numbers of frames, of tracks and of pixels begin at 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.checks import as_entries, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import LabelNameError, OptionError
from sam3_onnx.labels.videos.frames import checked_frames, track_id_of, track_score_of
from sam3_onnx.labels.writing import put, require_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from sam3_onnx.labels.videos.frames import TrackedFrame

__all__ = ["mot_lines", "write_mot"]


@known_keywords()
def write_mot(
    path: str | os.PathLike[str], frames: Iterable[TrackedFrame], *, classes: Sequence[str] | None = None
) -> int:
    """Writes the boxes of all frames into one text file, in one step.

    A box is the rectangle around the mask; things without any pixel have no line.

    Args:
        path: The text file.
        frames: Of one video, in order; they are taken one after the other.
        classes: None for the form of results, in which nothing has a class: `frame, id, left, top, width, height,
            confidence, -1, -1, -1`. Otherwise the names of all classes, for the form of annotations that CVAT and
            others read: `frame, id, left, top, width, height, 1, class, 1`, where a class is the place of its name,
            from 1; the names stand in `labels.txt` beside the file.

    Returns:
        The number of lines.

    Raises:
        LabelNameError: A label is none of the classes.
        OptionError: `classes` is no list of different names, or the frames are no frames of a video.
        FrameSizeError: A frame has another size than the first one.
        LabelFilePermissionError: The file may not be written.
        LabelFolderMissingError: Its folder is not there.
        OSError: It cannot be written.
    """
    target = require_path("path", path)
    require_folder(target)
    names = None if classes is None else _class_names(classes)
    lines = list(mot_lines(checked_frames(frames, of=str(target)), classes=names))
    if names is not None:
        put(target.with_name("labels.txt"), "".join(f"{name}\n" for name in names).encode())
    put(target, "".join(lines).encode())
    return len(lines)


def mot_lines(frames: Iterable[TrackedFrame], *, classes: Sequence[str] | None = None) -> Iterator[str]:
    """Yields the lines of some frames, each with its end; see `write_mot`."""
    for frame in frames:
        for instance in sorted(frame.result, key=track_id_of):
            rectangle = instance.rectangle()
            if rectangle is None:
                continue
            left, top, right, bottom = rectangle
            place = f"{frame.index + 1},{track_id_of(instance)},{left + 1},{top + 1},{right - left},{bottom - top}"
            if classes is None:
                yield f"{place},{track_score_of(instance):.6g},-1,-1,-1\n"
            elif instance.label in classes:
                yield f"{place},1,{classes.index(instance.label) + 1},1\n"
            else:
                expected = f"one of the classes {', '.join(classes)}"
                raise LabelNameError(instance.label, expected=expected, remedy="Name it in classes=, too.")


def _class_names(classes: object) -> list[str]:
    names = [name for name in as_entries(classes) if isinstance(name, str) and name.strip() and "\n" not in name]
    if not names or names != list(dict.fromkeys(as_entries(classes))):
        raise OptionError("classes", expected="a list of different names, each on one line, or None", got=classes)
    return names
