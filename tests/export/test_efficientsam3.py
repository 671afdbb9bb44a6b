"""Is a checkpoint of EfficientSAM3 recognised for what it is, and is it said what can be exported in its place?

Names of weights are those of the files that its authors publish, and of the parts that they train apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

TRUNK = "detector.backbone.vision_backbone.trunk."
TEXT = "detector.backbone.language_backbone.encoder."
HEAD = "head.3.weight"
MOBILECLIP = [f"{TEXT}embedding_layer.weight", f"{TEXT}transformer.0.token_mixer.layer_scale"]
CLIP = [f"{TEXT}token_embedding.weight", f"{TEXT}transformer.resblocks.0.ln_1.weight"]
VIT = [f"{TRUNK}patch_embed.proj.weight", f"{TRUNK}blocks.0.attn.qkv.weight"]
LAYOUTS: dict[str, tuple[list[str], str, str]] = {
    "RepViT": (
        [f"{TRUNK}model.backbone.model.features.0.0.c.weight", f"{TRUNK}model.{HEAD}", *MOBILECLIP],
        "EfficientSAM3 with RepViT as image encoder",
        "transformers has no SAM 3 with that image encoder. Export facebook/sam3",
    ),
    "TinyViT": (
        [f"{TRUNK}model.backbone.model.patch_embed.seq.0.c.weight", f"{TRUNK}model.{HEAD}", *CLIP],
        "EfficientSAM3 with TinyViT as image encoder",
        "transformers has no SAM 3 with that image encoder",
    ),
    "EfficientViT in its wrapper": (
        [
            f"{TRUNK}model.student_trunk.backbone.model.input_stem.op_list.0.conv.weight",
            f"{TRUNK}model.student_trunk.{HEAD}",
            *CLIP,
        ],
        "EfficientSAM3 with EfficientViT as image encoder",
        "transformers has no SAM 3 with that image encoder",
    ),
    "an image encoder alone": (
        ["backbone.model.stages.0.op_list.0.main.conv.weight", HEAD],
        "EfficientSAM3 with EfficientViT as image encoder",
        "transformers has no SAM 3 with that image encoder",
    ),
    "light text": (
        [*VIT, *MOBILECLIP],
        "SAM3-LiteText in the layout of EfficientSAM3",
        "Name transformers' form of it, such as yonigozlan/sam3-litetext-s0",
    ),
    "Meta": ([*VIT, *CLIP], "SAM 3 in the layout of Meta's code", "such as facebook/sam3"),
    "another detector": (
        ["backbone.model.layers.0.blocks.0.weight", "head.0.weight"],
        "a PyTorch file of another kind",
        "Name a folder that transformers has saved",
    ),
}

pytestmark = [pytest.mark.export, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_whose_weights_a_file_holds_is_said_and_what_to_export_in_its_place(
    maker: ModuleType, tmp_path: Path, layout: str, *, wrapped: bool
) -> None:
    import torch  # noqa: PLC0415 - only where PyTorch is

    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415

    assert maker
    names, got, remedy = LAYOUTS[layout]
    weights = {name: torch.zeros(2, 2) for name in names}
    folder = tmp_path / "downloaded"
    folder.mkdir()
    torch.save({"model": weights, "meta": {"epoch": 1}} if wrapped else weights, folder / "weights.pt")
    for checkpoint in (folder / "weights.pt", folder):
        with pytest.raises(CheckpointError) as refused:
            export_checkpoint(checkpoint, tmp_path / "out")
        said = str(refused.value)
        assert said.startswith(f"{folder / 'weights.pt'} cannot be exported: expected a checkpoint of SAM 3 or SAM3-Li")
        assert f", got {got}. {remedy}" in said or (f", got {got}. " in said and remedy in said)
    assert not (tmp_path / "out").exists()


def test_its_folder_on_the_hub_is_refused_without_a_network(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    assert maker
    with pytest.raises(CheckpointError, match=r"got EfficientSAM3's own files\. transformers has SAM3-LiteText of it"):
        export_checkpoint("Simon7108528/EfficientSAM3", tmp_path / "out")


def test_a_torn_file_is_a_checkpoint_error_too(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    assert maker
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(CheckpointError, match=r"torn\.pt cannot be exported.*got a PyTorch file of another kind"):
        export_checkpoint(tmp_path / "torn.pt", tmp_path / "out")


def test_weights_beside_a_configuration_of_transformers_do_not_matter(maker: ModuleType, tmp_path: Path) -> None:
    from sam3_onnx.export import export_checkpoint  # noqa: PLC0415 - only where PyTorch is

    assert maker
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "sam3.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model_type sam3, sam3_lite_text or sam3_video, got model_type clip"):
        export_checkpoint(tmp_path, tmp_path / "out")
