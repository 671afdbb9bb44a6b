"""How does Label Studio get its regions from SAM 3 on ONNX Runtime?

A machine learning backend: the labels of a project, words that a person writes and smart rectangles become brush or
polygon regions; smart key points cut out one object. See README.md beside this file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

import numpy as np
from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse
from label_studio_sdk.converter.brush import mask2rle

from sam3_onnx import Box, Sam3Session, __version__
from sam3_onnx.errors import OptionError
from sam3_onnx.images import load_image
from sam3_onnx.prompts import parse_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx import Instance
    from sam3_onnx.results import Segmentation


class Task(TypedDict):
    """A picture to label."""

    id: int
    data: Mapping[str, str]


class Value(TypedDict, total=False):
    """What a smart tool drew, in percent of the picture, or what was written."""

    x: float
    y: float
    width: float
    height: float
    rotation: float
    rectanglelabels: list[str]
    keypointlabels: list[str]
    text: str | list[str]


class Drawn(TypedDict, total=False):
    """One use of a smart tool or of a text field."""

    type: str
    value: Value
    is_positive: bool


@dataclass(frozen=True)
class Control:
    """The tag of a labelling configuration that results belong to."""

    tag: str
    """"BrushLabels" or "PolygonLabels"."""
    name: str
    to_name: str
    picture: str
    """The key of a task's data that holds the picture."""
    labels: Mapping[str, str]
    """From what is asked for to its label: the `predicted_values` of a <Label>, or its own name."""

    def label_of(self, word: str) -> str:
        """The label that a word belongs to, whatever its case; where there is one label only, it is that one."""
        known = {prompt.lower(): label for prompt, label in self.labels.items()}
        known.update({label.lower(): label for label in self.labels.values()})
        if word.lower() in known:
            return known[word.lower()]
        only, *others = dict.fromkeys(self.labels.values())
        if others:
            remedy = "Write or choose one of them, or add the word to the predicted_values of a <Label>."
            raise OptionError("a word or label", expected=f"one of {', '.join(known)}", got=word, remedy=remedy)
        return only


@dataclass
class Asked:
    """What is asked about one picture, in its pixels."""

    words: dict[str, str] = field(default_factory=dict)
    """Prompt to label."""
    boxes: list[Box] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    point_labels: list[int] = field(default_factory=list)
    label: str = ""
    """What was chosen when a rectangle or a key point was drawn."""


@cache
def session() -> Sam3Session:
    """The model, opened once: SAM3_MODEL is a published name or a folder with an export."""
    model = os.environ.get("SAM3_MODEL", "miniature")
    return Sam3Session.from_folder(model) if Path(model).is_dir() else Sam3Session.from_pretrained(model)


class Sam3Backend(LabelStudioMLBase):
    """Answers Label Studio with SAM 3. It is made anew for every request; the model is not."""

    def setup(self) -> None:
        """Names the version that predictions carry."""
        self.set("model_version", f"sam3-onnx-{__version__}")

    def predict(
        self, tasks: Sequence[Task], context: Mapping[str, Sequence[Drawn]] | None = None, **_options: object
    ) -> ModelResponse:
        """Finds the labels of the project in each picture, or what a person just drew or wrote.

        Args:
            tasks: Pictures.
            context: Under `result`, what was drawn or written; None where nobody is at the screen.
        """
        control = self._control()
        drawn = (context or {}).get("result", ())
        return ModelResponse(predictions=[self._prediction(task, control, drawn) for task in tasks])

    def _prediction(self, task: Task, control: Control, drawn: Sequence[Drawn]) -> dict[str, object]:
        picture = load_image(self.get_local_path(task["data"][control.picture], task_id=task["id"]))
        found = answer(picture, asked_of(drawn, control, picture.shape[:2]))
        regions = [region for instance in found if (region := region_of(instance, control, found.size))]
        return {"result": regions, "score": fmean(found.scores.tolist()) if regions else 0.0}

    def _control(self) -> Control:
        tags = {tag.tag: tag for tag in reversed(list(self.label_interface.controls))}
        tag = tags.get("BrushLabels") or tags.get("PolygonLabels")
        if tag is None:
            expected = "a <BrushLabels> or a <PolygonLabels> for an <Image>"
            raise OptionError("the labelling configuration", expected=expected, got=", ".join(tags))
        picture = tag.objects[0]
        labels = {
            prompt.strip(): label
            for label, shown in tag.labels_attrs.items()
            for prompt in (shown.attr.get("predicted_values") or label).split(",")
        }
        return Control(tag.tag, tag.name, picture.name, picture.value_name, labels)


def asked_of(drawn: Sequence[Drawn], control: Control, size: tuple[int, ...]) -> Asked:
    """What a person drew or wrote; every label of the project if that is nothing.

    Args:
        drawn: From the context of a request.
        control: Where results belong.
        size: Height and width of the picture in pixels.

    Raises:
        OptionError: A word of no label, a turned rectangle, or a tool that means nothing here.
    """
    asked = Asked()
    across, down = size[1] / 100, size[0] / 100
    for item in drawn:
        kind, value = item["type"], item["value"]
        positive = item.get("is_positive", True)
        if kind == "textarea":
            written = value["text"]
            concepts = parse_text(written if isinstance(written, str) else ", ".join(written))
            asked.words |= {concept.prompt: control.label_of(concept.prompt) for concept in concepts}
        elif kind in {"rectangle", "rectanglelabels"}:
            if value.get("rotation"):
                raise OptionError("the rotation of a smart rectangle", expected="0 degrees", got=value["rotation"])
            left, top = value["x"] * across, value["y"] * down
            box = Box(left, top, left + value["width"] * across, top + value["height"] * down, positive)
            asked.boxes.append(box)
            asked.label = control.label_of(*value.get("rectanglelabels", [""])[:1])
        elif kind in {"keypoint", "keypointlabels"}:
            asked.points.append((value["x"] * across, value["y"] * down))
            asked.point_labels.append(int(positive))
            asked.label = control.label_of(*value.get("keypointlabels", [""])[:1])
        else:
            expected = "a smart rectangle, a smart key point or a text area"
            raise OptionError("what was drawn", expected=expected, got=kind)
    if not drawn:
        asked.words = dict(control.labels)
    return asked


def answer(picture: NDArray[np.uint8], asked: Asked) -> Segmentation:
    """Asks the model: key points for one object, anything else for every instance.

    Args:
        picture: (H, W, 3) uint8 RGB.
        asked: What to look for.
    """
    if asked.points:
        box = asked.boxes[0] if asked.boxes else None
        return (
            session()
            .predict_object(picture, asked.points, asked.point_labels, box=box, label=asked.label)
            .segmentation()
        )
    if asked.words:
        return session().predict(picture, asked.words, boxes=asked.boxes or None)
    return session().predict(picture, boxes=asked.boxes, label=asked.label)


def region_of(instance: Instance, control: Control, size: tuple[int, int]) -> dict[str, object] | None:
    """One instance as Label Studio holds it: the mask itself, or the outline of its largest part if it has one.

    Args:
        instance: What was found.
        control: Where it belongs.
        size: Height and width of the picture in pixels.
    """
    height, width = size
    kind = control.tag.lower()
    value: dict[str, object] = {kind: [instance.label]}
    if control.tag == "BrushLabels":
        value |= {"format": "rle", "rle": mask2rle(instance.mask.astype(np.uint8) * 255)}
    else:
        outline = instance.polygon()
        if outline is None:
            return None
        value |= {"closed": True, "points": (outline * 100 / (width, height)).tolist()}
    return {
        "id": uuid4().hex[:10],
        "type": kind,
        "from_name": control.name,
        "to_name": control.to_name,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
        "score": instance.score,
    }
