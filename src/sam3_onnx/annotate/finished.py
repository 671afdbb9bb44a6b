"""Records of finished pictures: what was found, and what changed in the label files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sam3_onnx.errors import LabelError
    from sam3_onnx.labels.coco.rows import CocoPicture
    from sam3_onnx.labels.losses import Loss

__all__ = ["Completed", "FinishedPicture", "Written", "counted"]


@dataclass(frozen=True)
class Written:
    """Changes to the labels of one picture."""

    added: int = 0
    """Number of new shapes."""
    removed: int = 0
    """Number of older shapes that were removed."""
    duplicates: int = 0
    """Number of found shapes that were left out as duplicates of existing ones."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """Losses with their counts: what the format could not store, without losses by nature of the format."""
    pending: Sequence[CocoPicture] = ()
    """Rows that are written after the last picture."""


@dataclass(frozen=True)
class FinishedPicture:
    """A picture whose labels are written, as it is recorded in the journal of a run."""

    picture: str
    """Path of the picture relative to the folder of pictures, with slashes."""
    stamp: Sequence[int]
    """Size of the file in bytes, and the time of its last change in nanoseconds."""
    found: Mapping[str, int]
    """Number of instances for each label."""
    written: Written

    def to_json(self) -> dict[str, object]:
        """Returns the picture as plain values, which can be written as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> FinishedPicture:
        """Returns the picture of the values that `to_json` returned.

        Raises:
            ValueError: The values are something else.
        """
        match content:
            case {"picture": str(picture), "stamp": list(stamp), "found": dict(found), "written": dict(written)}:
                return cls(picture, stamp, found, Written(**written))
        raise ValueError(f"expected the entry of a finished picture, got {content!r:.80}")


class Completed(NamedTuple):
    """The pictures of a run after the labels were completed."""

    finished: Sequence[FinishedPicture]
    """Pictures whose labels are written."""
    failures: Sequence[tuple[FinishedPicture, LabelError]] = ()
    """Pictures whose labels could not be added to the current file, each with its error."""


def counted(losses: Iterable[Loss]) -> dict[str, int]:
    """Counts losses by their text, without losses by nature of the format."""
    return dict(Counter(str(loss) for loss in losses if not loss.by_nature))
