"""Embeddings in a folder, which survive a restart, and the warning when one cannot be kept."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.forking import renew_in_children
from sam3_onnx.errors import EmbeddingFolderWarning, OptionError
from sam3_onnx.results.embedding import Embedding, MalformedEntryError, TextEmbedding
from sam3_onnx.session.encoding.container import NotThisEntryError, load, pieces_of
from sam3_onnx.session.encoding.folder import EntryFolder
from sam3_onnx.session.encoding.memory import CacheInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from concurrent.futures import Future
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.results.embedding import FeaturePrecision
    from sam3_onnx.session.options import SessionSettings

    Arrays: TypeAlias = dict[str, NDArray[np.generic]]

__all__ = ["DiskShelf", "DiskTier", "disk_tier"]

_MOST_WAITING = 4
"""Entries that may wait to be written. They stay in memory meanwhile, so that a slow disk makes calls wait instead."""


class _Storable(Protocol):
    def to_entry(self) -> Arrays: ...


_Entry = TypeVar("_Entry", bound=_Storable)


class DiskTier:
    """Entries of one session in a folder that others may share. Safe under threads and processes.

    One thread writes, so that no answer waits for the disk; the end of the program waits for it. The child of a fork
    has a thread of its own, and leaves to the parent what waits there.
    """

    def __init__(self, path: Path, budget: int, *, scope: str, model: object, precision: FeaturePrecision) -> None:
        """Looks whether the folder can be used, and tidies it up in the background.

        Args:
            path: The folder; made unless it is there.
            budget: Bytes that entries may occupy together, those of other sessions included.
            scope: What entries depend on beside model and content.
            model: A name that tells the model from others; asked for when an entry is looked for or kept.
            precision: How features of pictures are kept.

        Raises:
            EmbeddingFolderError: Nothing can be written to the folder.
        """
        self._scope = scope
        self._model = model
        self._precision = precision
        self._folder = EntryFolder(path, budget)
        self.begin_anew()
        renew_in_children(self)
        self._do(self._folder.tidy)

    def begin_anew(self) -> None:
        """Takes the state of a tier that was not used yet."""
        self._lock = threading.Lock()
        self._hits = self._misses = self._damaged = 0
        self._warned = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sam3-onnx-cache-folder")
        self._waiting: deque[Future[None]] = deque()

    @property
    def images(self) -> DiskShelf[Embedding]:
        """For embeddings of pictures."""
        return DiskShelf(self, f"image {self._precision}", Embedding.from_entry)

    @property
    def texts(self) -> DiskShelf[TextEmbedding]:
        """For embeddings of words."""
        return DiskShelf(self, "text", TextEmbedding.from_entry)

    def find(
        self, label: str, restore: Callable[[Arrays], _Entry], fits: Callable[[_Entry], bool] | None
    ) -> _Entry | None:
        """The entry that was kept under a label, made of its arrays; a file that does not hold it is deleted."""
        label = self._in_full(label)
        name = _name(label)
        damaged = 0
        entry = None
        try:
            with self._folder.open(name) as file:
                found = restore(load(file, label))
            _require_fit(found, fits)
            entry = found
            self._folder.mark_used(name)
        except FileNotFoundError:
            pass
        except (NotThisEntryError, MalformedEntryError):
            self._folder.discard(name)
            damaged = 1
        except OSError as error:
            self._warn(f"An embedding cannot be read from the cache folder {self._folder.path}: {error}.")
        with self._lock:
            self._hits += entry is not None
            self._misses += entry is None
            self._damaged += damaged
        return entry

    def keep(self, label: str, arrays: Arrays) -> None:
        """Has arrays written under a label."""
        self._do(lambda: self._write(self._in_full(label), arrays))

    def info(self) -> CacheInfo:
        """Figures of this session, and of the folder once all is written."""
        self._settle()
        with self._lock:
            entries, size = self._folder.entries()
            return CacheInfo(self._hits, self._misses, entries, size, self._folder.budget, self._damaged)

    def close(self) -> None:
        """Waits until all is written, and ends the thread; a call that is still going on writes for itself."""
        self._writer.shutdown()
        self._settle()

    def _in_full(self, label: str) -> str:
        return f"{label} | {self._model} | {self._scope}"

    def _do(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except OSError as error:
                self._warn(f"An embedding cannot be written to the cache folder {self._folder.path}: {error}.")

        try:
            future = self._writer.submit(guarded)
        except RuntimeError:  # the session is closed or the interpreter ends: no thread is to be had any more
            guarded()
            return
        with self._lock:
            self._waiting.append(future)
            first = self._waiting.popleft() if len(self._waiting) > _MOST_WAITING else None
        if first:
            first.result()

    def _settle(self) -> None:
        with self._lock:
            waiting = [*self._waiting]
            self._waiting.clear()
        for future in waiting:
            future.result()

    def _write(self, label: str, arrays: Arrays) -> None:
        pieces = pieces_of(label, arrays)
        size = sum(map(len, pieces))
        if size <= self._folder.budget:
            self._folder.write(_name(label), pieces)
        elif self._folder.budget:
            self._warn(
                f"An embedding of {size} bytes is larger than the whole budget of {self._folder.budget} bytes of the "
                f"cache folder {self._folder.path}: raise cache_folder_bytes."
            )

    def _warn(self, what: str) -> None:
        with self._lock:
            first, self._warned = not self._warned, True
        if first:
            message = (
                f"{what} The answer does not suffer, but what is not in the folder is computed again after a restart. "
                "Free some space, mend the folder's permissions, or name another one with cache_folder=. "
                "This is said once for each session."
            )
            warnings.warn(message, EmbeddingFolderWarning, stacklevel=2)


class DiskShelf(Generic[_Entry]):
    """Entries of one kind in a folder."""

    def __init__(self, tier: DiskTier, kind: str, restore: Callable[[Arrays], _Entry]) -> None:
        """Reads nothing yet.

        Args:
            tier: Where they lie.
            kind: What entries of this kind are called.
            restore: The entry of its arrays.
        """
        self._tier = tier
        self._kind = kind
        self._restore = restore

    def find(self, key: Hashable, fits: Callable[[_Entry], bool] | None = None) -> _Entry | None:
        """The entry of a key, if it is there whole and fits."""
        return self._tier.find(self._label(key), self._restore, fits)

    def keep(self, key: Hashable, entry: _Entry) -> None:
        """Has an entry written."""
        self._tier.keep(self._label(key), entry.to_entry())

    def _label(self, key: Hashable) -> str:
        return f"{self._kind} | {key!r}"


def _require_fit(found: _Entry, fits: Callable[[_Entry], bool] | None) -> None:
    if fits is not None and not fits(found):
        raise NotThisEntryError("its arrays are not those of this model")


def _name(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:40]


def disk_tier(settings: SessionSettings, graphs: Iterable[str], *, model: object) -> DiskTier | None:
    """Returns the tier that a session's options ask for; None if they name no folder.

    Args:
        settings: The session's options.
        graphs: How each of its graphs is run, as far as answers may depend on it.
        model: A name that tells the model from others.

    Raises:
        OptionError: The folder is no path.
        EmbeddingFolderError: Nothing can be written to the folder.
    """
    folder = settings.cache_folder
    if folder is None:
        return None
    from sam3_onnx._support.version import __version__  # noqa: PLC0415 - 20 ms, for sessions with a folder only

    if isinstance(folder, str) and not folder:
        raise OptionError("cache_folder", expected="the path of a folder, or None for none", got=folder)
    scope = " | ".join((f"sam3-onnx {__version__}", *sorted(set(graphs))))
    path = require_path("cache_folder", folder).absolute()
    return DiskTier(path, settings.cache_folder_bytes, scope=scope, model=model, precision=settings.feature_precision)
