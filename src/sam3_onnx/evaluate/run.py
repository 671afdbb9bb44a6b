"""A model held against labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import is_number, require_callbacks, require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import LabelError, NoPicturesError, OptionError
from sam3_onnx.evaluate.sheet import WorstPictures
from sam3_onnx.evaluate.tally import Tally
from sam3_onnx.evaluate.truth import open_labels
from sam3_onnx.images.finding import find_pictures, picture_suffixes
from sam3_onnx.images.writing import require_sheet, require_target, write_sheet
from sam3_onnx.labels.formats import LABEL_FORMATS
from sam3_onnx.prompts.words import parse_text

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sam3_onnx.evaluate.report import Evaluation
    from sam3_onnx.prompts.words import Concept, TextLike
    from sam3_onnx.session.session import Sam3Session

__all__ = ["evaluate_folder"]

_LEAST_SCORE = 0.05
"""Lowest score asked for: below it there are hundreds of finds in every picture, and hardly an object."""
_USUAL = 0.5
_MAPS = "png-masks"


@known_keywords()
def evaluate_folder(  # noqa: PLR0913 - keyword-only options of one run
    session: Sam3Session,
    labels: str | os.PathLike[str],
    pictures: str | os.PathLike[str] | None = None,
    text: TextLike | None = None,
    *,
    label_format: str | None = None,
    conf_threshold: float | Mapping[str, float] = _USUAL,
    iou: float = 0.5,
    recursive: bool = False,
    sheet: str | os.PathLike[str] | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compares what a model finds with what somebody has labelled.

    Every word is asked of every labelled picture, so a find in a picture without such an object counts as wrong.
    Masks are compared where the labels have outlines, boxes where they have only rectangles.

    Args:
        session: The model.
        labels: A COCO file, or a folder of label files with the pictures' names.
        pictures: Folder of the pictures; None for the one that the labels lie in.
        text: What to ask: {prompt: label} where prompts differ from the labels; None for all labels as they are.
        label_format: One of `LABEL_FORMATS`; None to tell COCO, X-AnyLabeling's and labelme's by their content.
        conf_threshold: The threshold in use, in 0..1, or one for each word. It decides which finds are listed; the
            curves and averages are of all scores.
        iou: From which a find can be an object, above 0 and at most 1.
        recursive: Also pictures in the folders within.
        sheet: A PNG file to write, of the pictures with the most disagreements. The sheet of an earlier run is
            replaced, no other file.
        cancel: Setting it ends the run.
        progress: Called with the numbers of pictures that are done, and of all.

    Raises:
        OptionError: An option is out of its range, or the format has to be named.
        OutputExistsError: Another file lies where the sheet would be written.
        NoLabelsError: No picture has labels.
        NoPicturesError: There is no picture.
        PromptError: A prompt cannot be used.
        LabelError: The COCO file, or a list of classes, cannot be read.
        CancelledError: `cancel` was set.
    """
    if not hasattr(session, "fingerprint"):
        raise OptionError("session", expected="a Sam3Session", got=type(session).__name__)
    require_callbacks(cancel, progress, takes="the numbers of pictures done and of all")
    _require_options(label_format, iou, sheet)
    place = require_path("labels", labels)
    root = require_path("pictures", pictures) if pictures is not None else place if place.is_dir() else place.parent
    there = _pictures(root, recursive=recursive, is_named=pictures is not None)
    known = open_labels(place, there, root=root, label_format=label_format)
    words = list(known.words) if text is None else text
    if not words:
        raise OptionError("text", expected="words to ask for, as there is no shape in the labels", got=text)
    concepts = parse_text(words)
    thresholds = _thresholds(conf_threshold, concepts)
    least = max(session.capabilities.lowest_threshold, min(_LEAST_SCORE, *thresholds.values()))
    worst = None if sheet is None else WorstPictures()
    tally = Tally(concepts, thresholds, iou)
    asked = {concept.prompt: concept.label for concept in concepts}
    options = {"conf_threshold": least, "on_error": tally.fail, "cancel": cancel}
    for picture, result in session.annotate(known.pictures, asked, **options):  # type: ignore[arg-type]
        try:
            comparison = tally.add(picture, result, known.objects(picture, result.size))
        except LabelError as error:
            tally.fail(picture, error)
        else:
            if worst is not None:
                worst.offer(picture, comparison)
        if progress is not None:
            progress(tally.done, len(known.pictures))
    if sheet is not None and worst is not None:
        write_sheet(sheet, worst.sheet())
    left_out = len(there) - len(known.pictures)
    return tally.evaluation(session.fingerprint, least_score=least, without_labels=left_out)


def _pictures(root: Path, *, recursive: bool, is_named: bool) -> list[Path]:
    """Returns the pictures of a folder, which was named or is that of the labels.

    Raises:
        NoPicturesError: There is none.
    """
    try:
        return find_pictures(root, recursive=recursive)
    except NoPicturesError as error:
        if is_named:
            raise
        remedy = f"{error.remedy} It is the folder of the labels: if the pictures lie elsewhere, name their folder "
        remedy += "(pictures, --pictures)."
        raise NoPicturesError(root, suffixes=sorted(picture_suffixes()), remedy=remedy) from error


def _require_options(label_format: str | None, iou: object, sheet: object) -> None:
    if label_format is not None and label_format not in LABEL_FORMATS:
        raise OptionError("label_format", expected=f"one of {', '.join(LABEL_FORMATS)}", got=label_format)
    if label_format == _MAPS:
        expected = f"a format that tells instances apart, such as {_MAPS}-instance"
        raise OptionError("label_format", expected=expected, got=label_format)
    if not is_number(iou) or not 0 < iou <= 1:
        raise OptionError("iou", expected="a number above 0 and at most 1", got=iou)
    if sheet is not None:
        require_sheet(require_target(sheet, overwrite=True, endings=(".png",)))


def _thresholds(asked: float | Mapping[str, float], concepts: Sequence[Concept]) -> dict[str, float]:
    """Returns the threshold of each label."""
    labels = dict.fromkeys(concept.label for concept in concepts)
    given = asked if isinstance(asked, Mapping) else dict.fromkeys(labels, asked)
    for label, value in given.items():
        if label not in labels or not is_number(value) or not 0 <= value <= 1:
            expected = f"a number in 0..1, or one for each of {', '.join(labels)}"
            raise OptionError("conf_threshold", expected=expected, got=asked)
    return {label: float(given.get(label, _USUAL)) for label in labels}
