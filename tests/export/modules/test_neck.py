"""Levels of the feature pyramid with folded convolutions: how many stay, and that they compute the same."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize(
    ("scale", "clicks", "left"),
    [(4.0, 0, 4), (4.0, 8, 4), (2.0, 0, 2), (2.0, 16, 2), (1.0, 0, 2), (1.0, 64, 2)],
)
def test_a_folded_level_computes_the_same_with_fewer_layers(scale: float, clicks: int, left: int) -> None:
    from transformers.models.sam3.modeling_sam3 import Sam3FPNLayer  # noqa: PLC0415

    from sam3_onnx.export.modules.neck import folded_level  # noqa: PLC0415

    torch.manual_seed(3)
    level = Sam3FPNLayer(128, 64, scale).eval()
    behind = [torch.nn.Conv2d(64, clicks, 1)] if clicks else []
    folded = folded_level(level, *behind)
    assert len(folded) == left
    grid = torch.randn(1, 128, 6, 5)
    with torch.no_grad():
        expected = level(grid)
        for module in behind:
            expected = module(expected)
        found = folded(grid)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * float(expected.abs().max()))


def test_what_follows_an_activation_or_widens_again_is_left() -> None:
    from sam3_onnx.export.modules.neck import folded_level  # noqa: PLC0415

    level = torch.nn.Module()
    level.scale_layers = torch.nn.ModuleList([torch.nn.Conv2d(4, 4, 3), torch.nn.GELU()])
    level.proj1, level.proj2 = torch.nn.Conv2d(4, 2, 1), torch.nn.Conv2d(2, 3, 3)
    folded = folded_level(level, torch.nn.Conv2d(3, 90, 1))
    assert len(folded) == 5
