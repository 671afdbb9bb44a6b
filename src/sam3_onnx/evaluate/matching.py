"""Finds of one picture paired with the labelled objects of the same word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NONE", "Pairing", "pair"]

NONE = -1
"""In place of a labelled object: the find has no partner."""


@dataclass(frozen=True)
class Pairing:
    """The partners of some finds. All arrays have one entry for each find."""

    partners: NDArray[np.int64]
    """Index of the labelled object, or `NONE`."""
    overlaps: NDArray[np.float64]
    """IoU with the partner; 0 without one."""
    is_ignored: NDArray[np.bool_]
    """Whether the partner is a region of many objects, so that the find is neither right nor wrong."""


def pair(
    overlaps: NDArray[np.float64], scores: NDArray[np.float64], is_crowd: NDArray[np.bool_], *, least: float
) -> Pairing:
    """Pairs finds with labelled objects, as COCO's evaluation does.

    The find of the highest score chooses first. Each takes the object that it overlaps most among those that are free,
    and a region of many objects only if there is none. Leaving out all finds below a score changes no other pair, so
    one pairing serves every threshold.

    The rules are those of `COCOeval.evaluateImg` in `pycocotools/cocoeval.py` of github.com/cocodataset/cocoapi.

    Args:
        overlaps: (D, T) IoU of each find with each object; for a region of many, share of the find that lies in it.
        scores: (D,)
        is_crowd: (T,) whether an object is a region of many.
        least: IoU from which a find can be the object, above 0 and at most 1.
    """
    partners = np.full(len(scores), NONE, np.int64)
    best = np.zeros(len(scores))
    is_ignored = np.zeros(len(scores), np.bool_)
    is_free = np.ones(len(is_crowd), np.bool_)
    for find in np.argsort(-scores, kind="stable"):
        for candidates in (is_free & ~is_crowd, is_crowd):
            allowed = np.flatnonzero(candidates & (overlaps[find] >= least))
            if not allowed.size:
                continue
            # of equal overlaps the last one, as in COCO's loop
            partner = allowed[::-1][np.argmax(overlaps[find][allowed[::-1]])]
            partners[find], best[find], is_ignored[find] = partner, overlaps[find, partner], is_crowd[partner]
            is_free[partner] = is_crowd[partner]
            break
    return Pairing(partners, best, is_ignored)
