"""A whole folder of pictures, labelled in one go."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_callbacks, require_choice, require_path, require_whole
from sam3_onnx._support.keywords import known_keywords, require_known
from sam3_onnx.annotate.busy import sole_run
from sam3_onnx.annotate.finished import FinishedPicture
from sam3_onnx.annotate.journal import Journal
from sam3_onnx.annotate.merging import DEFAULT_DUPLICATE_IOU, require_merging
from sam3_onnx.annotate.preview import ContactSheet, require_place
from sam3_onnx.annotate.summary import AnnotateProgress, AnnotateSummary, Failure
from sam3_onnx.annotate.targets.coco import CocoFile
from sam3_onnx.annotate.targets.label_files import FolderOfFiles
from sam3_onnx.annotate.targets.protocol import Merging
from sam3_onnx.errors import (
    FolderError,
    LabelError,
    OptionError,
    PictureGoneError,
    PictureMissingError,
    PictureNameError,
    Sam3Error,
)
from sam3_onnx.images.finding import find_left_out, find_pictures
from sam3_onnx.images.formats import has_more_frames
from sam3_onnx.images.writing import write_sheet
from sam3_onnx.labels.formats import COCO, LABEL_FORMATS
from sam3_onnx.prompts.words import parse_text
from sam3_onnx.session.heads.checking import BOXES_ONLY_LABEL
from sam3_onnx.session.streaming import QuestionOptions

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Unpack

    from sam3_onnx.annotate.merging import Existing
    from sam3_onnx.annotate.targets.protocol import Target
    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.results.shape import ShapeType
    from sam3_onnx.session.session import Sam3Session

__all__ = ["annotate_folder"]


@known_keywords()
def annotate_folder(  # noqa: PLR0913 - keyword-only options of one run
    session: Sam3Session,
    folder: str | os.PathLike[str],
    text: TextLike | None = None,
    *,
    label_format: str = "xanylabeling",
    mode: ShapeType | None = None,
    epsilon: float | None = None,
    min_area: int = 0,
    out: str | os.PathLike[str] | None = None,
    existing: Existing = "append",
    duplicate_iou: float | None = DEFAULT_DUPLICATE_IOU,
    recursive: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    restart: bool = False,
    preview: str | os.PathLike[str] | None = None,
    progress: Callable[[AnnotateProgress], None] | None = None,
    cancel: threading.Event | None = None,
    **options: Unpack[QuestionOptions],
) -> AnnotateSummary:
    """Finds the same things in every picture of a folder, and writes them to label files.

    A label file changes in one step, and what it says beside the shapes stays. A run that is interrupted, by
    whatever, goes on where it was when it is begun again with the same settings: what is finished stands in a hidden
    file beside the labels until the run is complete. A picture that cannot be read, or whose label file cannot, is
    told in the summary, and the others go on; begun again, the run tries those alone.

    Args:
        session: The model.
        folder: The pictures.
        text: What to find, as for `Sam3Session.predict`; {"prompt": "label"} to call it something else in the files.
        label_format: One of `LABEL_FORMATS`: "coco" makes one `annotations.json` for all pictures, every other one a
            label file for each picture, of its name.
        mode: "polygon", "rectangle", "rotation" or "mask", as far as the format has it; None for what it is best at.
        epsilon: Simplification of polygons as a fraction of the perimeter; None for the session's.
        min_area: Leave out instances of fewer pixels, and parts of polygons in label files of one picture; specks
            of a few pixels are common at the rims of masks.
        out: Where the labels go, in folders like those of the pictures; None for beside the pictures.
        existing: What becomes of labels that are there: "append" keeps them, "replace" removes those of the labels
            that are asked for, "replace-all" removes all, "skip" leaves labelled pictures alone.
        duplicate_iou: Leave out what overlaps one of the same label that stays by at least this mask IoU; None to
            leave out only what is there point by point.
        recursive: Also pictures in the folders within.
        include: Patterns as "*.jpg" or "train/*", one of which a picture has to match; see `find_pictures`.
        exclude: Patterns of which a picture may match none.
        restart: Forget how far an interrupted run has come.
        preview: Where to write a picture of a dozen results, spread over this run; replaced if it is there.
        progress: Called after each picture.
        cancel: Setting this event from another thread interrupts the run.
        **options: As for `Sam3Session.predict`: boxes, marks, label, conf_threshold, cut_to_box, nms, truncate.

    Returns:
        What was done, and which pictures failed. `print` it.

    Raises:
        OptionError: An option is out of its range, or the format has no such mode.
        PromptError: A prompt cannot be used.
        NoPicturesError: There is nothing to label.
        LabelCollisionError: Two pictures would be labelled in one file.
        FolderBusyError: Another run writes labels there, or in one of the folders within.
        UnfinishedRunError: A run with other settings was interrupted there.
        FolderError: A folder may not be read or written to, or the disk is full.
        CancelledError: `cancel` was set; what is finished stays finished.
    """
    require_known(
        options,
        QuestionOptions.__annotations__,
        also=[name for name in inspect.signature(annotate_folder).parameters if name != "options"],
    )
    if not hasattr(session, "fingerprint"):
        raise OptionError("session", expected="a Sam3Session", got=type(session).__name__)
    require_merging(existing, duplicate_iou)
    require_callbacks(cancel, progress, takes="an AnnotateProgress")
    require_whole("min_area", min_area, least=0, of="pixels")
    began = time.perf_counter()
    root = require_path("folder", folder)
    require_choice("label_format", label_format, LABEL_FORMATS)
    if preview is not None:
        require_place(require_path("preview", preview), pictures=root)
    pictures = find_pictures(root, recursive=recursive, include=include, exclude=exclude)
    left_out = find_left_out(root, recursive=recursive, include=include, exclude=exclude)
    merging = Merging(_labels(text, options.get("label")), existing, duplicate_iou)
    labels_folder = root if out is None else require_path("out", out)
    target: Target
    if label_format == COCO:
        target = CocoFile.of_mode(mode, root=root, folder=labels_folder, epsilon=epsilon, merging=merging)
    else:
        target = FolderOfFiles.named(
            label_format, mode, root=root, folder=labels_folder, epsilon=epsilon, min_area=min_area, merging=merging
        )
    chosen = {"text": text, "format": label_format, "mode": mode, "epsilon": epsilon, "existing": existing}
    asked = {**chosen, "min_area": min_area, "duplicate_iou": duplicate_iou, **options, "model": session.fingerprint}
    with _told_of_files(target.folder):
        target.folder.mkdir(parents=True, exist_ok=True)
        below = {picture.relative_to(root).parent for picture in pictures} if label_format != COCO else ()
        with sole_run(target.folder, pictures=root, writes=[target.folder / folder for folder in below]):
            target.begin(pictures)
            journal = Journal(target.folder, {name: repr(value) for name, value in asked.items()}, restart=restart)
            run = _Run(root, pictures, tuple(left_out), target, journal, progress)
            waiting = run.waiting(existing)
            run.sheet = ContactSheet(waiting) if preview is not None else None
            answers = session.annotate(waiting, text, on_error=run.fail, cancel=cancel, **options)
            with journal.noting(), contextlib.closing(answers):
                for picture, result in answers:
                    run.note_precisions(session.precisions)
                    run.take(picture, result.filter(min_area=min_area))
            run.finish()
            if preview is not None and run.sheet and (image := run.sheet.image()) is not None:
                write_sheet(preview, image)
            journal.end(forget=not run.failures)
    return run.summary(time.perf_counter() - began)


def _labels(text: TextLike | None, label: str | None) -> list[str]:
    """Returns what the shapes of an answer may be called."""
    if text is None:
        return [label or BOXES_ONLY_LABEL]
    return list(dict.fromkeys(concept.label for concept in parse_text(text)))


@contextlib.contextmanager
def _told_of_files(folder: Path) -> Iterator[None]:
    """Says of a full disk, or of a folder that may not be written to, what to do about it."""
    try:
        yield
    except OSError as error:
        if isinstance(error, Sam3Error):
            raise
        raise FolderError(folder, doing="writing labels", reason=str(error)) from error


@dataclass
class _Run:
    """The state of a run: what waits, what is finished, what failed."""

    root: Path
    pictures: Sequence[Path]
    left_out: tuple[Path, ...]
    target: Target
    journal: Journal
    progress: Callable[[AnnotateProgress], None] | None
    resumed: int = 0
    resumed_added: int = 0
    skipped: int = 0
    instances: int = 0
    with_more_frames: int = 0
    sheet: ContactSheet | None = None
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    precisions: dict[str, list[str]] = field(default_factory=dict)

    def waiting(self, existing: Existing) -> list[Path]:
        """Returns the pictures that are still to be labelled; forgets of the others what is no longer so."""
        waiting: list[Path] = []
        finished: dict[str, FinishedPicture] = {}
        for picture in self.pictures:
            noted = self.journal.finished.get(self._name(picture))
            if noted is not None and _is_as_noted(picture, noted) and self.target.still_has(picture, noted.written):
                finished[self._name(picture)] = noted
            elif existing == "skip" and self.target.has_labels(picture):
                self.skipped += 1
            else:
                waiting.append(picture)
        self.journal.finished = finished
        self.resumed = len(finished)
        self.resumed_added = sum(noted.written.added for noted in finished.values())
        self.instances = sum(sum(noted.found.values()) for noted in finished.values())
        return waiting

    def note_precisions(self, now: Mapping[str, str]) -> None:
        """Notes what each part of the model is computed in; it changes where a provider breaks."""
        for part, word in now.items():
            words = self.precisions.setdefault(part, [])
            if word not in words:
                words.append(word)

    def take(self, picture: Path, result: Segmentation) -> None:
        """Writes the labels of one picture, and notes it as finished."""
        began = time.perf_counter()
        try:
            _require_unicode(picture)
            stamp = _stamp(picture)
            if self.sheet is not None:
                self.sheet.offer(picture, result)
            written = self.target.write(picture, result)
        except (LabelError, PictureNameError, PictureGoneError, PictureMissingError) as error:
            self.fail(picture, error)
            return
        found = _added_up({instance.label: 1} for instance in result)
        self.journal.note(FinishedPicture(self._name(picture), stamp, found, written))
        self.instances += len(result)
        self.with_more_frames += has_more_frames(picture)
        for stage, seconds in {**result.timings, "write": time.perf_counter() - began}.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        self._tell(picture)

    def fail(self, picture: Path, error: Sam3Error) -> None:
        """Notes a picture as failed."""
        self.failures.append(Failure(picture, error))
        self._tell(picture)

    def finished(self) -> list[FinishedPicture]:
        """Returns the finished pictures in the order of the pictures, whenever each was finished."""
        known = self.journal.finished
        return [known[name] for name in map(self._name, self.pictures) if name in known]

    def finish(self) -> None:
        """Completes the labels."""
        completed = self.target.finish(self.finished())
        self.journal.finished = {picture.picture: picture for picture in completed.finished}
        for picture, error in completed.failures:
            self.fail(self.root / picture.picture, error)

    def summary(self, elapsed: float) -> AnnotateSummary:
        """Returns what has come of the run."""
        finished = self.finished()
        written = [picture.written for picture in finished]
        return AnnotateSummary(
            folder=self.target.folder,
            pictures=len(self.pictures),
            finished=len(finished),
            resumed=self.resumed,
            skipped=self.skipped,
            failures=tuple(self.failures),
            instances=dict.fromkeys(self.target.merging.labels, 0) | _added_up(picture.found for picture in finished),
            added=sum(change.added for change in written),
            resumed_added=self.resumed_added,
            removed=sum(change.removed for change in written),
            duplicates=sum(change.duplicates for change in written),
            losses=_added_up(change.losses for change in written),
            left_out=self.left_out,
            with_more_frames=self.with_more_frames,
            seconds=self.seconds,
            elapsed=elapsed,
            precisions={part: ", then ".join(words) for part, words in self.precisions.items()},
        )

    def _tell(self, picture: Path) -> None:
        if self.progress is not None:
            done = len(self.journal.finished) + len(self.failures) + self.skipped
            self.progress(AnnotateProgress(picture, done, len(self.pictures), len(self.failures), self.instances))

    def _name(self, picture: Path) -> str:
        return picture.relative_to(self.root).as_posix()


def _require_unicode(picture: Path) -> None:
    try:
        str(picture).encode()
    except UnicodeEncodeError as error:
        raise PictureNameError(picture) from error


def _is_as_noted(picture: Path, noted: FinishedPicture) -> bool:
    return picture.exists() and noted.stamp == _stamp(picture)


def _stamp(picture: Path) -> list[int]:
    """Returns what changes when a file is written anew: its size and the time of its last change.

    Raises:
        PictureMissingError: It is not there any more.
    """
    try:
        state = picture.stat()
    except OSError as error:
        remedy = "Put it back, or run without it."
        raise PictureMissingError(str(picture), reason=f"it went during the run ({error})", remedy=remedy) from error
    return [state.st_size, state.st_mtime_ns]


def _added_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)
