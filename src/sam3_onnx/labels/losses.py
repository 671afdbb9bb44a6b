"""`Loss`: a fact about a shape that a label format cannot store."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import LabelLossWarning

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

__all__ = ["Loss", "loss_summary", "warn_of_losses"]


@dataclass(frozen=True)
class Loss:
    """A fact about a shape that a file does not contain, or contains in another form. Equal losses can be counted."""

    label: str
    """Label of the shape."""
    what: str
    """The fact, for example "holes", "score" or a shape type."""
    became: str
    """What was done with it, for example "filled" or "left out"."""
    by_nature: bool = False
    """Whether the format can never store it, so that there is no warning: for example, a score in a training file."""

    def __str__(self) -> str:
        verb = "were" if self.what.partition(" ")[0].endswith("s") else "was"
        return f"{self.what} {verb} {self.became} ({self.label})"


@known_keywords()
def loss_summary(losses: Iterable[Loss]) -> str:
    """Returns losses as one line of text, in which equal ones are counted.

    Example:
        >>> loss_summary([Loss("ring", "holes", "filled")] * 2 + [Loss("coin", "score", "left out")])
        'holes were filled (ring), 2 times; score was left out (coin)'
    """
    counted = Counter(map(str, losses))
    return "; ".join(text if times == 1 else f"{text}, {times} times" for text, times in counted.items())


def warn_of_losses(path: str | os.PathLike[str], losses: Iterable[Loss]) -> None:
    """Warns once of all losses except those by nature; the warning points to the caller of the calling function.

    Warns:
        LabelLossWarning: There is a loss that is not by nature of the format.
    """
    unexpected = [loss for loss in losses if not loss.by_nature]
    if unexpected:
        warnings.warn(f"{path} does not contain everything: {loss_summary(unexpected)}", LabelLossWarning, stacklevel=4)
