"""What does `predict` cost beside bare runs of the same graphs, on a picture that the cache has?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.models import CPU_ALONE, WORDS, Subject, subjects, tokens_of
from benchmarks.pairing import paired

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.pairing import Row
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["measure"]

TARGET = 1.02
_INSTANCES = 10
_THRESHOLD = 0.5


def measure(
    *,
    pairs: int = 25,
    full_size: Path | None = None,
    size: tuple[int, int] = (1500, 2000),
    settings: RuntimeSettings = CPU_ALONE,
) -> list[Row]:
    """Asks for one known word, through the library and with prepared feeds.

    Args:
        pairs: How often each is run; with the bundle of full size a fifth of it, at least 3.
        full_size: A folder with a native bundle.
        size: (height, width) of the picture.
        settings: Provider and precision of the library.
    """
    rows = []
    for subject in subjects(full_size, size=size, settings=settings):
        rounds = pairs if subject.name == "miniature" else max(3, pairs // 5)
        rows += _rows(subject, pairs=rounds)
    return rows


def _rows(subject: Subject, *, pairs: int) -> list[Row]:
    word = WORDS[0]
    bare = {"shared": subject.bare(shared=True), "own": subject.bare(shared=False)}
    features = bare["own"].encode_word(tokens_of(word))
    ask = partial(subject.session.predict, subject.embedding, word)
    plain = partial(ask, cut_to_box=False, nms=False)
    from_pixels = partial(subject.session.predict, subject.picture, word, cut_to_box=False, nms=False)
    rows = []
    for case, instances, ours, baseline in (
        ("absent", 0, plain, "shared"),
        (f"{_INSTANCES} instances", _INSTANCES, plain, "shared"),
        (f"{_INSTANCES} instances, cut to box, nms", _INSTANCES, partial(ask, cut_to_box=True, nms=0.5), "shared"),
        (f"{_INSTANCES} instances, picture as array", _INSTANCES, from_pixels, "shared"),
        (f"{_INSTANCES} instances, vs default options", _INSTANCES, plain, "own"),
    ):
        subject.stage.instances = instances
        rows.append(
            paired(
                f"{subject.name}: {case}",
                ours,
                partial(bare[baseline].masks_above, _THRESHOLD, features),
                pairs=pairs,
                target=TARGET if subject.name == "full size" else None,
            )
            | {"ways": subject.ways}
        )
    return rows
