"""Does a bundle with a click head answer words, boxes and clicks from one encoding, and as PyTorch does?

What it is made from is in `tests/support/make_native.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Box, Sam3Session
from sam3_onnx.errors import TrackerMismatchError
from sam3_onnx.geometry import mask_iou

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def models(maker: ModuleType) -> tuple[Any, Any]:
    model = maker.make_model()
    return model, maker.make_tracker(model)


@pytest.fixture(scope="module")
def made(models: tuple[Any, Any], maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sam3_onnx.export import export_bundle  # noqa: PLC0415 - only where PyTorch is

    folder = tmp_path_factory.mktemp("bundle")
    model, tracker = models
    about = {"source": "a test", "licence": "none", "token_remap": maker.token_remap()}
    report = export_bundle(model, folder, tracker=tracker, **about)
    assert report.cases == 8
    assert report.score <= 1e-4
    assert report.mask_iou >= 0.99
    return folder


def test_one_encoding_serves_words_boxes_and_clicks(made: Path, maker: ModuleType) -> None:
    picture = maker.picture((180, 130))
    with Sam3Session.from_folder(made, provider="cpu") as session:
        assert session.capabilities.points
        encoders, decoders = ("image", "text", "geometry"), ("mask_decoder", "click_decoder")
        assert set(session.providers) == {*(f"{name}_encoder" for name in encoders), "fusion", "decoder", *decoders}
        embedding = session.encode(picture)
        assert session.encode(picture, purpose="clicks").model == embedding.model
        assert session.cache.info().misses == 1
        session.predict(embedding, "coin")
        session.predict(picture, boxes=[Box(10, 20, 60, 100)])
        one = session.predict_object(embedding, [(40, 70)])
        again = session.predict_object(one, [(100, 20)], [0], box=(10, 20, 60, 100))
        assert session.predict_object(picture, [(40, 70)]).candidates == one.candidates != again.candidates
        runs = {role: model.runs for role, model in session.graphs.items()}
    assert runs.pop("mask_decoder") <= 2, "it runs for what was found"
    twice = dict.fromkeys(("text_encoder", "geometry_encoder", "fusion", "decoder"), 2)
    assert runs == {"image_encoder": 1, **twice, "click_decoder": 3}


@pytest.mark.parametrize("boxed", [False, True])
def test_clicks_agree_with_the_model(made: Path, maker: ModuleType, models: tuple[Any, Any], boxed: bool) -> None:  # noqa: FBT001 - parametrized
    import torch  # noqa: PLC0415 - only where PyTorch is
    from torch.nn import functional  # noqa: PLC0415

    from sam3_onnx.images import to_model_input  # noqa: PLC0415

    _, tracker = models
    height, width = size = (180, 130)
    picture = maker.picture(size)
    box = (10.0, 20.0, 60.0, 100.0)
    with Sam3Session.from_folder(made, provider="cpu", feature_precision="exact") as session:
        found = session.predict_object(picture, [(40, 70), (100, 20)], [1, 0], box=box if boxed else None)
    pixels = torch.from_numpy(to_model_input(picture, maker.SIZE)).float()[None] / 127.5 - 1
    # the model takes its input for a square; half a pixel of it is added inside
    square = tracker.prompt_encoder.input_image_size
    tracker.prompt_encoder.image_embedding_size = (maker.ROWS, maker.COLUMNS)
    shift = 0.5 * square / torch.tensor([maker.SIZE[1], maker.SIZE[0]]) - 0.5
    points = torch.tensor([[40 / width, 70 / height], [100 / width, 20 / height]]) * square + shift
    corners = torch.tensor([[box[0] / width, box[1] / height], [box[2] / width, box[3] / height]]) * square + shift
    with torch.no_grad():
        answer = tracker(
            pixel_values=pixels,
            input_points=points[None, None],
            input_labels=torch.tensor([[[1, 0]]]),
            input_boxes=corners.reshape(1, 1, 4) if boxed else None,
        )
    expected = answer.iou_scores[0, 0].numpy()
    order = np.argsort(-expected, kind="stable")
    np.testing.assert_allclose([candidate.score for candidate in found.candidates], expected[order], atol=1e-4)
    logits = functional.interpolate(answer.pred_masks[0], size=size, mode="bilinear", align_corners=False)[0]
    for candidate, index in zip(found.candidates, order, strict=True):
        assert mask_iou(candidate.mask, (logits[index] > 0).numpy()) >= 0.99
    assert found.object_score == pytest.approx(float(answer.object_score_logits.sigmoid()), abs=1e-4)


def test_a_tracker_of_another_checkpoint_is_refused(maker: ModuleType, models: tuple[Any, Any], tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_bundle  # noqa: PLC0415

    model, _ = models
    other = maker.make_tracker(model)
    with torch.no_grad():
        other.vision_encoder.backbone.layers[0].attention.q_proj.weight.add_(0.1)
    with pytest.raises(TrackerMismatchError, match=r"0.attention.q_proj.weight differs. Take both from one"):
        export_bundle(model, tmp_path, tracker=other, source="a test", licence="none")
    assert not list(tmp_path.iterdir())


def test_a_click_head_of_other_weights_is_noticed(made: Path, maker: ModuleType, models: tuple[Any, Any]) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import ExportMismatchError  # noqa: PLC0415
    from sam3_onnx.export.comparison.native import verify_bundle  # noqa: PLC0415

    model, _ = models
    other = maker.make_tracker(model)
    with torch.no_grad():
        other.prompt_encoder.point_embed.weight.add_(0.3)
    with pytest.raises(ExportMismatchError):
        verify_bundle(made, model, other, token_remap=maker.token_remap(), pad=0)
