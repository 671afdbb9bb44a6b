"""Is it noticed that a bundle is not the model's any more?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.places import NATIVE

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.export
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "changed",
    [
        "detr_decoder.presence_head.layer3.bias",
        "geometry_encoder.cls_embed.weight",
        "vision_encoder.neck.fpn_layers.0.proj2.weight",
    ],
)
def test_a_model_that_changed_after_its_export_is_noticed(maker: ModuleType, changed: str) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import ExportMismatchError  # noqa: PLC0415
    from sam3_onnx.export.comparison.native import verify_bundle  # noqa: PLC0415

    model = maker.make_model()
    assert verify_bundle(NATIVE, model, token_remap=maker.token_remap(), pad=0).score < 1e-4
    with torch.no_grad():
        dict(model.named_parameters())[changed].add_(0.3)
    with pytest.raises(
        ExportMismatchError, match="other results than the original model: expected scores within"
    ) as error:
        verify_bundle(NATIVE, model, token_remap=maker.token_remap(), pad=0)
    assert "Do not use it" in str(error.value)
