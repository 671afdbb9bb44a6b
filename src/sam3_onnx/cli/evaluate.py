"""`sam3-onnx evaluate`: a model held against pictures that somebody has labelled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.cli.opening import add_model_options, opened
from sam3_onnx.cli.outputs import require_folder
from sam3_onnx.errors import OptionError
from sam3_onnx.labels.formats import LABEL_FORMATS

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

_NOT_ALL = 3


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a model on pictures that you have labelled",
        description="Compares what a model finds with your labels: precision, recall, F1 and IoU of each word, its "
        "average precision, and the threshold that suits it. Exit status: 0, 3 if some pictures could not be compared, "
        "1 if the run could not begin.",
    )
    evaluate.add_argument("labels", help="a COCO file, or a folder of label files with the pictures' names")
    evaluate.add_argument("--pictures", help="folder of the pictures (default: that of the labels)")
    evaluate.add_argument("--text", help="the words to ask for (default: all labels)")
    evaluate.add_argument("--format", choices=LABEL_FORMATS, help="of the labels; YOLO's has to be named")
    evaluate.add_argument(
        "--iou", type=float, default=0.5, help="IoU from which a find can be an object (default: %(default)s)"
    )
    evaluate.add_argument("-r", "--recursive", action="store_true", help="also pictures in the folders within")
    evaluate.add_argument("--json", help="write all figures, missed objects and unlabelled finds", metavar="FILE")
    evaluate.add_argument("--sheet", help="write a picture of the worst disagreements", metavar="PNG")
    evaluate.add_argument("--plot", help="write curves of precision, recall and F1 (extra: plot)", metavar="PNG")
    add_model_options(evaluate)
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    from tqdm import tqdm  # noqa: PLC0415 - --help need not wait for it

    from sam3_onnx._support.files import write_atomically  # noqa: PLC0415
    from sam3_onnx.evaluate.run import evaluate_folder  # noqa: PLC0415

    for option, path in (("--json", options.json), ("--sheet", options.sheet), ("--plot", options.plot)):
        if path is not None:
            require_folder(Path(path).parent, option=option)
    if options.sheet is not None and Path(options.sheet).suffix.lower() != ".png":
        raise OptionError("--sheet", expected="a file that ends in .png", got=options.sheet)
    threshold = {} if options.conf is None else {"conf_threshold": options.conf}
    with opened(options) as session, tqdm(unit="picture", file=sys.stderr, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = evaluate_folder(
            session,
            options.labels,
            options.pictures,
            options.text,
            label_format=options.format,
            iou=options.iou,
            recursive=options.recursive,
            sheet=options.sheet,
            progress=show,
            **threshold,
        )
    if options.plot is not None:
        found.plot(options.plot)
    if options.json is not None:
        write_atomically(options.json, found.to_json().encode())
    print(found)
    return _NOT_ALL if found.failures else 0
