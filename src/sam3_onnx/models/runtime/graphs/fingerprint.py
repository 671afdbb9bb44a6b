"""The fingerprint of a model: a short name made from the contents of its files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["fingerprint"]

_SAMPLE = 1 << 20


def fingerprint(graphs: Iterable[GraphInfo]) -> str:
    """Tells models apart by size, first and last MiB of every file, external data included.

    Reading gigabytes at every start would cost seconds; two trained models differ in
    these samples as in everything else. It is a cache key, no proof of integrity.
    """
    digest = hashlib.blake2b(digest_size=16)
    for graph in graphs:
        for path in (graph.path, *graph.external_files):
            _sample(path, digest)
    return digest.hexdigest()


def _sample(path: Path, digest: hashlib.blake2b) -> None:
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE))
        if size > _SAMPLE:
            file.seek(max(_SAMPLE, size - _SAMPLE))
            digest.update(file.read(_SAMPLE))
