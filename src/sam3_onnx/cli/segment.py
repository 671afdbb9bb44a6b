"""`sam3-onnx segment`: every instance in one picture."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_words
from sam3_onnx.cli.opening import (
    add_model_options,
    add_question_options,
    model_line,
    opened,
    question_options,
    require_model_options,
    warn_of_words,
)
from sam3_onnx.cli.outputs import require_folder, require_free
from sam3_onnx.cli.values import box, braced, choice, point
from sam3_onnx.errors import EmptyPromptError, OptionError
from sam3_onnx.labels.formats import modes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.prompts.boxes import Box
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import ShapeType
    from sam3_onnx.session.session import Sam3Session

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the parser of `sam3-onnx`."""
    segment = commands.add_parser(
        "segment",
        help="find every instance in a picture",
        description="Finds every instance of some words, or of what is like some boxes; writes OUT/<name>.json "
        "(X-AnyLabeling's format) and OUT/<name>.png (the picture with the instances drawn on it).",
    )
    segment.add_argument("picture", help="a picture file")
    segment.add_argument("--text", help='what to find, such as "person, car"; beside clicks, what the object is called')
    for name, meaning in (("--box", "an example"), ("--negative-box", "what is not meant")):
        told = f"a box around {meaning}, in pixels; may be repeated"
        segment.add_argument(name, help=told, action="append", default=[], metavar="X1,Y1,X2,Y2", type=box)
    for name, meaning in (("--point", "on one object"), ("--negative-point", "beside it")):
        told = f"a click {meaning}, in pixels; may be repeated; needs a model with a tracker head"
        segment.add_argument(name, help=told, action="append", default=[], metavar="X,Y", type=point)
    modes = modes_of("xanylabeling")
    told = "of the shapes (default: %(default)s)"
    segment.add_argument("--output-mode", type=choice(modes), default="polygon", help=told, metavar=braced(modes))
    add_question_options(segment)
    add_model_options(segment)
    segment.add_argument("-o", "--out", default="out", help="folder of the results (default: %(default)s)")
    segment.add_argument("--overwrite", action="store_true", help="replace results that are there already")
    segment.set_defaults(run=_segment)


def _boxes(options: argparse.Namespace) -> list[Box]:
    from sam3_onnx.prompts.boxes import Box  # noqa: PLC0415 - --help need not wait for NumPy

    boxes = [Box(*corners) for corners in options.box]
    return boxes + [Box(x1, y1, x2, y2, positive=False) for x1, y1, x2, y2 in options.negative_box]


def _say_reversed(boxes: Iterable[Box]) -> None:
    """Says which corners are put in order: what was written may have been a corner, a width and a height."""
    for given in boxes:
        if given.x2 < given.x1 or given.y2 < given.y1:
            option = "--box" if given.positive else "--negative-box"
            corners = f"{given.x1:g},{given.y1:g},{given.x2:g},{given.y2:g}"
            other = f"{given.x1:g},{given.y1:g},{given.x1 + given.x2:g},{given.y1 + given.y2:g}"
            print(
                f"sam3-onnx: the corners of {option} {corners} are put in order; if its last two numbers are width and "
                f"height, write {option} {other}",
                file=sys.stderr,
            )


def _require_question(options: argparse.Namespace, size: tuple[int, int]) -> None:
    """Refuses what no model could answer, before one is loaded."""
    from sam3_onnx.prompts.boxes import parse_boxes  # noqa: PLC0415
    from sam3_onnx.prompts.clicks import parse_clicks, require_object  # noqa: PLC0415
    from sam3_onnx.prompts.words import parse_text  # noqa: PLC0415

    clicks = options.point + options.negative_point
    _say_reversed(_boxes(options))
    boxes = parse_boxes(_boxes(options), size)
    if clicks:
        _require_object_options(options)
        require_object(parse_clicks(clicks, _signs(options), next(iter(boxes), None), size))
    elif options.text is not None:
        warn_of_words(options, [concept.prompt for concept in parse_text(options.text)])
    elif not options.box:
        raise EmptyPromptError(
            got=f"{len(boxes)} negative boxes and no word" if boxes else "no word and no box",
            remedy='Pass --text "person, car", or --box X1,Y1,X2,Y2.',
        )


def _require_object_options(options: argparse.Namespace) -> None:
    if len(options.box) > 1 or options.negative_box:
        got = f"{len(options.box)} and {len(options.negative_box)} negative ones"
        raise OptionError("--box", expected="one positive box at most for one object", got=got)
    if options.conf is not None:
        remedy = "One object has candidates, of which the best is taken whatever its score."
        raise OptionError("--conf", expected="left out where one object is cut out", got=options.conf, remedy=remedy)


def _signs(options: argparse.Namespace) -> list[int]:
    return [1] * len(options.point) + [0] * len(options.negative_point)


def _answer(session: Sam3Session, picture: NDArray[np.uint8], options: argparse.Namespace) -> Segmentation:
    clicks, can = options.point + options.negative_point, session.capabilities
    if not clicks and (can.text or can.boxes or not options.box):
        asked = question_options(options)
        asked["boxes"] = _boxes(options)
        return session.predict(picture, options.text, **asked)
    _require_object_options(options)
    around, label = (options.box[0] if options.box else None), options.text or "object"
    return session.predict_object(picture, clicks, _signs(options), box=around, label=label).segmentation()


def _segment(options: argparse.Namespace) -> int:
    from sam3_onnx._support.files import seen_from  # noqa: PLC0415
    from sam3_onnx.draw.overlay import draw_result  # noqa: PLC0415 - --help need not wait for OpenCV
    from sam3_onnx.images.loading import load_image, path_of  # noqa: PLC0415
    from sam3_onnx.images.writing import write_png  # noqa: PLC0415
    from sam3_onnx.labels.finds import shapes_of  # noqa: PLC0415
    from sam3_onnx.labels.json_files.xanylabeling import write_xanylabeling  # noqa: PLC0415
    from sam3_onnx.labels.losses import loss_summary  # noqa: PLC0415

    require_model_options(options)
    _require_no_pattern(options.picture, options.text)
    options.picture = str(path_of(options.picture))
    picture = load_image(options.picture)
    folder, name = Path(options.out), Path(options.picture).stem
    labels, overlay = folder / f"{name}.json", folder / f"{name}.png"
    seen = seen_from(folder, Path(options.picture))
    require_folder(folder)
    require_free((labels, overlay), picture=Path(options.picture), overwrite=options.overwrite)
    _require_question(options, (picture.shape[0], picture.shape[1]))
    began = time.perf_counter()
    with opened(options) as session:
        loaded = time.perf_counter() - began
        result = _answer(session, picture, options)
        print(_table(result, options.output_mode))
        print(model_line(options, session))
        print(_times({"load model": loaded, **result.timings}))
        folder.mkdir(parents=True, exist_ok=True)
        shapes, losses = shapes_of(result, options.output_mode)
        write_xanylabeling(labels, shapes, image_path=seen, image_size=result.size)
        write_png(overlay, draw_result(picture, result))
        print(f"wrote {labels} and {overlay}")
        if losses:
            print(f"{labels} does not contain everything: {loss_summary(losses)}")
    return 0


def _require_no_pattern(picture: str, text: str | None) -> None:
    """Refuses a pattern such as `*.jpg`, which a shell leaves as it is where no file matches."""
    if any(sign in picture for sign in "*?[") and not Path(picture).exists():
        pattern = Path(picture)
        words = text or "person, car"
        remedy = "No file matches it, or it stands in quotes. To label all pictures of a folder: sam3-onnx annotate "
        remedy += f'{pattern.parent} --include "{pattern.name}" --text "{words}".'
        raise OptionError("PICTURE", expected="one picture file", got=picture, remedy=remedy)


def _table(result: Segmentation, mode: ShapeType) -> str:
    """One line per instance: label, score, box, vertices of its shape."""
    rows = [("label", "score", "box (x1 y1 x2 y2)", "vertices")]
    for instance in result:
        box = " ".join(f"{edge:.0f}" for edge in instance.box)
        shape = instance.shape(mode)
        rows.append((instance.label, f"{instance.score:.2f}", box, "-" if shape is None else str(len(shape.points))))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]:>{widths[3]}}" for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    height, width = result.size
    return "\n".join([*lines, f"{in_words(len(result), 'instance')} in {width} x {height} pixels"])


def _times(seconds: Mapping[str, float]) -> str:
    return "times: " + ", ".join(f"{stage} {value * 1000:.0f} ms" for stage, value in seconds.items())
