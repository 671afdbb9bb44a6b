"""What a person edits between the kills of a run is there at the end, and so is what the run found."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.support.kills import SELF_KILLING

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("SAM3_ONNX_TEST_KILLS", "2"))
PICTURES = 8
RUN = f"""{SELF_KILLING}
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.testing import FakeInstance, fake_session

session = fake_session({{"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}})
summary = annotate_folder(session, folder, "coin", label_format=sys.argv[3])
sys.exit(bool(summary.failures))
"""
"""A run that kills itself at one of its steps."""


def run(folder: Path, label_format: str, killed_at: int = 0) -> int:
    words = [sys.executable, "-c", RUN, str(folder), str(killed_at), label_format]
    return subprocess.run(words, check=False).returncode  # noqa: S603 - our own script


def edit(folder: Path, label_format: str, number: int, dice: random.Random) -> None:
    """Adds something by hand, as a labelling tool saves it."""
    name = f"{dice.randrange(PICTURES)}"
    path = folder / ("annotations.json" if label_format == "coco" else f"{name}.json")
    new: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    if label_format != "coco":
        new = {"version": "4.0.2", "checked": True, "shapes": [], "imagePath": f"{name}.png", "imageData": None}
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else new
    if label_format == "coco":
        row = {"id": 1000 + number, "image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4], "by": f"hand {number}"}
        content["annotations"].append(row)
        content["images"] = content["images"] or [{"id": 1, "file_name": f"{name}.png", "height": 60, "width": 80}]
        if all(category["id"] != row["category_id"] for category in content["categories"]):
            content["categories"].append({"id": 5, "name": "crate"})
    else:
        points = [[i, number] for i in range(8)]
        content["shapes"].append({"label": f"hand {number}", "points": points, "shape_type": "cuboid"})
    path.write_text(json.dumps(content), encoding="utf-8")


def entries(folder: Path, label_format: str) -> list[dict[str, Any]]:
    name = "annotations" if label_format == "coco" else "shapes"
    return [entry for path in sorted(folder.glob("*.json")) for entry in json.loads(path.read_bytes())[name]]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("label_format", ["xanylabeling", "coco"])
def test_what_was_edited_between_kills_is_kept_and_what_was_found_is_there_once(
    tmp_path: Path, label_format: str
) -> None:
    for number in range(PICTURES):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((60, 80, 3), number, np.uint8))
    dice, killed = random.Random(7), 0  # noqa: S311 - no secret
    for number in range(KILLS):
        killed += run(tmp_path, label_format, dice.randrange(3, 40)) == -signal.SIGKILL
        edit(tmp_path, label_format, number, dice)
    assert run(tmp_path, label_format) == 0
    assert killed >= 1
    found = entries(tmp_path, label_format)
    by_hand = [entry for entry in found if "hand" in json.dumps(entry)]
    names = sorted(str(entry.get("by", entry.get("label"))) for entry in by_hand)
    assert names == sorted(f"hand {number}" for number in range(KILLS))
    assert len(found) - len(by_hand) == PICTURES
