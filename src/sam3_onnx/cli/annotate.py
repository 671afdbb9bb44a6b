"""`sam3-onnx annotate`: a folder of pictures, labelled in one go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.cli.naming import named, renaming
from sam3_onnx.cli.opening import (
    add_model_options,
    add_question_options,
    model_line,
    opened,
    question_options,
    require_model_options,
    warn_of_words,
)
from sam3_onnx.cli.outputs import require_folder
from sam3_onnx.cli.progress import RunProgress
from sam3_onnx.cli.values import braced, choice, require_least, require_share, share_or_off, whole
from sam3_onnx.errors import OptionError
from sam3_onnx.labels.formats import LABEL_FORMATS, MODES

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

_NOT_ALL, _INTERRUPTED = 3, 130


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    annotate = commands.add_parser(
        "annotate",
        help="label a folder of pictures in one go",
        description="Finds the same things in every picture of a folder and writes them to label files. A run that is "
        "interrupted goes on where it was when the same command is given again. Exit status: 0 if every picture is "
        "done, 3 if some failed, or with --strict if the format could not hold all, 1 if the run could not begin or go "
        "on, 2 if the command is not understood, 130 if it was interrupted.",
    )
    annotate.add_argument("folder", help="a folder of pictures")
    annotate.add_argument("--text", required=True, help='what to find, such as "person, car"')
    told = "call what was found for a prompt something else in the files; may be repeated"
    annotate.add_argument("--label", help=told, action="append", default=[], metavar="PROMPT=LABEL", type=renaming)
    told, names = "of the label files (default: %(default)s)", braced(LABEL_FORMATS)
    annotate.add_argument("--format", type=choice(LABEL_FORMATS), help=told, default="xanylabeling", metavar=names)
    told = f"{', '.join(MODES[:-1])} or {MODES[-1]} (default: what the format is best at)"
    annotate.add_argument("--output-mode", type=choice(MODES), help=told, metavar=braced(MODES))
    told = "leave out instances, and parts of polygons, of fewer pixels (default: %(default)s)"
    annotate.add_argument("--min-area", type=whole, default=0, metavar="PIXELS", help=told)
    annotate.add_argument("-o", "--out", help="folder of the labels (default: beside the pictures)")
    there = annotate.add_mutually_exclusive_group()
    for name, told in (
        ("append", "keep labels that are there (the default)"),
        ("replace", "remove labels that are there of the names asked for, made by hand or not; keep all others"),
        ("replace-all", "remove all labels that are there, made by hand or not"),
        ("skip", "leave pictures alone that have labels"),
    ):
        there.add_argument(f"--{name}", dest="existing", action="store_const", const=name, default="append", help=told)
    told = "mask IoU from which a find is there already under the same label, or off (default: %(default)s)"
    annotate.add_argument("--duplicates", default="0.8", metavar="IOU", type=share_or_off, help=told)
    annotate.add_argument("-r", "--recursive", action="store_true", help="also pictures in the folders within")
    for name, which in (("include", "only pictures"), ("exclude", "no pictures")):
        told = f'{which} whose name matches, such as "*.jpg", or whose path does, such as "train/*"; may be repeated'
        annotate.add_argument(f"--{name}", help=told, action="append", default=[], metavar="PATTERN")
    annotate.add_argument("--preview", help="write a picture of a dozen results, spread over the run", metavar="PNG")
    annotate.add_argument("--restart", action="store_true", help="forget how far an interrupted run has come")
    told = "exit status 3 also if the format could not hold all that was found or was there; the summary says what"
    annotate.add_argument("--strict", action="store_true", help=told)
    add_question_options(annotate)
    add_model_options(annotate, needs_model=True)
    annotate.set_defaults(run=_annotate)


def _require_no_pattern(folder: str) -> None:
    """Refuses a pattern such as `pictures/*.jpg` in place of a folder."""
    if any(sign in folder for sign in "*?[") and not Path(folder).exists():
        pattern = Path(folder)
        remedy = f'For some of its pictures: sam3-onnx annotate {pattern.parent} --include "{pattern.name}".'
        raise OptionError("FOLDER", expected="a folder of pictures", got=folder, remedy=remedy)


def _annotate(options: argparse.Namespace) -> int:
    from sam3_onnx.annotate.preview import require_place  # noqa: PLC0415 - --help need not wait for it
    from sam3_onnx.annotate.run import annotate_folder  # noqa: PLC0415
    from sam3_onnx.images.finding import find_pictures  # noqa: PLC0415

    text = named(options.text, options.label)
    require_model_options(options)
    require_least("--min-area", options.min_area, 0)
    require_share("--duplicates", options.duplicates)
    if Path(options.folder).is_file():
        remedy = f'For one picture: sam3-onnx segment {options.folder} --text "{options.text}".'
        raise OptionError("FOLDER", expected="a folder of pictures", got=options.folder, remedy=remedy)
    _require_no_pattern(options.folder)
    find_pictures(options.folder, recursive=options.recursive, include=options.include, exclude=options.exclude)
    require_folder(Path(options.out or options.folder), option="-o" if options.out else "folder")
    if options.preview:
        require_place(Path(options.preview), pictures=Path(options.folder))
    warn_of_words(options, text)
    with opened(options) as session, RunProgress() as progress:
        print(model_line(options, session), flush=True)
        try:
            summary = annotate_folder(
                session,
                options.folder,
                text,
                label_format=options.format,
                mode=options.output_mode,
                min_area=options.min_area,
                out=options.out,
                existing=options.existing,
                duplicate_iou=options.duplicates,
                recursive=options.recursive,
                include=options.include,
                exclude=options.exclude,
                restart=options.restart,
                preview=options.preview,
                progress=progress,
                **question_options(options),
            )
        except KeyboardInterrupt:
            progress.close()
            print(
                f"sam3-onnx: interrupted: {progress.done}the same command goes on where this one was", file=sys.stderr
            )
            return _INTERRUPTED
    print(summary)
    return _NOT_ALL if summary.failures or (options.strict and summary.losses) else 0
