"""Losses: what a format could not say."""

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
    """One fact of one shape that a file does not hold, or holds in another form. Equal losses can be counted."""

    label: str
    """Label of the shape."""
    what: str
    """The fact: "holes", "score", "a shape of the type 'point'", ..."""
    became: str
    """What was done with it: "filled", "left out", ..."""
    by_nature: bool = False
    """Whether the format never has room for it, so that nobody is warned: a score in a training file."""

    def __str__(self) -> str:
        return f"{self.label}: {self.what} {self.became}"


@known_keywords()
def loss_summary(losses: Iterable[Loss]) -> str:
    """Returns losses in one line, equal ones counted.

    Example:
        >>> loss_summary([Loss("ring", "holes", "filled")] * 2 + [Loss("coin", "score", "left out")])
        'ring: holes filled (2 times); coin: score left out'
    """
    counted = Counter(map(str, losses))
    return "; ".join(text if times == 1 else f"{text} ({times} times)" for text, times in counted.items())


def warn_of_losses(path: str | os.PathLike[str], losses: Iterable[Loss]) -> None:
    """Warns once, in the name of the function that calls it, of all that somebody may want to know.

    Warns:
        LabelLossWarning: There is a loss that is not in the nature of the format.
    """
    told = [loss for loss in losses if not loss.by_nature]
    if told:
        warnings.warn(f"{path} does not hold all: {loss_summary(told)}", LabelLossWarning, stacklevel=4)
