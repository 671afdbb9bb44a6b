"""How does X-AnyLabeling-Server answer with SAM 3 on ONNX Runtime?

A model for the server's folder `app/models`. Words, +Rect and -Rect, and points where the model takes clicks; what
the model cannot do is not offered to the client. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from app.core.registry import register_model
from app.models import BaseModel
from fastapi import HTTPException

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError, PictureError, PromptError, Sam3Error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx import Capabilities, ObjectSegmentation, Shape
    from sam3_onnx.results import Segmentation
    from sam3_onnx.session import SessionOptions

OUTPUTS = ("polygon", "rectangle", "rotation")
"""What the server's schema has of the library's kinds of shape."""
UNNAMED = "AUTOLABEL_OBJECT"
"""What the client calls an object until a person names it with Finish."""


class Mark(TypedDict):
    """What a person drew to show what is meant, in whole pixels of the picture."""

    type: str
    """"rectangle" or "point"."""
    data: list[float]
    """x1, y1, x2, y2, or x, y."""
    label: int
    """1 for what is meant, 0 for what is not."""


class Asked(TypedDict, total=False):
    """What the client sends of its widgets, as far as it matters here."""

    text_prompt: str
    marks: list[Mark]
    conf_threshold: float
    epsilon_factor: float
    """Fraction of a polygon's perimeter, from the slider of mask fineness."""


class RefusedError(HTTPException, RuntimeError):
    """A request that cannot be answered, with our message as the response's `detail`.

    The server puts what a model raises into an answer of status 200, which the client draws as a picture without
    shapes. A RuntimeError it passes on, and FastAPI answers with the status of an HTTPException: the client then
    reports an error.
    """

    def __init__(self, error: Sam3Error) -> None:
        asked_wrongly = isinstance(error, PromptError | OptionError | PictureError)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if asked_wrongly else HTTPStatus.INTERNAL_SERVER_ERROR
        super().__init__(status, str(error))


@register_model("local_sam3")
class LocalSam3(BaseModel):
    """SAM 3 through `sam3_onnx`, set up by `configs/auto_labeling/local_sam3.yaml`."""

    def load(self) -> None:
        """Opens the model that `params` names: a folder with an export, or the name of a published model.

        Raises:
            OptionError: The server has no such shapes as `output` names.
        """
        if self.params["output"] not in OUTPUTS:
            raise OptionError("output", expected=f"one of {', '.join(OUTPUTS)}", got=self.params["output"])
        model: str = self.params["model"]
        options: SessionOptions = self.params["session"]
        is_folder = Path(model).is_dir()
        self.session = (
            Sam3Session.from_folder(model, **options) if is_folder else Sam3Session.from_pretrained(model, **options)
        )

    def predict(self, image: NDArray[np.uint8], params: Asked) -> dict[str, object]:
        """Answers one request of the client.

        Args:
            image: (H, W, 3) BGR, as the server decodes it.
            params: What is asked.

        Raises:
            RefusedError: The question cannot be answered.
        """
        try:
            shapes = self._ask(image, params).shapes(self.params["output"], epsilon=params.get("epsilon_factor"))
        except Sam3Error as error:
            raise RefusedError(error) from error
        return {"shapes": [_sent(shape) for shape in shapes], "description": ""}

    def _ask(self, image: NDArray[np.uint8], params: Asked) -> Segmentation | ObjectSegmentation:
        text, marks = params.get("text_prompt"), params.get("marks")
        if marks and all(mark.get("type") == "point" for mark in marks):
            points, labels = [mark["data"] for mark in marks], [mark["label"] for mark in marks]
            return self.session.predict_object(image, points, labels, label=UNNAMED, color="bgr")
        return self.session.predict(
            image,
            text or None,
            marks=marks,
            label=None if text else UNNAMED,
            conf_threshold=params.get("conf_threshold"),
            color="bgr",
        )

    def unload(self) -> None:
        """Gives the memory back."""
        self.session.close()

    def get_metadata(self) -> dict[str, object]:
        """What `/v1/models` tells: only widgets for what the model can do, and how the embedding cache is doing."""
        metadata: dict[str, object] = super().get_metadata()
        useless = _useless_widgets(self.session.capabilities)
        widgets = [widget for widget in self.config.get("widgets", []) if widget["name"] not in useless]
        return {**metadata, "widgets": widgets, "cache": asdict(self.session.cache.info())}


def _useless_widgets(able: Capabilities) -> set[str]:
    needs = {
        "edit_text": able.text,
        "button_send": able.text,
        "add_pos_rect": able.boxes,
        "add_neg_rect": able.negative_boxes,
        "button_add_point": able.points,
        "button_remove_point": able.points,
        "button_run_rect": able.boxes or able.points,
    }
    return {name for name, useful in needs.items() if not useful}


def _sent(shape: Shape) -> dict[str, object]:
    """A shape as the server's schema has it; the client closes a polygon whose first vertex comes again."""
    points = shape.points.tolist()
    if shape.shape_type == "polygon":
        points.append(points[0])
    return {
        "label": shape.label,
        "shape_type": shape.shape_type,
        "points": points,
        "score": shape.score,
        "direction": shape.direction or 0.0,
    }
