"""What came out of a run over a folder: its summary, its progress and its failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx._support.units import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sam3_onnx.errors import Sam3Error

__all__ = ["AnnotateProgress", "AnnotateSummary", "Failure"]

_TOLD = 10


@dataclass(frozen=True)
class Failure:
    """A picture without labels, and why."""

    picture: Path
    error: Sam3Error | OSError

    def __str__(self) -> str:
        told = str(self.error) if str(self.picture) in str(self.error) else f"{self.picture}: {self.error}"
        return told.encode(errors="backslashreplace").decode()  # names may be bytes that are no text


@dataclass(frozen=True)
class AnnotateProgress:
    """How far a run has come; told after each picture."""

    picture: Path
    """The picture that was just finished, or failed."""
    done: int
    """Pictures finished or failed, those of the run that was resumed among them."""
    total: int
    failures: int
    instances: int
    """Instances found so far."""


@dataclass(frozen=True)
class AnnotateSummary:
    """A run over a folder; together with the interrupted one that it resumed, if it did."""

    folder: Path
    """The folder in which the labels lie."""
    pictures: int
    """Pictures in the folder."""
    finished: int
    """Pictures that are labelled, by this run or by the one that it resumed."""
    resumed: int
    """Finished pictures that had been labelled before the run was interrupted."""
    skipped: int
    """Pictures left alone since they had a label file, under existing="skip"."""
    failures: tuple[Failure, ...]
    instances: Mapping[str, int] = field(default_factory=dict)
    """Instances found, by label, in the order in which they were asked for."""
    added: int = 0
    """Shapes written; an instance may have several, one for each of its parts."""
    resumed_added: int = 0
    """Those of them that had been written before the run was interrupted."""
    removed: int = 0
    """Shapes that were there and gave way."""
    duplicates: int = 0
    """Shapes left out, since they were there already."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """What the format could not say, and how often."""
    left_out: tuple[Path, ...] = ()
    """Files that look like pictures by their endings and are of formats that are not read."""
    with_more_frames: int = 0
    """Pictures labelled by this run that hold several frames or pages, of which the first was taken."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds that this run spent in each stage: read, image, text, decode, select, write. Stages overlap in time."""
    elapsed: float = 0.0
    """Seconds from beginning to end of this run."""
    precisions: Mapping[str, str] = field(default_factory=dict)
    """What each part of the model was computed in, by its name, as `Sam3Session.precisions` has it; with ", then "
    between two where it changed. Empty if this run answered nothing."""

    def __str__(self) -> str:
        here = self.finished - self.resumed
        told = [f"{self.finished} of {in_words(self.pictures, 'picture')} done, labels in {self.folder}"]
        if self.resumed:
            told[0] += f"; {self.resumed} of them done already when this run began"
        if self.skipped:
            told.append(f"{self.skipped} had labels and were left alone")
        found = ", ".join(f"{count} {label}" for label, count in self.instances.items())
        told.append(f"found{' in all' if self.resumed else ''}: {found}")
        shapes = f"shapes: {self.added} added"
        if self.resumed:
            shapes += f" in all, {self.resumed_added} of them before this run began"
        if self.removed:
            shapes += f", {self.removed} removed"
        if self.duplicates:
            shapes += f", {self.duplicates} there already"
        told.append(shapes)
        told += [f"the format cannot say: {what} ({count}x)" for what, count in self.losses.items()]
        if self.with_more_frames:
            verb = "holds" if self.with_more_frames == 1 else "hold"
            told.append(f"{self.with_more_frames} {verb} several frames or pages, of which the first was taken")
        if self.left_out:
            names = ", ".join(path.name for path in self.left_out[:_TOLD])
            more = f" and {len(self.left_out) - _TOLD} more" if len(self.left_out) > _TOLD else ""
            files = in_words(len(self.left_out), "file")
            told.append(f"{files} named like pictures and of no format that is read, left out: {names}{more}")
        if here:
            stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self.seconds.items())
            told.append(f"{self.elapsed:.1f} s, {self.elapsed / here:.2f} s a picture; seconds by stage: {stages}")
        coarse = [f"{part} in {word}" for part, word in self.precisions.items() if word not in {"float32", "auto"}]
        if coarse:
            told.append(f"computed: {', '.join(coarse)}, the rest in float32")
        return "\n".join([*told, *self._failures_told()])

    def _failures_told(self) -> list[str]:
        if not self.failures:
            return []
        told = [f"{len(self.failures)} failed:", *(f"  {failure}" for failure in self.failures[:_TOLD])]
        if len(self.failures) > _TOLD:
            told.append(f"  and {len(self.failures) - _TOLD} more")
        return [*told, "Run the same again to try them, and only them, once more."]
