"""Do the six files that the exporter writes answer as PyTorch does, in this library and as the contract says?

What they are made from is in `tests/support/make_native.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import ExportMismatchError, OptionError
from sam3_onnx.geometry import mask_iou
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from transformers import Sam3Model

    from sam3_onnx.models.runtime.graphs.reading import TensorInfo

THRESHOLD = 0.25
BOX = (0.25, 0.25, 0.5, 0.75)
CASES: dict[str, tuple[str, list[int]]] = {"text": ("coin", []), "one box": ("visual", [1]), "not this": ("coin", [0])}
"""A word, and the labels of BOX: none, positive, negative."""

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def model(maker: ModuleType) -> Sam3Model:
    made: Sam3Model = maker.make_model()
    return made


@pytest.fixture(scope="module")
def made(model: Sam3Model, maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sam3_onnx.export import export_six_file  # noqa: PLC0415 - only where PyTorch is

    folder = tmp_path_factory.mktemp("exports") / "six"
    stages: list[str] = []
    about = {"source": "a test", "licence": "none", "token_remap": maker.token_remap()}
    report = export_six_file(model, folder, threshold=THRESHOLD, progress=stages.append, **about)
    assert report.cases == 6
    assert stages == [
        *(f"export sam3_{role}.onnx" for role in ("image_encoder", "language_encoder", "decoder")),
        "compare with PyTorch",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["six"]
    return folder


def test_inputs_and_outputs_are_those_of_the_contract(made: Path) -> None:
    rows, columns, width = 8, 12, 32
    grids = [(1, width, rows * scale, columns * scale) for scale in (4, 2, 1)]
    image = read_graph(made / "sam3_image_encoder.onnx")
    text = read_graph(made / "sam3_language_encoder.onnx")
    decoder = read_graph(made / "sam3_decoder.onnx")
    assert told(image.inputs) == {"image": ("uint8", (3, 112, 168))}
    names = [f"{name}_{level}" for name in ("vision_pos_enc", "backbone_fpn") for level in range(3)]
    assert list(told(image.outputs).items()) == [
        (name, ("float32", grid)) for name, grid in zip(names, grids * 2, strict=True)
    ]
    assert told(text.inputs) == {"tokens": ("int64", (1, 32))}
    assert list(told(text.outputs).items()) == [
        ("text_attention_mask", ("bool", (1, 32))),
        ("text_memory", ("float32", (32, 1, width))),
        ("text_embeds", ("float32", (32, 1, width))),
    ]
    assert told(decoder.inputs) == {
        "original_height": ("int64", ()),
        "original_width": ("int64", ()),
        "vision_pos_enc_2": ("float32", grids[2]),
        **{f"backbone_fpn_{level}": ("float32", grid) for level, grid in enumerate(grids)},
        "language_mask": ("bool", (1, 32)),
        "language_features": ("float32", (32, 1, width)),
        "box_coords": ("float32", (1, 1, 4)),
        "box_labels": ("int64", (1, 1)),
        "box_masks": ("bool", (1, 1)),
    }
    assert [(name, kind, len(shape)) for name, (kind, shape) in told(decoder.outputs).items()] == [
        ("boxes", "float32", 2),
        ("scores", "float32", 1),
        ("masks", "bool", 4),
    ]


def told(values: Mapping[str, TensorInfo]) -> dict[str, tuple[str, tuple[object, ...]]]:
    return {name: (value.dtype, tuple(value.shape)) for name, value in values.items()}


@pytest.mark.parametrize("size", [(112, 168), (180, 130)])
@pytest.mark.parametrize("case", CASES)
def test_a_session_answers_as_pytorch_does(
    made: Path, maker: ModuleType, model: Sam3Model, case: str, size: tuple[int, int]
) -> None:
    from sam3_onnx.images import to_model_input  # noqa: PLC0415 - only where PyTorch is

    word, labels = CASES[case]
    height, width = size
    picture = maker.picture(size)
    asked = {"words": [word], "boxes": [BOX] if labels else [], "labels": labels}
    answer = maker.ask(model, to_model_input(picture, maker.SIZE), asked, size)
    corners = (BOX[0] * width, BOX[1] * height, BOX[2] * width, BOX[3] * height)
    boxes = [Box(*corners, positive=bool(label)) for label in labels]
    with Sam3Session.from_folder(made, provider="cpu", conf_threshold=THRESHOLD, feature_precision="exact") as session:
        assert session.capabilities.family == "six-file"
        found = session.predict(picture, None if word == "visual" else word, boxes=boxes)
    order = np.argsort(-answer.scores[0], kind="stable")
    kept = [query for query in order if answer.scores[0][query] > THRESHOLD]
    assert len(found) == len(kept) > 0
    np.testing.assert_allclose(found.scores, answer.scores[0][kept], atol=1e-4)
    limit = [width, height, width, height]
    np.testing.assert_allclose(found.boxes, answer.boxes[0][kept].clip(0, limit), atol=1.0)
    for mask, expected in zip(found.masks, answer.masks[0][kept], strict=True):
        assert mask_iou(mask, expected) >= 0.99 or not expected.any()


def test_the_threshold_in_the_graph_is_the_lowest_that_may_be_asked_for(made: Path) -> None:
    with Sam3Session.from_folder(made, provider="cpu") as session:
        assert session.capabilities.lowest_threshold == THRESHOLD
        with pytest.raises(OptionError, match=r"at least 0\.25 with a model of the six-file family"):
            session.predict(np.zeros((60, 80, 3), np.uint8), "coin", conf_threshold=0.2)


def test_the_report_lies_beside_the_files(made: Path) -> None:
    report = json.loads((made / "export_report.json").read_text(encoding="utf-8"))
    graphs = {path.name: path.stat().st_size for path in made.glob("*.onnx")}
    assert report["contract"] == "six-file"
    assert report["files"] == graphs
    assert set(report["seconds"]) == {*(f"export {name}" for name in graphs), "compare with PyTorch"}
    assert report["differences"]["cases"] == 6
    assert report["manifest"]["sam3_onnx.source"] == "a test"
    assert report["manifest"]["sam3_onnx.licence"] == "none"
    assert {"torch", "transformers", "onnxscript"} <= set(report["versions"])


@pytest.mark.parametrize(
    "changed", ["detr_decoder.presence_head.layer3.bias", "vision_encoder.neck.fpn_layers.0.proj2.weight"]
)
def test_six_files_of_other_weights_are_noticed(made: Path, maker: ModuleType, changed: str) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export.comparison.six_file import verify_six_file  # noqa: PLC0415

    other = maker.make_model()
    with torch.no_grad():
        dict(other.named_parameters())[changed].add_(0.3)
    with pytest.raises(ExportMismatchError, match="Do not use it"):
        verify_six_file(made, other, threshold=THRESHOLD, token_remap=maker.token_remap())


def test_another_threshold_than_the_one_asked_for_is_noticed(made: Path, maker: ModuleType, model: Sam3Model) -> None:
    from sam3_onnx.export.comparison.six_file import verify_six_file  # noqa: PLC0415 - only where PyTorch is

    with pytest.raises(ExportMismatchError, match=r"expected 0 scores above 1\.0, got \d+"):
        verify_six_file(made, model, threshold=1.0, token_remap=maker.token_remap())
