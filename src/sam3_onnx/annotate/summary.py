"""Summary, progress and failures of a run over a folder."""

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
    """A picture that could not be labelled, with its error."""

    picture: Path
    error: Sam3Error | OSError

    def __str__(self) -> str:
        told = str(self.error) if str(self.picture) in str(self.error) else f"{self.picture}: {self.error}"
        return told.encode(errors="backslashreplace").decode()  # file names may be bytes that are not text


@dataclass(frozen=True)
class AnnotateProgress:
    """Progress of a run, reported after each picture."""

    picture: Path
    """The picture that has just finished or failed."""
    done: int
    """Number of pictures that finished or failed, including those before an interruption."""
    total: int
    failures: int
    instances: int
    """Number of instances found so far."""


@dataclass(frozen=True)
class AnnotateSummary:
    """Summary of a run over a folder, including the interrupted run that it continued."""

    folder: Path
    """Folder of the labels."""
    pictures: int
    """Number of pictures in the folder."""
    finished: int
    """Number of labelled pictures, by this run or by the interrupted run that it continued."""
    resumed: int
    """Number of finished pictures that were labelled before the interruption."""
    skipped: int
    """Number of pictures that were skipped because they had a label file, with existing="skip"."""
    failures: tuple[Failure, ...]
    instances: Mapping[str, int] = field(default_factory=dict)
    """Number of found instances for each label, in the order of the prompts."""
    added: int = 0
    """Number of written shapes; an instance may have several, one for each part."""
    resumed_added: int = 0
    """Number of those shapes that were written before the interruption."""
    removed: int = 0
    """Number of existing shapes that were removed."""
    duplicates: int = 0
    """Number of shapes that were left out as duplicates of existing ones."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """Losses with their counts: what the format could not store."""
    left_out: tuple[Path, ...] = ()
    """Files with the extension of a picture format that is not supported."""
    with_more_frames: int = 0
    """Number of pictures with several frames or pages, of which this run used the first one."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds of this run in each stage: read, image, text, decode, select, write. Stages overlap in time."""
    elapsed: float = 0.0
    """Duration of this run in seconds."""
    precisions: Mapping[str, str] = field(default_factory=dict)
    """Precision of each part of the model, as in `Sam3Session.precisions`; if it changed during the run, the precisions
    are joined by ", then ". Empty if this run computed nothing."""

    def __str__(self) -> str:
        here = self.finished - self.resumed
        told = [f"{self.finished} of {in_words(self.pictures, 'picture')} done, labels in {self.folder}"]
        if self.resumed:
            told[0] += f"; {self.resumed} of them before the interruption"
        if self.skipped:
            told.append(f"{self.skipped} skipped, because they had labels")
        found = ", ".join(f"{count} {label}" for label, count in self.instances.items())
        told.append(f"found{' in all' if self.resumed else ''}: {found}")
        shapes = f"shapes: {self.added} added"
        if self.resumed:
            shapes += f" in all, {self.resumed_added} of them before this run began"
        if self.removed:
            shapes += f", {self.removed} removed"
        if self.duplicates:
            shapes += f", {self.duplicates} duplicates left out"
        told.append(shapes)
        told += [f"not stored in this format: {what}{_times(count)}" for what, count in self.losses.items()]
        if self.with_more_frames:
            verb = "has" if self.with_more_frames == 1 else "have"
            told.append(f"{self.with_more_frames} {verb} several frames or pages; the first one was used")
        if self.left_out:
            names = ", ".join(path.name for path in self.left_out[:_TOLD])
            more = f" and {len(self.left_out) - _TOLD} more" if len(self.left_out) > _TOLD else ""
            files = in_words(len(self.left_out), "file")
            told.append(f"{files} of unsupported picture formats left out: {names}{more}")
        if here:
            stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self.seconds.items())
            told.append(f"{self.elapsed:.1f} s, {self.elapsed / here:.2f} s per picture; seconds by stage: {stages}")
        coarse = [f"{part} in {word}" for part, word in self.precisions.items() if word not in {"float32", "auto"}]
        if coarse:
            told.append(f"precision: {', '.join(coarse)}, the rest in float32")
        return "\n".join([*told, *self._failures_told()])

    def _failures_told(self) -> list[str]:
        if not self.failures:
            return []
        told = [f"{len(self.failures)} failed:", *(f"  {failure}" for failure in self.failures[:_TOLD])]
        if len(self.failures) > _TOLD:
            told.append(f"  and {len(self.failures) - _TOLD} more")
        return [*told, "Run the same command again to try only the failed pictures again."]


def _times(count: int) -> str:
    return f", {count} times" if count > 1 else ""
