"""How does napari label with SAM 3? By words, drawn examples and clicks, in a widget at its side.

Run it with a picture: `python sam3_widget.py PICTURE`. See README.md beside this file.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
import pandas as pd
from magicgui.widgets import Container, FloatSlider, Label, LineEdit, PushButton
from napari.layers import Image
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from sam3_layers import as_boxes, as_clicks, as_label_map, as_outlines

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.qt.threading import FunctionWorker
    from numpy.typing import NDArray

    from sam3_onnx.results import Segmentation

LIKE_THIS, NOT_THIS, ON_IT, BESIDE_IT = "like this", "not this", "on it", "beside it"
"""Layers to draw examples in, and to click in."""
FOUND, OUTLINES = "found", "outlines"


class Sam3Widget(Container):
    """Words, a threshold and buttons; what the model cannot do is not offered."""

    def __init__(self, viewer: napari.Viewer, session: Sam3Session) -> None:
        """Adds the layers to draw and click in, over the picture that the viewer shows.

        Args:
            viewer: With a picture in it.
            session: The model.
        """
        self.viewer, self.session = viewer, session
        able = session.capabilities
        self.words = LineEdit(label="Words", tooltip="such as: person, truck", visible=able.text)
        self.threshold = FloatSlider(label="Score above", min=able.lowest_threshold, max=1, value=0.5)
        self.find = PushButton(text="Find all", visible=able.text or able.boxes)
        self.cut_out = PushButton(text="Cut out what is clicked", visible=able.points)
        self.status = Label()
        super().__init__(widgets=[self.words, self.threshold, self.find, self.cut_out, self.status])
        self.find.changed.connect(lambda _pressed: self.run(self.examples()))
        self.cut_out.changed.connect(lambda _pressed: self.run(self.clicks()))
        signs = ("lime", "red")
        for name, color in zip((LIKE_THIS, NOT_THIS), signs, strict=True) if able.boxes else ():
            viewer.add_shapes(
                name=name, ndim=2, edge_color=color, face_color="transparent", edge_width=2, **self._place()
            )
        for name, color in zip((ON_IT, BESIDE_IT), signs, strict=True) if able.points else ():
            viewer.add_points(name=name, ndim=2, face_color=color, **self._place())

    def examples(self) -> Callable[[], Segmentation]:
        """What the words and the drawn examples ask for."""
        boxes = as_boxes(self._drawn(LIKE_THIS), positive=True) + as_boxes(self._drawn(NOT_THIS), positive=False)
        words, threshold = self.words.value or None, self.threshold.value
        return partial(self.session.predict, self._picture().data, words, boxes=boxes or None, conf_threshold=threshold)

    def clicks(self) -> Callable[[], Segmentation]:
        """What the clicks ask for."""
        picture = self._picture().data
        on_it, beside_it = (
            [click for places in self._drawn(name) for click in as_clicks(places)] for name in (ON_IT, BESIDE_IT)
        )
        signs = [1] * len(on_it) + [0] * len(beside_it)
        return lambda: self.session.predict_object(picture, on_it + beside_it, signs).segmentation()

    def run(self, question: Callable[[], Segmentation]) -> FunctionWorker[Segmentation]:
        """Asks the model in the background. What was found becomes layers, an error one of napari's messages."""
        self.status.value = "..."
        self.find.enabled = self.cut_out.enabled = False
        worker = create_worker(question, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(partial(self._show, place=self._place()))
        worker.errored.connect(self._fail)
        worker.finished.connect(self._ready)
        worker.start()
        return worker

    def _show(self, found: Segmentation, place: dict[str, NDArray[np.float64]]) -> None:
        for name in (FOUND, OUTLINES):
            if name in self.viewer.layers:
                self.viewer.layers.remove(name)
        rows = pd.DataFrame({"label": found.labels, "score": found.scores})
        numbered = pd.concat([pd.DataFrame({"label": ["nothing"], "score": [0.0]}), rows], ignore_index=True)
        outlines, which = as_outlines(found)
        self.viewer.add_labels(as_label_map(found), name=FOUND, features=numbered, **place)
        self.viewer.add_shapes(
            outlines,
            name=OUTLINES,
            ndim=2,
            shape_type="polygon",
            features=rows.iloc[which],
            text={"string": "{label} {score:.2f}", "color": "white", "size": 8},
            edge_color="yellow",
            face_color="transparent",
            **place,
        )
        self.status.value = f"{len(found)} found"

    def _fail(self, error: Exception) -> None:
        show_error(str(error))
        self.status.value = "not answered"

    def _ready(self) -> None:
        self.find.enabled = self.cut_out.enabled = True

    def _picture(self) -> Image:
        active = self.viewer.layers.selection.active
        pictures = [layer for layer in self.viewer.layers if isinstance(layer, Image)]
        if not pictures:
            raise OptionError("the viewer", expected="showing a picture", got="none", remedy="Open one first.")
        return active if active in pictures else pictures[-1]

    def _place(self) -> dict[str, NDArray[np.float64]]:
        """Where the picture lies in the viewer's world."""
        picture = self._picture()
        return {"scale": picture.scale, "translate": picture.translate}

    def _drawn(self, name: str) -> list[NDArray[np.float64]]:
        """What is in a layer, as rows and columns of the picture: shapes one by one, points together."""
        if name not in self.viewer.layers:
            return []
        layer, picture = self.viewer.layers[name], self._picture()
        drawn = layer.data if isinstance(layer.data, list) else [layer.data]
        return [np.array([picture.world_to_data(layer.data_to_world(place)) for place in places]) for places in drawn]


def main() -> None:
    """Opens a picture in napari with the widget at its side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", help="a picture file")
    parser.add_argument("--model", default="miniature", help="a published name, or a folder with an export")
    options = parser.parse_args()
    opens = Sam3Session.from_folder if Path(options.model).is_dir() else Sam3Session.from_pretrained
    viewer = napari.Viewer()
    viewer.open(options.picture)
    viewer.window.add_dock_widget(Sam3Widget(viewer, opens(options.model)), name="SAM 3")
    napari.run()


if __name__ == "__main__":
    main()
