"""Is the geometry usable alone, and does it export what it promises?"""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

from sam3_onnx import geometry

LOADED_BY_IMPORT = """
import json, sys
import cv2, numpy
before = set(sys.modules)
import sam3_onnx.geometry
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_importing_geometry_loads_numpy_and_opencv_only() -> None:
    answer = subprocess.run([sys.executable, "-c", LOADED_BY_IMPORT], check=True, capture_output=True, text=True)  # noqa: S603 - our own interpreter and text
    loaded = set(json.loads(answer.stdout)) - set(sys.stdlib_module_names)
    assert loaded == {"sam3_onnx"}


def test_all_is_sorted_and_names_everything_public() -> None:
    public = {
        name
        for name, value in vars(geometry).items()
        if not name.startswith("_") and name != "annotations" and not isinstance(value, ModuleType)
    }
    assert geometry.__all__ == sorted(geometry.__all__)
    assert set(geometry.__all__) == public
