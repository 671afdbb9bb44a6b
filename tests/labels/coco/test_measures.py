"""A result says the same of its masks whether it is asked for annotations or put into a COCO file."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sam3_onnx import Instance
from sam3_onnx.geometry.mask_sources import PackedMask
from sam3_onnx.labels import coco_picture
from sam3_onnx.results import Segmentation


@given(mask=arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_annotations_of_a_result_are_the_rows_of_a_file(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    box = np.array([0, 0, 1, 1], np.float32)
    found = Instance("coin", "coin", 0.5, box, PackedMask.pack(mask))
    result = Segmentation((found,), mask.shape)
    (annotation,) = result.to_coco(image_id=1)
    rows = coco_picture("a.png", result)[0]["annotations"]
    if not mask.any():
        assert (rows, annotation["bbox"], annotation["area"]) == ([], [0, 0, 0, 0], 0)
        return
    (row,) = rows
    facts = {key: value for key, value in annotation.items() if key not in {"id", "image_id", "category_id"}}
    assert facts | {"label": "coin"} == row
    assert row["area"] == mask.sum()
    assert row["bbox"][2:] == [float(np.ptp(axis)) + 1 for axis in np.nonzero(mask)[::-1]]
