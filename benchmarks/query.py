"""What do words cost on a picture that is encoded already, to the polygons?

Against the way of X-AnyLabeling, on the same graphs and on the six files that it runs; and a word that is not in the
picture against one that is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.models import CPU_ALONE, WORDS, subjects, tokens_of
from benchmarks.pairing import paired
from benchmarks.peers import SixFiles, full_size_masks, outlines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.models import Bare, Subject
    from benchmarks.pairing import Row
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["measure"]

TARGET = 0.5
"""For known words against X-AnyLabeling on its own six files."""
TARGET_ABSENT = 0.65
"""For a word that is not there against one that is, where the mask head is a graph of its own."""
_THRESHOLD = 0.5
_INSTANCES = 10


def measure(
    *,
    pairs: int = 15,
    full_size: Path | None = None,
    six_files: Path | None = None,
    size: tuple[int, int] = (1500, 2000),
    counts: Sequence[int] = (1, 5),
    settings: RuntimeSettings = CPU_ALONE,
) -> list[Row]:
    """Asks for words that the cache knows, present and absent ones.

    Args:
        pairs: How often each way is run; with the bundle of full size a fifth of it, at least 3.
        full_size: A folder with a native bundle.
        six_files: A folder with language encoder and decoder of the six files, to compare that bundle with.
        size: (height, width) of the picture.
        counts: How many words are asked for at a time.
        settings: Provider and precision of the library.
    """
    rows = []
    for subject in subjects(full_size, size=size, settings=settings):
        rounds = pairs if subject.name == "miniature" else max(3, pairs // 5)
        rows.append(_absent_against_present(subject, rounds))
        bare = subject.bare(shared=False)
        for words, state in _questions(subject, counts):
            theirs = partial(_theirs, bare, words, subject.size)
            rows.append(_against(subject, words, f"{state}, same graphs", theirs, rounds))
        if six_files and subject.name == "full size":
            del bare  # the six files take as much memory again
            peer = SixFiles(six_files, subject.embedding.arrays())
            for words, state in _questions(subject, counts):
                theirs = partial(_on_six_files, peer, subject, words)
                rows.append(_against(subject, words, f"{state}, six files", theirs, rounds, target=TARGET))
    return rows


def _questions(subject: Subject, counts: Sequence[int]) -> Iterator[tuple[list[str], str]]:
    """Words and what they find, set up one after the other."""
    for count in counts:
        for state, instances in (("absent", 0), (f"{_INSTANCES} instances each", _INSTANCES)):
            subject.stage.instances = instances
            yield list(WORDS[:count]), state


def _absent_against_present(subject: Subject, pairs: int) -> Row:
    target = TARGET_ABSENT if "mask_decoder" in subject.graphs else None
    absent, present = partial(_found, subject, 0), partial(_found, subject, _INSTANCES)
    case = f"{subject.name}: absent against {_INSTANCES} instances, both ours"
    return paired(case, absent, present, pairs=pairs, target=target) | {"ways": subject.ways}


def _against(
    subject: Subject,
    words: list[str],
    state: str,
    theirs: Callable[[], object],
    pairs: int,
    *,
    target: float | None = None,
) -> Row:
    case = f"{subject.name}: {len(words)} {'word' if len(words) == 1 else 'words'}, {state}"
    return paired(case, partial(_ours, subject, words), theirs, pairs=pairs, target=target) | {"ways": subject.ways}


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


def _on_six_files(peer: SixFiles, subject: Subject, words: list[str]) -> object:
    """The graphs find nothing with random weights: the scene's masks are resized and outlined in their place."""
    found = []
    for word in words:
        peer.ask(tokens_of(word), subject.size)
        found += outlines(full_size_masks(subject.stage.masks, subject.size), "polygon")
    return found
