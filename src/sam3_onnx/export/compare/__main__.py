"""`python -m sam3_onnx.export.compare CHECKPOINT FOLDER --pictures P --text T`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from sam3_onnx._support.files import write_atomically
from sam3_onnx.errors import Sam3Error
from sam3_onnx.export.checkpoint import load_model
from sam3_onnx.export.compare.run import compare_pictures
from sam3_onnx.images.finding import find_pictures
from sam3_onnx.session.session import Sam3Session

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
    try:
        pictures = find_pictures(options.pictures) if options.pictures.is_dir() else [options.pictures]
        model = load_model(options.checkpoint)
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


if __name__ == "__main__":
    raise SystemExit(main())
