"""What do words cost on a picture that is encoded already, to the polygons?

Against the way of X-AnyLabeling; and a word that is not in the picture against one that is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.models import WORDS, subjects, tokens_of
from benchmarks.pairing import paired
from benchmarks.peers import full_size_masks, outlines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.models import Bare, Subject
    from benchmarks.pairing import Row

__all__ = ["measure"]

TARGET = 0.6
"""For five words."""
TARGET_ABSENT = 0.7
"""For a word that is not there against one that is, where the mask head is a graph of its own."""
_THRESHOLD = 0.5
_INSTANCES = 10


def measure(
    *,
    pairs: int = 15,
    full_size: Path | None = None,
    size: tuple[int, int] = (1500, 2000),
    counts: Sequence[int] = (1, 5),
) -> list[Row]:
    """Asks for words that the cache knows, present and absent ones.

    Args:
        pairs: How often each way is run; with the bundle of full size a fifth of it, at least 3.
        full_size: A folder with a native bundle.
        size: (height, width) of the picture.
        counts: How many words are asked for at a time.
    """
    rows = []
    for subject in subjects(full_size, size=size):
        rounds = pairs if subject.name == "miniature" else max(3, pairs // 5)
        bare = subject.bare(shared=False)
        rows.append(
            paired(
                f"{subject.name}: absent against {_INSTANCES} instances, both ours",
                partial(_found, subject, 0),
                partial(_found, subject, _INSTANCES),
                pairs=rounds,
                target=TARGET_ABSENT if "mask_decoder" in subject.graphs else None,
            )
        )
        for count in counts:
            words = list(WORDS[:count])
            for state, instances in (("absent", 0), (f"{_INSTANCES} instances each", _INSTANCES)):
                subject.stage.instances = instances
                rows.append(
                    paired(
                        f"{subject.name}: {count} {'word' if count == 1 else 'words'}, {state}",
                        partial(_ours, subject, words),
                        partial(_theirs, bare, words, subject.size),
                        pairs=rounds,
                        target=TARGET if count > 1 else None,
                    )
                )
    return rows


def _found(subject: Subject, instances: int) -> object:
    subject.stage.instances = instances
    return _ours(subject, [WORDS[0]])


def _ours(subject: Subject, words: list[str]) -> object:
    return subject.session.predict(subject.embedding, words, cut_to_box=False, nms=False).shapes("polygon")


def _theirs(bare: Bare, words: list[str], size: tuple[int, int]) -> object:
    found = []
    for word in words:
        features = bare.encode_word(tokens_of(word))
        masks = full_size_masks(bare.masks_above(_THRESHOLD, features, every_mask=True), size)
        found += outlines(masks, "polygon")
    return found
