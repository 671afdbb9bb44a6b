"""Opens a folder in labelme's own window, as a person would; run by test_prelabelling.py.

Arguments: the folder, the list of labels, and where a screenshot goes. Prints JSON: for each picture, the shapes that
labelme's reader and its canvas hold.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from labelme._label_file import read_label_file
from labelme.app import MainWindow
from PyQt5.QtWidgets import QApplication

folder, labels, screenshot = sys.argv[1:]
app = QApplication([])
app.setStyle("Fusion")
told: dict[str, Any] = {}
pictures = sorted(Path(folder).glob("*.png"))
names = [line for line in Path(labels).read_text(encoding="utf-8").splitlines() if line]
overrides = {"labels": names, "validate_label": "exact"}
for picture in pictures:
    window = MainWindow(config_overrides=overrides, file_or_dir=str(picture))
    window.resize(1100, 760)
    window.show()
    app.processEvents()
    read = read_label_file(str(picture.with_suffix(".json")))
    told[picture.name] = {
        "picture": read.image_path,
        "read": [[shape["label"], shape["shape_type"], shape["points"]] for shape in read.shapes],
        "masks": [np.asarray(shape["mask"]).sum().item() for shape in read.shapes if shape["mask"] is not None],
        "shown": [
            [shape.label, shape.shape_type, [[point.x(), point.y()] for point in shape.points]]
            for shape in window._canvas_widgets.canvas.shapes  # noqa: SLF001 - what a person sees
        ],
    }
    window.grab().save(screenshot)
    window.close()
print(json.dumps(told))
