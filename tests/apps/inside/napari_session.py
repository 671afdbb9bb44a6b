"""Uses the widget in napari's own window as a person would; run by test_napari.py.

Arguments: the folder of the widget, a picture, and where a screenshot goes. Prints JSON of what the layers hold.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication

from sam3_onnx import Sam3Session
from sam3_onnx.geometry import mask_to_rle
from sam3_onnx.testing import FakeTracker

if TYPE_CHECKING:
    from sam3_widget import Sam3Widget

folder, picture, screenshot = sys.argv[1:]
sys.path.insert(0, folder)


def opened(session: Sam3Session) -> tuple[napari.Viewer, Sam3Widget]:
    """A window with the picture, a little moved and stretched, and the widget."""
    from sam3_widget import Sam3Widget  # noqa: PLC0415 - from the folder that the arguments name

    viewer = napari.Viewer()
    viewer.open(picture, scale=(2, 2), translate=(5, -3))
    widget = Sam3Widget(viewer, session)
    viewer.window.add_dock_widget(widget, name="SAM 3")
    return viewer, widget


def pressed(widget: Sam3Widget, button: str) -> None:
    """Presses a button and waits for the answer."""
    getattr(widget, button).native.click()
    end = time.monotonic() + 60
    while not widget.find.enabled and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.02)


def held(viewer: napari.Viewer) -> dict[str, Any]:
    """What was found, as the layers have it."""
    found, outlines = viewer.layers["found"], viewer.layers["outlines"]
    numbers = range(1, int(found.data.max()) + 1)
    return {
        "masks": [mask_to_rle(found.data == number) for number in numbers],
        "labels": found.features["label"].tolist(),
        "scores": found.features["score"].tolist(),
        "outlines": [np.asarray(outline).tolist() for outline in outlines.data],
        "place": [found.scale.tolist(), found.translate.tolist()],
    }


told: dict[str, Any] = {}
viewer, widget = opened(Sam3Session.from_pretrained("miniature"))
widget.words.value = "coin"
pressed(widget, "find")
told["words"] = held(viewer)
widget.words.value = ""
viewer.layers["like this"].add_rectangles(np.array([[33.5, 20.5], [71.5, 64.5]]))
viewer.layers["not this"].add_rectangles(np.array([[199.5, 299.5], [249.5, 349.5]]))
pressed(widget, "find")
told["boxes"] = held(viewer)
told["encoded"] = widget.session.cache.info().misses
told["layers"] = [layer.name for layer in viewer.layers]
viewer.reset_view()
QApplication.processEvents()
viewer.screenshot(screenshot, canvas_only=False, flash=False)
viewer.layers["like this"].data = viewer.layers["not this"].data = []
widget.words.value = "submarine"
pressed(widget, "find")
told["nothing"] = [held(viewer), widget.status.value]
widget.words.value = "word " * 60
pressed(widget, "find")
told["error"] = notification_manager.records[-1].message
told["status"] = widget.status.value
viewer.close()

tracker = FakeTracker()
viewer, widget = opened(Sam3Session(None, model="fake", tracker=tracker))
told["click layers"] = [layer.name for layer in viewer.layers]
viewer.layers["on it"].add([50, 96])
viewer.layers["beside it"].add([10, 10])
pressed(widget, "cut_out")
told["clicks"] = [tracker.clicks[0].points.tolist(), tracker.clicks[0].labels.tolist()]
told["object"] = held(viewer)
viewer.close()
print(json.dumps(told))
