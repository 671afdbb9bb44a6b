"""Do the applications themselves open what is written, and find the same instances in it?

Runs against what is installed: labelme, pycocotools and supervision by their packages (extra `interop`), X-AnyLabeling
by the environment variable SAM3_ONNX_XANYLABELING, which names a checkout of it whose requirements are installed.
`pytest -s` prints what was compared.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session, load_image
from sam3_onnx.images.writing import write_png
from sam3_onnx.labels import CocoDataset, read_xanylabeling, write_labelme, write_xanylabeling, write_yolo
from tests.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sam3_onnx import Segmentation

XANYLABELING = os.environ.get("SAM3_ONNX_XANYLABELING")
if XANYLABELING is None and not any(map(importlib.util.find_spec, ("labelme", "pycocotools", "supervision"))):
    pytest.skip("none of the applications is installed (extra interop)", allow_module_level=True)

NO_CHECKOUT = "SAM3_ONNX_XANYLABELING names no checkout of X-AnyLabeling"
WORDS = "circle, square, triangle, star, ellipse, ring, cross"
SCENES = 10
LARGEST_DIFFERENCE = 0.001
"""Share of a polygon's area by which two programs may differ."""
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


@dataclass(frozen=True)
class Sample:
    """A picture and what the miniature finds in it."""

    path: Path
    result: Segmentation


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, coins: Path) -> list[Sample]:
    """The photograph and ten generated scenes, in a folder of their own."""
    folder = tmp_path_factory.mktemp("pictures")
    pictures = {"coins.png": (load_image(coins), "coin")}
    for seed in range(SCENES):
        pictures[f"scene-{seed}.png"] = (scene(seed), WORDS)
    made = []
    with Sam3Session.from_pretrained("miniature") as session:
        for name, (picture, words) in pictures.items():
            write_png(folder / name, picture)
            made.append(Sample(folder / name, session.predict(picture, words)))
    assert len(made[0].result) == 24
    assert sum(len(sample.result) for sample in made) > 40
    return made


def scene(seed: int) -> NDArray[np.uint8]:
    """A scene of the miniature's world."""
    spec = importlib.util.spec_from_file_location("world", ROOT / "tools" / "miniature" / "world.py")
    assert spec is not None
    assert spec.loader is not None
    world = importlib.util.module_from_spec(spec)
    sys.modules["world"] = world  # dataclasses look themselves up there
    spec.loader.exec_module(world)
    picture: NDArray[np.uint8] = world.draw_scene(np.random.default_rng(seed)).picture
    return picture


def area(points: object) -> float:
    """Of a ring in square pixels, by the formula of Gauss; open or closed."""
    x, y = np.array(points, np.float64).reshape(-1, 2).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def differences(ours: Sequence[object], theirs: Sequence[object]) -> list[float]:
    """Of areas, ring by ring, as shares of ours."""
    return [abs(area(a) - area(b)) / max(area(a), 1e-9) for a, b in zip(ours, theirs, strict=True)]


def say(program: str, what: str, count: int, apart: Sequence[float] = ()) -> None:
    largest = f", areas apart by at most {max(apart):.2e}" if apart else ""
    print(f"\n{program}: {count} {what}{largest}", end="")  # noqa: T201 - for whoever runs with -s


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
@pytest.mark.filterwarnings("ignore:.*holes filled:sam3_onnx.errors.LabelLossWarning")
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


def coco_of(samples: list[Sample], folder: Path, segmentation: Any, epsilon: float | None = None) -> Path:  # noqa: ANN401
    dataset = CocoDataset()
    for sample in samples:
        dataset.add(sample.path.name, sample.result, segmentation=segmentation, epsilon=epsilon)
    dataset.write(folder / "coco.json")
    return folder / "coco.json"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pycocotools under NumPy 2
def test_pycocotools_finds_the_same_masks_boxes_and_areas(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    mask_api = pytest.importorskip("pycocotools.mask")
    opened = coco.COCO(str(coco_of(samples, tmp_path, "rle")))
    names = {entry["id"]: entry["name"] for entry in opened.loadCats(opened.getCatIds())}
    count = 0
    for number, sample in zip(opened.getImgIds(), samples, strict=True):
        annotations = opened.loadAnns(opened.getAnnIds(imgIds=[number]))
        assert [names[entry["category_id"]] for entry in annotations] == sample.result.labels
        for entry, instance in zip(annotations, sample.result, strict=True):
            np.testing.assert_array_equal(opened.annToMask(entry).astype(np.bool_), instance.mask)
            runs = opened.annToRLE(entry)
            assert int(mask_api.area(runs)) == entry["area"] == instance.area
            assert mask_api.toBbox(runs).tolist() == entry["bbox"]
            count += 1
    say("pycocotools", "masks, exactly", count)


@pytest.mark.filterwarnings("ignore")  # as above, and ours of holes
def test_pycocotools_reads_the_same_polygons(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    opened = coco.COCO(str(coco_of(samples, tmp_path, "polygons")))
    count, apart, overlaps = 0, [], []
    for number, sample in zip(opened.getImgIds(), samples, strict=True):
        annotations = opened.loadAnns(opened.getAnnIds(imgIds=[number]))
        for entry, instance in zip(annotations, sample.result, strict=True):
            apart += differences([part.exterior for part in instance.polygons()], entry["segmentation"])
            drawn, mask = opened.annToMask(entry).astype(np.bool_), instance.mask
            overlaps.append(np.count_nonzero(drawn & mask) / np.count_nonzero(drawn | mask))
            count += 1
    assert max(apart) <= LARGEST_DIFFERENCE
    say(
        "pycocotools",
        f"instances of polygons (drawn by it: mean IoU {np.mean(overlaps):.3f} with the mask)",
        count,
        apart,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pycocotools_scores_the_truth_against_itself_as_perfect(samples: list[Sample], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    truth = coco.COCO(str(coco_of(samples, tmp_path, "rle")))
    rows = truth.loadAnns(truth.getAnnIds())
    found = truth.loadRes([{**row, "score": row["score"]} for row in rows])
    judge = evaluation.COCOeval(truth, found, "segm")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore")
def test_supervision_finds_the_same_masks_in_coco(samples: list[Sample], tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    pictures = str(samples[0].path.parent)
    opened = supervision.DetectionDataset.from_coco(pictures, str(coco_of(samples, tmp_path, "rle")), force_masks=True)
    count = 0
    for sample in samples:
        detections = opened.annotations[str(sample.path)]
        assert [opened.classes[number] for number in detections.class_id] == sample.result.labels
        np.testing.assert_array_equal(detections.mask, sample.result.masks)
        count += len(detections)
    say("supervision", "masks from COCO, exactly", count)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["detect", "segment", "obb"])
def test_supervision_finds_the_same_objects_in_yolo(samples: list[Sample], tmp_path: Path, task: Any) -> None:  # noqa: ANN401
    supervision = pytest.importorskip("supervision")
    mode: Any = {"detect": "rectangle", "segment": "polygon", "obb": "rotation"}[task]
    written = {}
    for sample in samples:
        shapes = sample.result.shapes(mode, epsilon=0, parts="all")
        written[sample] = shapes
        path = (tmp_path / sample.path.name).with_suffix(".txt")
        write_yolo(path, shapes, task=task, image_size=sample.result.size, holes="seam")
    classes = (tmp_path / "classes.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "data.yaml").write_text(json.dumps({"names": classes, "nc": len(classes)}), encoding="utf-8")
    opened = supervision.DetectionDataset.from_yolo(
        str(samples[0].path.parent),
        str(tmp_path),
        str(tmp_path / "data.yaml"),
        force_masks=task == "segment",
        is_obb=task == "obb",
    )
    count, whole, apart = 0, 0, []
    for sample, shapes in written.items():
        detections = opened.annotations[str(sample.path)]
        assert [opened.classes[number] for number in detections.class_id] == sample.result.labels
        count += len(detections)
        if not shapes:
            continue
        if task == "detect":
            corners = [shape.points[[0, 2]].ravel() for shape in shapes]
            np.testing.assert_allclose(detections.xyxy, corners, atol=1e-3)
        elif task == "obb":
            apart += differences([shape.points for shape in shapes], list(detections.data["xyxyxyxy"]))
        else:
            for mask, instance in zip(detections.mask, sample.result, strict=True):
                if len(instance.polygons(0)) == 1 and not instance.polygons(0)[0].holes:
                    np.testing.assert_array_equal(mask, instance.mask)
                    whole += 1
                else:
                    overlap = np.count_nonzero(mask & instance.mask) / np.count_nonzero(mask | instance.mask)
                    apart.append(1 - overlap)
    if task == "obb":
        assert max(apart) <= LARGEST_DIFFERENCE
        say("supervision", "objects from YOLO, task obb", count, apart)
    elif task == "segment":
        assert whole > count / 2
        assert max(apart) < 0.02
        note = (
            f"{whole} masks in one piece exactly, {len(apart)} with holes or parts by IoU {1 - max(apart):.3f} or more"
        )
        say("supervision", f"objects from YOLO, task segment: {note}", count)
    else:
        say("supervision", "boxes from YOLO, to a thousandth of a pixel", count)
