"""A picture that is finished: what was found in it, and what writing its labels changed."""

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
    """What writing the labels of one picture changed."""

    added: int = 0
    """Shapes that are new."""
    removed: int = 0
    """Shapes that were there and gave way."""
    duplicates: int = 0
    """Shapes that were found and left out, since they were there already."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """What the format could not say, and how often; without what it never can."""
    pending: Sequence[CocoPicture] = ()
    """What is written when the last picture is finished."""


@dataclass(frozen=True)
class FinishedPicture:
    """A picture whose labels are written, as the journal of a run notes it."""

    picture: str
    """Path of the picture, seen from the folder of pictures, with slashes."""
    stamp: Sequence[int]
    """Bytes of the file, and the time of its last change in nanoseconds."""
    found: Mapping[str, int]
    """Instances by label."""
    written: Written

    def to_json(self) -> dict[str, object]:
        """Returns it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> FinishedPicture:
        """Returns the picture that `to_json` was asked of.

        Raises:
            ValueError: It is something else.
        """
        match content:
            case {"picture": str(picture), "stamp": list(stamp), "found": dict(found), "written": dict(written)}:
                return cls(picture, stamp, found, Written(**written))
        raise ValueError(f"no row of a finished picture: {content!r:.80}")


class Completed(NamedTuple):
    """The pictures of a run after the last one."""

    finished: Sequence[FinishedPicture]
    """Those whose labels are in place."""
    failures: Sequence[tuple[FinishedPicture, LabelError]] = ()
    """Those whose labels could not be joined to what is there by now, and why."""


def counted(losses: Iterable[Loss]) -> dict[str, int]:
    """Returns how often a format could not say what it might have been expected to."""
    return dict(Counter(str(loss) for loss in losses if not loss.by_nature))
