"""Does a native bundle that is made now answer as the PyTorch model that it is made from?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.geometry import mask_iou
from sam3_onnx.images import to_model_input
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.native_answers import EVERY_CASE, SIZE, Golden, everything, queries

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(scope="module")
def made(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder, model = tmp_path_factory.mktemp("bundle"), maker.make_model()
    from sam3_onnx.export import Recommended, export_bundle  # noqa: PLC0415 - only where PyTorch is

    report = export_bundle(
        model,
        folder,
        source="a test",
        licence="none",
        token_remap=maker.token_remap(),
        recommended=Recommended(conf_threshold=0.25, cut_to_box=True, nms=0.5),
    )
    assert report.cases == 4
    assert report.score < 1e-4
    assert report.mask_iou > 0.99
    return folder, model


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
@EVERY_CASE
def test_a_bundle_made_now_agrees_with_pytorch(made: tuple[Path, Any], maker: ModuleType, case: str) -> None:
    folder, model = made
    golden = Golden("other", case)
    answer = maker.ask(model, to_model_input(golden.image, SIZE), maker.CASES[case], golden.size)
    fresh = exports_in_folder(folder).open(RuntimeSettings("cpu"))["concepts"]
    for row, detections in enumerate(everything(fresh, golden, queries(fresh, golden))):
        np.testing.assert_allclose(detections.scores, answer.scores[row], atol=1e-4)
        np.testing.assert_allclose(detections.boxes, answer.boxes[row], atol=1.0)
        for source, expected in zip(detections.masks, answer.masks[row], strict=True):
            assert mask_iou(source.window.full(source.size), expected) >= 0.99 or not expected.any()


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
def test_the_manifest_of_a_bundle_made_now(made: tuple[Path, Any]) -> None:
    folder, _ = made
    for role, graph in exports_in_folder(folder).heads["concepts"].graphs.items():
        assert dict(graph.metadata) == {
            "sam3_onnx.contract": "2",
            "sam3_onnx.role": role,
            "sam3_onnx.input_size": "112x168",
            "sam3_onnx.storage": "float32",
            "sam3_onnx.pad": "0",
            "sam3_onnx.source": "a test",
            "sam3_onnx.licence": "none",
            "sam3_onnx.conf_threshold": "0.25",
            "sam3_onnx.cut_to_box": "true",
            "sam3_onnx.nms": "0.5",
        }
    golden = Golden("same", "text")
    with Sam3Session.from_folder(folder) as opened:
        advised = opened.predict(golden.image, golden.words)
        spelt = opened.predict(golden.image, golden.words, conf_threshold=0.25, cut_to_box=True, nms=0.5)
        plain = opened.predict(golden.image, golden.words, conf_threshold=0.5, cut_to_box=False, nms=False)
    assert advised == spelt != plain
