"""`optimize`: conversion of an export to another precision, with a comparison of its results on pictures."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, get_args

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import FolderError, NoPicturesError, OptionError
from sam3_onnx.images.finding import find_pictures
from sam3_onnx.images.loading import load_image
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.optimize.draft import growing_beside
from sam3_onnx.optimize.graph_files import bytes_of
from sam3_onnx.optimize.report import OptimizeReport
from sam3_onnx.optimize.rewriting import GraphPrecision, Rewriting
from sam3_onnx.optimize.splitting import split_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DEFAULT_WORDS", "REPORT_FILE", "optimize"]

REPORT_FILE = "optimize_report.json"
DEFAULT_WORDS = ("coin", "circle", "person")
"""Default words; the first one is in the photograph that is part of the package."""


@known_keywords()
def optimize(  # noqa: PLR0913 - keyword-only options of one step
    folder: str | PathLike[str],
    target: str | PathLike[str],
    *,
    precision: GraphPrecision = "int8",
    pictures: str | PathLike[str] | None = None,
    calibration: str | PathLike[str] | None = None,
    words: Sequence[str] = DEFAULT_WORDS,
    family: str | None = None,
    variant: str | None = None,
    attention: Literal["fused", "plain"] = "fused",
    pairs: int = 3,
    progress: Callable[[str], None] | None = None,
) -> OptimizeReport:
    """Converts an export to another precision in a new folder, and checks that its results stay within limits.

    First, each stage (image encoder, text encoder, decoder) is replaced alone. A stage outside the limits of
    `sam3_onnx.optimize.fidelity` keeps its precision. All other stages together must be within the limits, too.

    Args:
        folder: Folder of the export, as for `Sam3Session.from_folder`; it is only read.
        target: Folder of the new export; it must not exist, or be empty. It is created when the export is complete.
        precision: "int8": linear layers in 8 bits. "int8-static": only those of the image encoder, with fixed ranges
            from `calibration`; also fast on OpenVINO. "fp16": weights and arithmetic in half precision, for graphics
            cards; on the CPU it only saves space. "fp32": weights keep their precision; attention is fused into one
            operator, and consecutive convolutions into one. All of them split the single-graph decoder of a native
            bundle into its parts.
        pictures: Folder of pictures for the comparison; None for the photograph in the package.
        calibration: Folder of typical pictures, from which "int8-static" computes the ranges of values in the image
            encoder; required for "int8-static", and not allowed otherwise.
        words: Words to look for in the pictures.
        family: Family to convert, if the folder contains several.
        variant: Variant to convert, if there are several.
        attention: "fused" replaces attention by one operator, which onnxruntime's CPU, CUDA and DirectML providers
            support; "plain" does not change it, for OpenVINO, CoreML and others.
        pairs: How many times each graph is timed before and after.
        progress: Function that is called with a line for each step.

    Returns:
        A report with changes and measurements; it is also stored in the target as `optimize_report.json`.

    Raises:
        OptionError: An option has a value that is not allowed, or the export has nothing to convert.
        TargetFolderError: The target is not empty, or the disk is too full.
        FidelityError: The results would be outside the limits. Nothing was written.
        ModelError: The same errors as for `Sam3Session.from_folder`.
    """
    if precision not in get_args(GraphPrecision):
        raise OptionError("precision", expected=f"one of {', '.join(get_args(GraphPrecision))}", got=precision)
    if attention not in {"fused", "plain"}:
        raise OptionError("attention", expected='"fused" or "plain"', got=attention)
    if pairs < 1:
        raise OptionError("pairs", expected="at least 1", got=pairs)
    if not words:
        raise OptionError("words", expected="at least one word", got=words)
    if (calibration is None) is (precision == "int8-static"):
        expected = 'a folder of pictures for "int8-static", and None for other precisions'
        raise OptionError("calibration", expected=expected, got=None if calibration is None else str(calibration))
    source, place = require_path("folder", folder).absolute(), require_path("target", target)
    seen = _shipped() if pictures is None else _pictures("pictures", pictures)
    ranges_from = {} if calibration is None else _pictures("calibration", calibration)
    exports = exports_in_folder(source, family=family, variant=variant)
    tell = progress or _silent
    needed = sum(map(bytes_of, exports.graphs))
    with growing_beside(place.absolute(), needed=needed) as draft, TemporaryDirectory() as room:
        tell("reading the graphs")
        split = split_bundle(exports, source=source, room=Path(room), picture=next(iter(seen.values())), words=words)
        work = Rewriting(
            split,
            roots=(source, Path(room)),
            draft=draft,
            precision=precision,
            fuse=attention == "fused",
            calibration=ranges_from,
            tell=tell,
        )
        try:
            work.convert(seen, words)
            fidelity = work.settle(seen, words)
            report = OptimizeReport(precision, place, work.changes(pairs), fidelity, tuple(seen), tuple(words))
        finally:
            work.close()  # Windows cannot rename a folder from which a session reads
        (draft / REPORT_FILE).write_text(report.json(), encoding="utf-8")
    return report


def _shipped() -> dict[str, NDArray[np.uint8]]:
    """Returns the photograph that is part of the package, by its name."""
    shipped = Path(str(files("sam3_onnx"))) / "data" / "coins.png"
    return {shipped.name: load_image(shipped)}


def _pictures(option: str, folder: str | PathLike[str]) -> dict[str, NDArray[np.uint8]]:
    """Returns the pictures in a folder, by name."""
    try:
        paths = find_pictures(folder)
    except (FolderError, NoPicturesError) as error:
        raise OptionError(option, expected="a folder with pictures", got=str(folder)) from error
    return {path.name: load_image(path) for path in paths}


def _silent(line: str) -> None:
    """Ignores the line."""
