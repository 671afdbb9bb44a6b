"""`python -m sam3_onnx.export.compare CHECKPOINT FOLDER --pictures P --text T`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from sam3_onnx._support.checks import is_share
from sam3_onnx._support.files import write_atomically
from sam3_onnx.errors import CheckpointError, Sam3Error
from sam3_onnx.export.checkpoint import load_model
from sam3_onnx.export.compare.run import compare_pictures
from sam3_onnx.images.finding import find_pictures
from sam3_onnx.prompts.tokenizer import ClipTokenizer
from sam3_onnx.session.session import Sam3Session

if TYPE_CHECKING:
    from torch import nn

_DIFFERS = 3


def main(arguments: list[str] | None = None) -> int:
    """Prints a report in Markdown; returns 0 if bundle and checkpoint agree, 3 if not, 1 for an error."""
    parser = argparse.ArgumentParser(
        prog="python -m sam3_onnx.export.compare",
        description="Asks a checkpoint of transformers and a bundle that was made from it the same about your "
        "pictures, and prints a report to attach to an issue. Exit status: 0 if they agree, 3 if not.",
    )
    parser.add_argument("checkpoint", help="a folder of transformers, or the id of one on its hub")
    parser.add_argument("folder", help="the bundle: a folder of .onnx files")
    parser.add_argument("--pictures", required=True, type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("--text", required=True, help='words, such as "person, car"')
    parser.add_argument("--conf", type=float, default=0.5, help="threshold of scores (default: %(default)s)")
    parser.add_argument("--provider", default="cpu", help="execution provider of the bundle (default: %(default)s)")
    parser.add_argument("--json", help="write the figures", metavar="FILE")
    options = parser.parse_args(arguments)
    if not is_share(options.conf):
        parser.error(f"argument --conf: expected a number in 0..1, such as 0.5, got {options.conf:g}")
    try:
        pictures = find_pictures(options.pictures) if options.pictures.is_dir() else [options.pictures]
        model = load_model(options.checkpoint)
        _require_words(model, options.checkpoint)
        with (
            Sam3Session.from_folder(options.folder, provider=options.provider) as session,
            tqdm(total=len(pictures), unit="picture", file=sys.stderr, disable=None) as bar,
        ):
            report = compare_pictures(
                model,
                session,
                pictures,
                options.text,
                conf_threshold=options.conf,
                progress=lambda _: bar.update(),
            )
    except Sam3Error as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    if options.json is not None:
        write_atomically(options.json, report.to_json().encode())
    print(report)
    return 0 if report.agrees else _DIFFERS


def _require_words(model: nn.Module, checkpoint: str) -> None:
    """Refuses a checkpoint whose table of tokens is not CLIP's.

    Raises:
        CheckpointError: Nobody could know which of its tokens a word is.
    """
    rows = model.config.text_config.vocab_size
    if rows <= ClipTokenizer.END:
        raise CheckpointError(
            checkpoint,
            expected=f"CLIP's table of {ClipTokenizer.END + 1} tokens",
            got=f"one of {rows}",
            remedy="Write the table out for all of CLIP's tokens, or call compare_pictures with token_remap.",
        )


if __name__ == "__main__":
    raise SystemExit(main())
