"""Makes a native bundle of SAM 3's full size with random weights: `python tools/full_size.py FOLDER`.

Nothing can be recognised with it; it shows that the exporter and the library handle the real
architecture (840 million parameters, 1008 x 1008 pixels, 200 queries), and how fast that runs.
Needs the extra `[export]`, 16 GB of memory and 3.4 GB of disk.
"""

from __future__ import annotations

import argparse
import time

import torch
from transformers import Sam3Config, Sam3Model
from transformers.initialization import no_init_weights

from sam3_onnx.export import export_bundle


def main() -> None:
    """Builds, exports, and prints how far bundle and model differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    options = parser.parse_args()
    torch.manual_seed(0)
    with no_init_weights():
        model = Sam3Model(Sam3Config())
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                torch.nn.init.normal_(weights, std=0.02)
            else:
                weights.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    print(f"{sum(weights.numel() for weights in model.parameters()) / 1e6:.0f} million parameters")
    began = time.perf_counter()
    print(export_bundle(model, options.folder, source="random weights", licence="none"))
    print(f"exported and compared in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
