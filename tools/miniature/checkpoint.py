"""Writes the miniature as a checkpoint of transformers: `python tools/miniature/checkpoint.py FOLDER`.

Its small table of words is written out for all of CLIP's tokens, so that whatever reads checkpoints of SAM 3 reads this
one: `sam3-onnx export`, and `python -m sam3_onnx.export.compare`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from model import build
from safetensors.torch import load_file
from vocabulary import CLIP_SIZE, Words

from sam3_onnx.prompts.tokenizer import ClipTokenizer

WEIGHTS = Path(__file__).parent / "weights.safetensors"
_TABLE = "token_embedding.weight"


def main() -> None:
    """Writes config.json and model.safetensors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    stored = {name: weights.float() for name, weights in load_file(WEIGHTS).items()}
    (table,) = (name for name in stored if name.endswith(_TABLE))
    stored[table] = stored[table][torch.from_numpy(Words().remap)]
    model = build(CLIP_SIZE)
    model.load_state_dict(stored, strict=True)
    text = model.config.text_config
    text.bos_token_id, text.eos_token_id, text.pad_token_id = ClipTokenizer.START, ClipTokenizer.END, ClipTokenizer.END
    model.save_pretrained(options.folder)
    print(f"wrote {options.folder}")


if __name__ == "__main__":
    main()
