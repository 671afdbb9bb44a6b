"""Makes SAM 3 of full size with random weights: `python tools/full_size.py FOLDER`.

FOLDER becomes a checkpoint as transformers' `save_pretrained` writes it and as the published one is
laid out, words and clicks in one, for `sam3-onnx export FOLDER`. Nothing can be recognised with it; it shows
that the exporter and the library handle the real architecture (840 million parameters, 1008 x 1008
pixels, 200 queries), and how fast that runs. `--as-traced` writes the six-file contract instead, as PyTorch
traces transformers' own layers: what other exporters give, to measure against.
Needs the extra `[export]`, 12 GB of memory and 3.6 GB of disk.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn
from transformers import Sam3Model, Sam3VideoConfig, Sam3VideoModel
from transformers.initialization import no_init_weights

from sam3_onnx.export.contracts.six_file import six_file_graphs
from sam3_onnx.export.graphs import write_graph
from sam3_onnx.export.operators.roi_align import stand_in_for_torchvision


class AsTraced(nn.Module):
    """transformers' vision encoder behind the inputs and outputs of the six-file contract."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.vision_encoder = model.vision_encoder

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(3, H, W) uint8 RGB -> three position encodings and three levels of features."""
        seen = self.vision_encoder(image.to(torch.float32)[None] / 127.5 - 1)
        return (*(each.clone() for each in seen.fpn_position_encoding[:3]), *seen.fpn_hidden_states[:3])


def random_model() -> nn.Module:
    """A model and a tracker on one image encoder; the same weights each time."""
    torch.manual_seed(0)
    with no_init_weights():
        model = Sam3VideoModel(Sam3VideoConfig())
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                nn.init.normal_(weights, std=0.02)
            else:
                weights.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return model.eval()


def main() -> None:
    """Writes what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--as-traced", metavar="CHECKPOINT", help="one that this tool made")
    options = parser.parse_args()
    if options.as_traced is None:
        model = random_model()
        model.save_pretrained(options.folder)
        print(f"{sum(weights.numel() for weights in model.parameters()) / 1e6:.0f} million parameters")
        return
    stand_in_for_torchvision()
    folder = Path(options.folder)
    folder.mkdir(parents=True)
    model = Sam3Model.from_pretrained(options.as_traced, config=Sam3VideoConfig().detector_config).eval()
    image_encoder, *others = six_file_graphs(model, (1008, 1008), None, 0.5, fused=False)
    image_encoder.module = AsTraced(model)
    for graph in (image_encoder, *others):
        write_graph(graph, folder, {}, storage="float32")


if __name__ == "__main__":
    main()
