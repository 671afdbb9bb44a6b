"""`sam3-onnx export`: a checkpoint of PyTorch to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.cli.outputs import require_folder
from sam3_onnx.cli.values import number, require_least, require_share, whole

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    export = commands.add_parser(
        "export",
        help="make ONNX files from PyTorch weights (needs the extra [export])",
        description="Exports a SAM 3 checkpoint of transformers, compares the files with PyTorch, and puts them in "
        "place with export_report.json if they agree.",
    )
    export.add_argument("checkpoint", help="a folder of transformers, or an id on its hub, such as facebook/sam3")
    export.add_argument("-o", "--out", required=True, help="folder of the export; an older one there is replaced")
    export.add_argument("--tracker", action="store_true", help="add clicks, with the checkpoint's tracker")
    told = "native is this library's own; six-file is what X-AnyLabeling reads (default: %(default)s)"
    export.add_argument("--contract", choices=("native", "six-file"), default="native", help=told)
    told = "float16 rounds the weights and halves the files (default: %(default)s)"
    export.add_argument("--storage", choices=("float32", "float16"), default="float32", help=told)
    told = "fused is for CPU, CUDA and DirectML, plain for any provider (default: fused if the size allows)"
    export.add_argument("--attention", choices=("auto", "fused", "plain"), default="auto", help=told)
    told = "one decoder that makes the masks of every query, found or not"
    export.add_argument("--whole-decoder", action="store_true", help=told)
    told = "input size in pixels, multiples of 14 (default: the checkpoint's)"
    export.add_argument("--size", nargs=2, type=whole, metavar=("H", "W"), help=told)
    told = "scores at or below it never leave the six files (default: 0.5)"
    export.add_argument("--threshold", type=number, help=told)
    export.add_argument("--source", help="where the weights come from, for the files (default: CHECKPOINT)")
    told = "licence of the weights, for the files (default: %(default)s)"
    export.add_argument("--licence", default="that of the source", help=told)
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from sam3_onnx._support.units import in_bytes  # noqa: PLC0415

    require_folder(Path(options.out))
    require_share("--threshold", options.threshold)
    for side in options.size or ():
        require_least("--size", side, 1)
    from sam3_onnx.export.from_checkpoint import export_checkpoint  # noqa: PLC0415 - --help need not wait for PyTorch, nor have it

    report = export_checkpoint(
        options.checkpoint,
        options.out,
        contract=options.contract,
        tracker=options.tracker,
        storage=options.storage,
        attention=options.attention,
        split_masks=not options.whole_decoder,
        size=None if options.size is None else tuple(options.size),
        threshold=options.threshold,
        source=options.source,
        licence=options.licence,
        progress=lambda stage: print(f"{stage} ...", flush=True),
    )
    print(report)
    for path in sorted(Path(options.out).glob("*.onnx*")):
        print(f"wrote {path} ({in_bytes(path.stat().st_size)})")
    return 0
