"""Do labelme and X-AnyLabeling open what is written, and find the same shapes in it?

What they run against is said in `tests/support/interop.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx.labels import read_xanylabeling, write_labelme, write_xanylabeling
from tests.support.interop import LARGEST_DIFFERENCE, XANYLABELING, Sample, differences, say, skip_without

if TYPE_CHECKING:
    from pathlib import Path

if XANYLABELING is None:
    skip_without("labelme")
NO_CHECKOUT = "SAM3_ONNX_XANYLABELING names no checkout of X-AnyLabeling"
READ_BY_X_ANYLABELING = """
import json, sys
from PyQt6.QtWidgets import QApplication
application = QApplication([])
from anylabeling.views.labeling.label_file import LabelFile
found = {}
for path in sys.argv[1:]:
    file = LabelFile(path)
    found[path] = [shape.to_dict() for shape in file.shapes]
    file.save(path + ".saved.json", shapes=[shape.to_dict() for shape in file.shapes], image_path=file.image_path,
              image_height=-1, image_width=-1, other_data=file.other_data, flags=file.flags,
              image_data=file.image_data)
print(json.dumps(found))
"""
SAVED_BY_X_ANYLABELING = """
import json, sys
from PyQt6.QtWidgets import QApplication
application = QApplication([])
from anylabeling.views.labeling.label_file import LabelFile
from anylabeling.views.labeling.shape import Shape
path, image_path = sys.argv[1:]
counts = {"polygon": 5, "rectangle": 4, "rotation": 4, "quadrilateral": 4, "point": 1, "line": 2, "circle": 2,
          "linestrip": 3, "cuboid": 8}
shapes = []
for kind, count in counts.items():
    points = [[3.25 * at + 1, (7.5 * at * at) % 90] for at in range(count)]
    fields = {"label": kind, "points": points, "shape_type": kind, "group_id": 4, "description": "by hand",
              "difficult": True, "flags": {"seen": True}, "attributes": {"colour": "red"}, "kie_linking": [[1, 2]],
              "locked": True, "unheard_of": {"deep": [1, 2.5, None]}}
    shapes.append(Shape().load_from_dict(fields).to_dict())
LabelFile().save(path, shapes=shapes, image_path=image_path, image_height=303, image_width=384, flags={"night": True},
                 other_data={"checked": True, "description": "a note", "tags": ["one"], "unheard_of": [1]})
"""


def in_x_anylabeling(code: str, *arguments: str) -> str:
    """The last line that some code prints which runs beside X-AnyLabeling, without a screen."""
    assert XANYLABELING is not None
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": XANYLABELING}
    command = [sys.executable, "-c", code, *arguments]
    answer = subprocess.run(command, env=environment, cwd=XANYLABELING, capture_output=True, text=True, check=False)  # noqa: S603
    assert answer.returncode == 0, answer.stderr
    return "".join(answer.stdout.splitlines()[-1:])


@pytest.mark.filterwarnings("ignore")  # theirs, and ours of holes
@pytest.mark.parametrize("mode", ["polygon", "rectangle", "rotation", "mask"])
def test_labelme_opens_what_is_written(samples: list[Sample], mode: Any) -> None:  # noqa: ANN401 - a literal of many
    label_file = pytest.importorskip("labelme._label_file")
    count, apart = 0, []
    for sample in samples:
        path = sample.path.with_suffix(".json")
        shapes = sample.result.shapes(mode, parts="all")
        write_labelme(path, shapes, image_path=sample.path.name, image_size=sample.result.size)
        opened = (
            label_file.LabelFile(str(path))
            if hasattr(label_file, "LabelFile")
            else label_file.read_label_file(str(path))
        )
        assert [entry["label"] for entry in opened.shapes] == [shape.label for shape in shapes]
        assert [entry["group_id"] for entry in opened.shapes] == [shape.group_id for shape in shapes]
        for entry, shape in zip(opened.shapes, shapes, strict=True):
            assert entry["shape_type"] == ("oriented_rectangle" if mode == "rotation" else mode)
            assert entry["other_data"]["score"] == shape.score
            count += 1
            if mode == "mask":
                (left, top), (right, bottom) = np.array(entry["points"]).astype(int)
                placed = np.zeros(sample.result.size, np.bool_)
                placed[top : bottom + 1, left : right + 1] = entry["mask"]
                ours = shape.to_mask(sample.result.size)
                assert ours is not None
                np.testing.assert_array_equal(placed, ours)
            elif mode == "rectangle":
                np.testing.assert_array_equal(entry["points"], shape.points[[0, 2]])
            else:
                apart += differences([shape.points], [entry["points"]])
    assert max(apart, default=0) <= LARGEST_DIFFERENCE
    say("labelme", f"shapes of the type {mode}", count, apart)


@pytest.mark.skipif(XANYLABELING is None, reason=NO_CHECKOUT)
@pytest.mark.filterwarnings("ignore:.*holes were filled.*:sam3_onnx.errors.LabelLossWarning")
@pytest.mark.parametrize("mode", ["polygon", "rectangle", "rotation"])
def test_x_anylabeling_opens_what_is_written_and_we_read_what_it_saves(samples: list[Sample], mode: Any) -> None:  # noqa: ANN401
    written = {}
    for sample in samples:
        path = sample.path.with_suffix(".json")
        written[str(path)] = sample.result.shapes(mode, parts="all")
        write_xanylabeling(path, written[str(path)], image_path=sample.path.name, image_size=sample.result.size)
    opened = json.loads(in_x_anylabeling(READ_BY_X_ANYLABELING, *written))
    count, apart = 0, []
    for name, shapes in written.items():
        theirs = opened[name]
        assert [entry["label"] for entry in theirs] == [shape.label for shape in shapes]
        assert [entry["group_id"] for entry in theirs] == [shape.group_id for shape in shapes]
        assert [entry["score"] for entry in theirs] == [shape.score for shape in shapes]
        assert {entry["shape_type"] for entry in theirs} <= {mode}
        assert [entry.get("direction") for entry in theirs] == [shape.direction for shape in shapes]
        apart += differences([shape.points for shape in shapes], [entry["points"] for entry in theirs])
        count += len(theirs)
        again = read_xanylabeling(f"{name}.saved.json").shapes
        for shape, back in zip(shapes, again, strict=True):
            np.testing.assert_array_equal(shape.points, back.points)
            assert (shape.label, shape.score, shape.group_id) == (back.label, back.score, back.group_id)
    assert max(apart) <= LARGEST_DIFFERENCE
    say("X-AnyLabeling", f"shapes of the type {mode}, also read back after it saved them", count, apart)


@pytest.mark.skipif(XANYLABELING is None, reason=NO_CHECKOUT)
def test_what_x_anylabeling_saved_by_hand_is_the_same_after_we_wrote_it(coins: Path, tmp_path: Path) -> None:
    path = tmp_path / "coins.json"
    (tmp_path / "coins.png").write_bytes(coins.read_bytes())
    in_x_anylabeling(SAVED_BY_X_ANYLABELING, str(path), "coins.png")
    before = json.loads(path.read_text(encoding="utf-8"))
    opened_before = json.loads(in_x_anylabeling(READ_BY_X_ANYLABELING, str(path)))
    assert write_xanylabeling(path, read_xanylabeling(path, image_size=(303, 384))) == ()
    assert json.loads(path.read_text(encoding="utf-8")) == before
    assert json.loads(in_x_anylabeling(READ_BY_X_ANYLABELING, str(path))) == opened_before
    say("X-AnyLabeling", "kinds of shapes that it saved, the same after read and write", len(before["shapes"]))
