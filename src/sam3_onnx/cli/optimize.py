"""`sam3-onnx optimize`: another precision for a model that is there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    optimize = commands.add_parser(
        "optimize",
        help="make a smaller, faster form of a model, proven on pictures",
        description="Writes a model in another precision, compares its answers with those before, times each graph, "
        "and prints what it found; the same is stored as optimize_report.json. Refuses to write a model that does not "
        "answer as before. Needs the extra [optimize].",
    )
    optimize.add_argument("folder", help="a folder of .onnx files, of any family")
    optimize.add_argument("-o", "--out", required=True, help="where the new model goes: a folder that is not there yet")
    told = (
        "int8 for processors, int8-static for OpenVINO too, fp16 for graphics cards, fp32 for the exact rewrites alone "
    )
    told += "(default: %(default)s)"
    optimize.add_argument("--precision", default="int8", choices=("int8", "int8-static", "fp16", "fp32"), help=told)
    told = "plain leaves attention as it is, for providers other than CPU, CUDA and DirectML (default: %(default)s)"
    optimize.add_argument("--attention", default="fused", choices=("fused", "plain"), help=told)
    optimize.add_argument("--pictures", help="a folder of your pictures to compare on (default: one of coins)")
    told = "a folder of your pictures that int8-static takes its ranges from"
    optimize.add_argument("--calibration", metavar="PICTURES", help=told)
    optimize.add_argument("--text", help='what to look for in them, such as "person, car"')
    optimize.add_argument("--family", help="this family, where the folder holds several")
    optimize.add_argument("--variant", help="this variant, where the folder holds several")
    optimize.set_defaults(run=_optimize)


def _optimize(options: argparse.Namespace) -> int:
    from sam3_onnx.optimize.run import DEFAULT_WORDS, optimize  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.prompts.words import parse_text  # noqa: PLC0415

    report = optimize(
        options.folder,
        options.out,
        precision=options.precision,
        attention=options.attention,
        pictures=options.pictures,
        calibration=options.calibration,
        words=DEFAULT_WORDS if options.text is None else [concept.prompt for concept in parse_text(options.text)],
        family=options.family,
        variant=options.variant,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(report)
    print(f"wrote {report.folder}")
    return 0
