"""`sam3-onnx evaluate`: a model held against pictures that somebody has labelled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.cli.naming import named, renaming
from sam3_onnx.cli.opening import add_model_options, model_line, opened, require_model_options, warn_of_words
from sam3_onnx.cli.outputs import require_file
from sam3_onnx.cli.values import braced, choice, number, require_share
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
    told = "a word to ask for where your labels call it something else; may be repeated"
    evaluate.add_argument("--label", help=told, action="append", default=[], metavar="PROMPT=LABEL", type=renaming)
    evaluate.add_argument(
        "--format",
        type=choice(LABEL_FORMATS),
        help="of the labels; those of YOLO and PNG have to be named",
        metavar=braced(LABEL_FORMATS),
    )
    evaluate.add_argument(
        "--iou", type=number, default=0.5, help="IoU from which a find can be an object (default: %(default)s)"
    )
    evaluate.add_argument("-r", "--recursive", action="store_true", help="also pictures in the folders within")
    evaluate.add_argument("--json", help="write all figures, missed objects and unlabelled finds", metavar="FILE")
    evaluate.add_argument("--sheet", help="write a picture of the worst disagreements", metavar="PNG")
    evaluate.add_argument("--plot", help="write curves of precision, recall and F1 (extra: plot)", metavar="PNG")
    evaluate.add_argument("--overwrite", action="store_true", help="replace files of --json and --plot that are there")
    add_model_options(evaluate)
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    from tqdm import tqdm  # noqa: PLC0415 - --help need not wait for it

    from sam3_onnx._support.files import write_atomically  # noqa: PLC0415
    from sam3_onnx.evaluate.run import evaluate_folder  # noqa: PLC0415

    require_model_options(options)
    require_share("--iou", options.iou)
    files = (("--json", options.json, (".json",)), ("--plot", options.plot, (".png", ".svg", ".pdf")))
    for option, path, endings in (*files, ("--sheet", options.sheet, (".png",))):
        if path is not None:
            require_file(Path(path), option=option, endings=endings, overwrite=options.overwrite or option == "--sheet")
    text = named(options.text, options.label) if options.text is not None else dict(options.label) or None
    threshold = {} if options.conf is None else {"conf_threshold": options.conf}
    with opened(options) as session, tqdm(unit="picture", file=sys.stderr, disable=None) as bar:
        print(model_line(options, session), file=sys.stderr, flush=True)

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = evaluate_folder(
            session,
            options.labels,
            options.pictures,
            text,
            label_format=options.format,
            iou=options.iou,
            recursive=options.recursive,
            sheet=options.sheet,
            progress=show,
            **threshold,
        )
    warn_of_words(options, [word.label for word in found.words] if text is None else text)
    if options.plot is not None:
        found.plot(options.plot)
    if options.json is not None:
        write_atomically(options.json, found.to_json().encode())
    print(found)
    return _NOT_ALL if found.failures else 0
