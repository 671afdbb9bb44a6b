"""Embeddings that were computed once: kept by content, bounded by bytes, least recently used out first.

Below the tiers in memory there may be a shelf that outlives the process; `disk.py` beside this module has it.
"""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from sam3_onnx._support.checks import require_choice
from sam3_onnx._support.forking import renew_in_children
from sam3_onnx._support.waiting import wait_or_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

__all__ = ["CacheInfo", "CacheTier", "Disk", "EmbeddingCache", "Shelf", "Sized"]


class Sized(Protocol):
    """Anything that knows how many bytes it occupies."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


Entry = TypeVar("Entry", bound=Sized)


@dataclass(frozen=True)
class CacheInfo:
    """How a cache tier has been doing."""

    hits: int
    """Requests answered from this tier, those that waited for another thread's computation among them."""
    misses: int
    """Requests that had to be answered in another way: by a graph, or in memory's case by the cache folder."""
    entries: int
    bytes: int
    """Held now; never above `budget`."""
    budget: int
    damaged: int = 0
    """Files of the cache folder that were not used because they were not what they should have been."""


class Shelf(Protocol[Entry]):
    """Where entries lie that memory does not have."""

    def find(self, key: Hashable, fits: Callable[[Entry], bool] | None = None) -> Entry | None:
        """The entry of a key as it was kept, to the bit; None if it is not there, or does not fit."""
        ...

    def keep(self, key: Hashable, entry: Entry) -> None:
        """Puts an entry there; what cannot be kept is told in a warning."""
        ...


class _InFlight(Generic[Entry]):
    """A computation that other threads may wait for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.entry: Entry | None = None
        self.waiting = 0


class CacheTier(Generic[Entry]):
    """A least-recently-used store of one kind of embedding. Safe under threads.

    However many threads ask for a key at once, it is computed once: the first
    computes, the others wait. If the first fails, its error is its own, and the
    next waiting thread tries. In the child of a fork it is empty.
    """

    def __init__(self, budget: int, shelf: Shelf[Entry] | None = None) -> None:
        """Creates an empty tier.

        Args:
            budget: Bytes that entries may occupy together; 0 stores nothing.
            shelf: Asked for what is not here before it is computed, and given what was computed.
        """
        self.budget = budget
        self._shelf = shelf
        self._closed = False
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Takes the state of an empty tier."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._in_flight: dict[Hashable, _InFlight[Entry]] = {}
        self._last_used: Hashable = None
        self._bytes = self._hits = self._misses = 0
        self._warned = False

    def get_or_make(
        self,
        key: Hashable,
        make: Callable[[], Entry],
        *,
        fits: Callable[[Entry], bool] | None = None,
        cancel: threading.Event | None = None,
        beside: Collection[Hashable] | None = None,
    ) -> Entry:
        """Returns the entry of a key, computing it with `make` if it is not there.

        An entry larger than the whole budget is returned and not stored; the first
        one is told in a warning.

        Args:
            key: What the entry is known by.
            make: Computes it.
            fits: Whether an entry of the shelf can be what `make` computes; another one is not used. None: all can.
            cancel: Setting it ends a wait for another thread's computation; `make` has to look itself.
            beside: For what is computed ahead of its use: entries with these keys, and the one that was used
                last, are not dropped for it; where it does not fit beside them, it is returned and not stored.

        Raises:
            CancelledError: `cancel` was set while another thread computed the entry.
        """
        while True:
            with self._lock:
                if beside is None:
                    self._last_used = key
                if key in self._entries:
                    self._entries.move_to_end(key)
                    self._hits += 1
                    return self._entries[key]
                flight = self._in_flight.get(key)
                if flight is None:
                    flight = self._in_flight[key] = _InFlight()
                    self._misses += 1
                    break
                flight.waiting += 1
            try:
                wait_or_cancel(flight.done.wait, cancel, doing="the wait for another thread that computes the same")
            finally:
                with self._lock:
                    flight.waiting -= 1
            if flight.entry is not None:
                with self._lock:
                    self._hits += 1
                return flight.entry
        try:
            found = self._shelf.find(key, fits) if self._shelf else None
            entry = make() if found is None else found
            flight.entry = entry
            self._store(key, entry, beside)
        finally:
            with self._lock:
                self._in_flight.pop(key, None)  # it is not there if `make` has forked the process
            flight.done.set()
        if self._shelf and found is None:
            self._shelf.keep(key, entry)
        return entry

    def _store(self, key: Hashable, entry: Entry, beside: Collection[Hashable] | None) -> None:
        size = entry.nbytes
        with self._lock:
            kept = set() if beside is None else {*beside, self._last_used}
            fits = size <= self._room_beside(kept)
            if fits and not self._closed:
                self._drop_oldest(self._bytes + size - self.budget, kept)
                self._entries[key] = entry
                self._bytes += size
        if not fits and beside is None:
            self._warn_too_large(size)

    def _drop_oldest(self, excess: int, kept: Collection[Hashable]) -> None:
        for key in [key for key in self._entries if key not in kept]:
            if excess <= 0:
                return
            size = self._entries.pop(key).nbytes
            self._bytes -= size
            excess -= size

    def _room_beside(self, kept: Collection[Hashable]) -> int:
        return self.budget - sum(entry.nbytes for key, entry in self._entries.items() if key in kept)

    def _warn_too_large(self, size: int) -> None:
        with self._lock:
            first, self._warned = not self._warned, True
        if first and self.budget:
            message = (
                f"An embedding of {size} bytes is larger than the whole cache budget of {self.budget} bytes: "
                "it is used but not kept, so the same picture will be encoded again. Raise cache_bytes."
            )
            warnings.warn(message, stacklevel=2)

    def __contains__(self, key: Hashable) -> bool:
        """Whether an entry is stored; counts as no use of it."""
        with self._lock:
            return key in self._entries

    def is_awaited(self, key: Hashable) -> bool:
        """Whether a thread waits for another one that computes this key."""
        with self._lock:
            flight = self._in_flight.get(key)
            return flight is not None and flight.waiting > 0

    def room_beside(self, keys: Collection[Hashable]) -> int:
        """Bytes for entries computed ahead: the budget without entries of these keys and the one used last."""
        with self._lock:
            return self._room_beside({*keys, self._last_used})

    def keys(self) -> list[Hashable]:
        """Keys of the stored entries, the next to go first."""
        with self._lock:
            return list(self._entries)

    def info(self) -> CacheInfo:
        """Figures of this tier, taken at one moment."""
        with self._lock:
            return CacheInfo(self._hits, self._misses, len(self._entries), self._bytes, self.budget)

    def clear(self) -> None:
        """Forgets all entries; the counts of hits and misses stay."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def close(self) -> None:
        """Forgets all entries; what calls in flight compute afterwards is returned to them and not stored."""
        with self._lock:
            self._closed = True
        self.clear()


ImageEntry = TypeVar("ImageEntry", bound=Sized)
TextEntry = TypeVar("TextEntry", bound=Sized)


class Disk(Protocol[ImageEntry, TextEntry]):
    """A cache folder below the tiers in memory."""

    @property
    def images(self) -> Shelf[ImageEntry]:
        """For embeddings of pictures."""
        ...

    @property
    def texts(self) -> Shelf[TextEntry]:
        """For embeddings of words."""
        ...

    def info(self) -> CacheInfo:
        """How it has been doing."""
        ...

    def close(self) -> None:
        """Waits until all is written."""
        ...


class EmbeddingCache(Generic[ImageEntry, TextEntry]):
    """The tiers of a session: embeddings of pictures and of words in memory, and both in a folder if there is one."""

    def __init__(self, image_budget: int, text_budget: int, disk: Disk[ImageEntry, TextEntry] | None = None) -> None:
        """Creates the tiers in memory, empty.

        Args:
            image_budget: Bytes for pictures' embeddings in memory.
            text_budget: Bytes for words' embeddings in memory.
            disk: The folder below them.
        """
        self._disk = disk
        self.images: CacheTier[ImageEntry] = CacheTier(image_budget, disk.images if disk else None)
        self.texts: CacheTier[TextEntry] = CacheTier(text_budget, disk.texts if disk else None)

    def info(self, tier: Literal["images", "texts", "disk"] = "images") -> CacheInfo:
        """Hits, misses, entries, bytes and budget of one tier.

        Args:
            tier: "images" or "texts" in memory, or "disk": the cache folder, which holds both, and perhaps
                those of other sessions; all 0 where there is none. It waits for what is being written.

        Raises:
            OptionError: There is no such tier.
        """
        require_choice("tier", tier, ("images", "texts", "disk"))
        if tier == "disk":
            return self._disk.info() if self._disk else CacheInfo(0, 0, 0, 0, 0)
        return (self.images if tier == "images" else self.texts).info()

    def clear(self) -> None:
        """Empties the tiers in memory; a cache folder stays as it is."""
        self.images.clear()
        self.texts.clear()

    def close(self) -> None:
        """Empties the tiers in memory for good, and waits until all is written to the folder."""
        self.images.close()
        self.texts.close()
        if self._disk:
            self._disk.close()
