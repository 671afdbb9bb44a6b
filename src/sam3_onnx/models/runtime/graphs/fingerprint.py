"""The fingerprint of a model: a short name made from all bytes of its files."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from sam3_onnx._support.forking import renew_in_children
from sam3_onnx.models.runtime.graphs.hashes import known_hashes, sha256_of_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["Fingerprint"]


class Fingerprint:
    """Tells models apart by every byte of their files, external data included. `str` gives it.

    Opening a model does not wait for it: files whose hashes are not remembered are hashed by a thread of its own, and
    `str` waits for that. It is a cache key, no proof of integrity.
    """

    def __init__(self, graphs: Iterable[GraphInfo]) -> None:
        """Begins to hash, unless all files are remembered.

        Raises:
            OSError: A file cannot be looked at.
        """
        self._paths = [path.absolute() for graph in graphs for path in (graph.path, *graph.external_files)]
        self._hashes = known_hashes(self._paths)
        self._failure: OSError | None = None
        self._worker: threading.Thread | None = None
        if self._hashes is None:
            self._worker = threading.Thread(target=self._work, name="sam3-onnx-fingerprint", daemon=True)
            self._worker.start()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Leaves it to the first `str` in the child of a fork to hash, if the thread had not come to its end."""
        self._worker = None

    def __str__(self) -> str:
        """Returns 32 hexadecimal digits.

        Raises:
            OSError: A file cannot be read.
        """
        if self._worker is not None:
            self._worker.join()
        if self._failure is not None:
            raise self._failure
        if self._hashes is None:
            self._hashes = sha256_of_files(self._paths)
        return hashlib.blake2b(" ".join(self._hashes).encode(), digest_size=16).hexdigest()

    def _work(self) -> None:
        try:
            self._hashes = sha256_of_files(self._paths)
        except OSError as error:
            self._failure = error
