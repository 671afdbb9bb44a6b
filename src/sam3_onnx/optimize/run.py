"""From an export that somebody has to the same export in another precision, proven on pictures."""

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
"""What is looked for unless told otherwise: the first is in the picture that ships."""


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
    """Writes an export in another precision beside the one that is there, and proves that it answers as well.

    Each stage is exchanged alone first: image encoder, text encoder, decoder. A stage that is beyond the limits
    of `sam3_onnx.optimize.fidelity` stays as it was. The rest has to keep them together.

    Args:
        folder: What `Sam3Session.from_folder` opens; it is only read.
        target: Where the new export goes: must not be there yet, or be empty. It appears when it is whole.
        precision: "int8": linear layers multiply in 8 bits. "int8-static": those of the image encoder alone, with
            ranges that are fixed by `calibration`; quick on OpenVINO too. "fp16": weights and arithmetic in half
            precision, for graphics cards; on CPU it saves space alone. "fp32": weights keep their precision; attention
            becomes one operator, and convolutions that follow each other directly become one. With each of them the
            whole decoder of a native bundle is cut into its parts.
        pictures: A folder of pictures of yours to compare on; None for the photograph that ships.
        calibration: A folder of pictures of the kind that the model will see, from which "int8-static" takes the ranges
            of what flows through the image encoder; needed for it, and for nothing else.
        words: What to look for in them.
        family: Takes this family where there are several in the folder.
        variant: Takes this variant where there are several.
        attention: "fused" makes one operator of attention, which onnxruntime's CPU, CUDA and DirectML providers have;
            "plain" leaves it as it is, for OpenVINO, CoreML and others.
        pairs: How often each graph is timed before and after.
        progress: Told in a line what is being done.

    Returns:
        What was done and measured; stored in the target as `optimize_report.json` too.

    Raises:
        OptionError: An option is out of range, or the export has nothing that could be rewritten.
        TargetFolderError: The target holds something, or the disk is too full.
        FidelityError: The export would not answer as before. Nothing was written.
        ModelError: As `Sam3Session.from_folder`.
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
        expected = 'a folder of pictures with "int8-static", and nothing with other precisions'
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
            work.close()  # Windows moves no folder that a session reads from
        (draft / REPORT_FILE).write_text(report.json(), encoding="utf-8")
    return report


def _shipped() -> dict[str, NDArray[np.uint8]]:
    """The photograph that ships, by its name."""
    shipped = Path(str(files("sam3_onnx"))) / "data" / "coins.png"
    return {shipped.name: load_image(shipped)}


def _pictures(option: str, folder: str | PathLike[str]) -> dict[str, NDArray[np.uint8]]:
    """The pictures in a folder, by name."""
    try:
        paths = find_pictures(folder)
    except (FolderError, NoPicturesError) as error:
        raise OptionError(option, expected="a folder that holds pictures", got=str(folder)) from error
    return {path.name: load_image(path) for path in paths}


def _silent(line: str) -> None:
    """Tells nobody."""
