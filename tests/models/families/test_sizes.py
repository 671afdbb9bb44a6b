"""Do models of other input sizes run from the exporter to a prediction, square or not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.geometry import mask_iou
from sam3_onnx.images import to_model_input

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PICTURE = (180, 260)


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", [(336, 336), (504, 896), (672, 672), (1008, 1008)])
def test_a_model_of_any_input_size_predicts_as_pytorch(
    maker: ModuleType, tmp_path: Path, size: tuple[int, int]
) -> None:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    model, remap = maker.make_model(size, heads=1, decoder_layers=1), maker.token_remap()
    report = export_bundle(model, tmp_path, source="a test", licence="none", token_remap=remap)
    assert report.score <= 1e-4
    assert report.mask_iou >= 0.99
    image, (height, width) = maker.picture(PICTURE), PICTURE
    case = {"words": ["red ring"], "boxes": [(0.2, 0.3, 0.5, 0.7)], "labels": [1]}
    answer = maker.ask(model, to_model_input(image, size), case, PICTURE)
    order = np.argsort(-answer.scores[0])
    with Sam3Session.from_folder(tmp_path, conf_threshold=0, feature_precision="exact") as session:
        assert session.capabilities.input_size == size
        found = session.predict(image, "red ring", boxes=[Box(0.2 * width, 0.3 * height, 0.5 * width, 0.7 * height)])
    np.testing.assert_allclose(found.scores, answer.scores[0, order], atol=1e-4)
    expected = np.clip(answer.boxes[0, order], 0, [width, height, width, height])
    np.testing.assert_allclose(found.boxes, expected, atol=1.0)
    ious = [
        mask_iou(each.mask, mask)
        for each, mask in zip(found, answer.masks[0, order], strict=True)
        if np.count_nonzero(mask) >= 25
    ]
    assert len(ious) > len(order) // 2
    assert min(ious) >= 0.99
