"""What is known of a picture that is finished?"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sam3_onnx.labels.coco.rows import CocoPicture
    from sam3_onnx.labels.losses import Loss

__all__ = ["Row", "Written", "counted"]


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
class Row:
    """A finished picture."""

    picture: str
    """Its path seen from the folder of pictures, with slashes."""
    stamp: Sequence[int]
    """Bytes of the file, and the time of its last change in nanoseconds."""
    found: Mapping[str, int]
    """Instances by label."""
    written: Written

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Row:
        """From what `to_json` gave.

        Raises:
            ValueError: It is something else.
        """
        match content:
            case {"picture": str(picture), "stamp": list(stamp), "found": dict(found), "written": dict(written)}:
                return cls(picture, stamp, found, Written(**written))
        raise ValueError(f"no row of a finished picture: {content!r:.80}")


def counted(losses: Iterable[Loss]) -> dict[str, int]:
    """How often a format could not say what it might have been expected to."""
    return dict(Counter(str(loss) for loss in losses if not loss.by_nature))
