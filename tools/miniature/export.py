"""Makes the bundle that ships in the package: `python tools/miniature/export.py WEIGHTS [FOLDER]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from model import build
from safetensors.torch import load_file
from tracker import TRACKER_WEIGHTS, load_tracker
from vocabulary import Words

from sam3_onnx.export import Recommended, export_bundle

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "src" / "sam3_onnx" / "data" / "miniature"
WEIGHTS = Path(__file__).parent / "weights.safetensors"
RECOMMENDED = Recommended(conf_threshold=0.5, cut_to_box=True, nms=0.5)


def main() -> None:
    """Exports, compares with PyTorch, and prints how far the two differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="?", type=Path, default=WEIGHTS)
    parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
    parser.add_argument("--tracker", type=Path, default=TRACKER_WEIGHTS, help="adds clicks and video if it is there")
    options = parser.parse_args()
    words = Words()
    model = build(words.size)
    stored = load_file(options.weights)
    model.load_state_dict({name: v.float() if v.is_floating_point() else v for name, v in stored.items()})
    report = export_bundle(
        model,
        options.folder,
        source="tools/miniature of sam3-onnx, trained from scratch on generated pictures",
        licence="MIT",
        storage="float16",
        recommended=RECOMMENDED,
        token_remap=torch.from_numpy(words.remap),
        tracker=load_tracker(options.tracker) if options.tracker.is_file() else None,
    )
    print(report)
    for path in sorted(options.folder.glob("*.onnx")):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
