"""Masks of tracks as the JSON of YouTube-VIS (https://youtube-vos.org/dataset/vis), which others call COCO for videos.

One entry for each track, with a mask, a box and an area for each frame, and null where it is not seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import LabelNameError, OptionError
from sam3_onnx.labels.videos.frames import FRAME_NAME, checked_frames, frame_name, track_id_of
from sam3_onnx.labels.writing import put, require_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from sam3_onnx.geometry.rle import Rle
    from sam3_onnx.labels.videos.frames import TrackedFrame
    from sam3_onnx.results.instance import Instance

__all__ = ["write_youtube_vis"]


@known_keywords()
def write_youtube_vis(
    path: str | os.PathLike[str],
    frames: Iterable[TrackedFrame],
    *,
    classes: Sequence[str] | None = None,
    names: str = f"{FRAME_NAME}.jpg",
) -> int:
    """Writes the masks of all frames of one video into one file, in one step.

    Masks are compressed run lengths, as `pycocotools` reads them, boxes x, y, width, height in pixels. A track has the
    highest score that one of its instances has.

    Args:
        path: The JSON file.
        frames: Of one video, in order; they are taken one after the other. Masks are kept as run lengths meanwhile.
        classes: The names of all classes, numbered from 1; None for those of the results, in their order.
        names: Names of the frames' pictures, with {index} for the number of the frame.

    Returns:
        The number of tracks.

    Raises:
        LabelNameError: A label is none of the classes.
        OptionError: There is no frame, or they are no frames of a video; or `names` is no name of frames.
        FrameSizeError: A frame has another size than the first one.
        LabelFilePermissionError: The file may not be written.
        LabelFolderMissingError: Its folder is not there.
        OSError: It cannot be written.
    """
    target = require_path("path", path)
    require_folder(target)
    tracks: dict[int, _Track] = {}
    pictures: list[str] = []
    size: tuple[int, int] | None = None
    found_classes: list[str] = []
    for frame in checked_frames(frames, of=str(target)):
        size = frame.result.size
        found_classes = list(dict.fromkeys((*found_classes, *frame.result.classes)))
        for instance in frame.result:
            number = track_id_of(instance)
            tracks.setdefault(number, _Track(instance.label)).add(len(pictures), instance)
        pictures.append(frame_name(names, frame))
    if size is None:
        raise OptionError("frames", expected="at least one frame", got="none")
    known = found_classes if classes is None else list(classes)
    height, width = size
    video = {"id": 1, "width": width, "height": height, "length": len(pictures), "file_names": pictures}
    content = {
        "info": {"description": "Made by sam3-onnx"},
        "videos": [video],
        "categories": [{"id": place, "name": name} for place, name in enumerate(known, 1)],
        "annotations": [
            {"id": number, "video_id": 1, **tracks[number].entry(known, size, len(pictures))}
            for number in sorted(tracks)
        ],
    }
    put(target, json.dumps(content, ensure_ascii=False).encode())
    return len(tracks)


@dataclass
class _Track:
    """What was seen of one thing, by the place of the frame."""

    label: str
    score: float = 0.0
    masks: dict[int, Rle] = field(default_factory=dict)
    boxes: dict[int, list[int]] = field(default_factory=dict)
    areas: dict[int, int] = field(default_factory=dict)

    def add(self, place: int, instance: Instance) -> None:
        """Takes the instance of one frame; one without any pixel is not seen."""
        self.score = max(self.score, instance.score)
        rectangle = instance.rectangle()
        if rectangle is not None:
            left, top, right, bottom = rectangle
            self.masks[place] = instance.rle()
            self.boxes[place] = [left, top, right - left, bottom - top]
            self.areas[place] = instance.area

    def entry(self, classes: Sequence[str], size: tuple[int, int], length: int) -> dict[str, object]:
        """Returns the entry of the file, without its numbers.

        Raises:
            LabelNameError: The label is none of the classes.
        """
        if self.label not in classes:
            expected = f"one of the classes {', '.join(classes)}"
            raise LabelNameError(self.label, expected=expected, remedy="Name it in classes=, too.")
        height, width = size
        places = range(length)
        return {
            "category_id": classes.index(self.label) + 1,
            "score": self.score,
            "iscrowd": 0,
            "width": width,
            "height": height,
            "length": length,
            "segmentations": [self.masks.get(place) for place in places],
            "bboxes": [self.boxes.get(place) for place in places],
            "areas": [self.areas.get(place) for place in places],
        }
