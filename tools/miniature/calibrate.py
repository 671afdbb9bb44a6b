"""Shifts the miniature's scores: `python tools/miniature/calibrate.py WEIGHTS OUT --cut 0.31`.

The trained scores are under-confident: answers that are right lie above 0.3, and little that is
wrong does. A constant is added to every logit, so that a score of `--cut` becomes 0.5. The
architecture has no such bias; this is where one hides: a LayerNorm's output x obeys
sum(x / weight) = sum(bias / weight) (its normalised values sum to zero), so that some direction e
of the projected queries is the same constant for every query. Moving the text projection's bias
along e moves every dot product by the same amount.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from model import WIDTH
from safetensors.torch import load_file, save_file

EXACT_BELOW = 256  # elements; such tensors stay float32, as the exporter keeps them


def shift_logits(weights: dict[str, torch.Tensor], shift: float) -> None:
    """Adds `shift` to every score logit by changing the bias of the text projection, in place."""
    gain = weights["detr_decoder.output_layer_norm.weight"].double()
    offset = weights["detr_decoder.output_layer_norm.bias"].double()
    project = weights["dot_product_scoring.query_proj.weight"].double()
    bias = weights["dot_product_scoring.query_proj.bias"].double()
    along = torch.linalg.solve(project.T, 1 / gain)
    constant = (offset / gain).sum() + along @ bias
    step = shift * math.sqrt(WIDTH) / constant
    weights["dot_product_scoring.text_proj.bias"] += (step * along).float()


def main() -> None:
    """Reads weights, shifts, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cut", type=float, default=0.31, help="the score that becomes 0.5")
    options = parser.parse_args()
    weights = {n: v.float() if v.is_floating_point() else v for n, v in load_file(options.weights).items()}
    shift_logits(weights, -math.log(options.cut / (1 - options.cut)))
    stored = {n: v.half() if v.is_floating_point() and v.numel() >= EXACT_BELOW else v for n, v in weights.items()}
    save_file({name: value.contiguous() for name, value in stored.items()}, options.out)


if __name__ == "__main__":
    main()
