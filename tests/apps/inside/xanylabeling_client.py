"""Asks a server through X-AnyLabeling's own client module, without a window; run by test_xanylabeling_server.py.

Arguments: X-AnyLabeling's configuration file, a model id, a picture, and JSON of what to ask: `text_prompt`, `marks`,
`conf_threshold`. Prints JSON: the shapes as the client would draw them, and what it tells the person.
"""

from __future__ import annotations

import json
import sys

from anylabeling import config
from anylabeling.services.auto_labeling.remote_server import RemoteServer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication

config.current_config_file, model_id, picture, asked = sys.argv[1:]
question = json.loads(asked)
app = QApplication([])
told: list[str] = []
client = RemoteServer({"type": "remote_server", "display_name": "Remote-Server"}, told.append)
models = client.get_available_models()
client.set_model_id(model_id)
client.set_auto_labeling_conf(question.get("conf_threshold", 0.5))
client.set_auto_labeling_marks(question.get("marks", []))
answer = client.predict_shapes(QImage(picture), picture, text_prompt=question.get("text_prompt"))
shapes = [shape.to_dict() for shape in answer.shapes]
print(json.dumps({"models": models, "shapes": shapes, "told": told}))
