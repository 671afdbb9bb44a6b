"""Pictures encoded ahead while a person looks at another one; calls go first."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sam3_onnx._support.forking import renew_in_children
from sam3_onnx._support.waiting import wait_or_cancel
from sam3_onnx.errors import CancelledError, Sam3Error, SessionClosedError
from sam3_onnx.images.loading import load_image, pinned, require_pictures, require_reading
from sam3_onnx.session.encoding.embedder import OtherPrecision

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from sam3_onnx.images.loading import Picture
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier

__all__ = ["Prefetch", "Prefetcher"]


@dataclass(eq=False)
class _Progress:
    """What the worker writes and a handle reads."""

    pictures: int
    encoded: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    failures: dict[int, Exception] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Says in the child of a fork that nothing more will come: the worker is the parent's."""
        self.over = threading.Event()
        self.over.set()


class Prefetch:
    """How far one call of `Sam3Session.prefetch` has come. Pictures are known by their index in its list.

    Those that are neither encoded, left out nor failed once it is done were called off: by `cancel`, by a
    newer `prefetch`, by closing the session, or by a fork: in the child every list is called off.
    """

    def __init__(self, progress: _Progress, withdraw: Callable[[_Progress], None]) -> None:
        self._progress = progress
        self._withdraw = weakref.WeakMethod(withdraw)

    @property
    def done(self) -> bool:
        """Whether nothing more will be encoded for it."""
        return self._progress.over.is_set()

    @property
    def encoded(self) -> tuple[int, ...]:
        """Pictures that went into the cache, or were there already."""
        return tuple(self._progress.encoded)

    @property
    def left_out(self) -> tuple[int, ...]:
        """Pictures for which the cache has no room: the first that did not fit, and all after it."""
        return tuple(self._progress.left_out)

    @property
    def failures(self) -> Mapping[int, Exception]:
        """Pictures that cannot be read or encoded, each with its error."""
        return dict(self._progress.failures)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is done.

        Args:
            timeout: Seconds; None for as long as it takes.

        Returns:
            `done`.
        """
        return self._progress.over.wait(timeout)

    def cancel(self) -> None:
        """Calls off what is left of it, and returns at once; a picture that a call waits for is finished."""
        withdraw = self._withdraw()
        if withdraw is not None:
            withdraw(self._progress)

    def __repr__(self) -> str:
        done = self.done
        encoded, failed, left_out = len(self.encoded), len(self.failures), len(self.left_out)
        rest = self._progress.pictures - encoded - failed - left_out
        parts = [f"{encoded} of {self._progress.pictures} encoded"]
        parts += [f"{failed} failed"] * bool(failed)
        parts += [f"{left_out} left out for want of room in the cache"] * bool(left_out)
        parts += [f"{rest} {'called off' if done else 'to come'}"] * bool(rest)
        return f"<Prefetch: {', '.join(parts)}>"


@dataclass(frozen=True, eq=False)
class _Plan:
    """One list of pictures, and how they are read and encoded."""

    pictures: tuple[Picture, ...]
    embedder: Embedder
    color: Literal["rgb", "bgr"]
    max_pixels: int | None
    progress: _Progress
    keys: list[Hashable] = field(default_factory=list)
    """Of those of its pictures that are known to be in the cache."""

    def read(self, picture: Picture) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB that nobody else writes to while it is encoded."""
        pixels = load_image(picture, color=self.color, max_pixels=self.max_pixels)
        return pixels.copy() if isinstance(picture, np.ndarray) else pixels

    def holds(self, attempt: _Attempt) -> bool:
        """Whether a picture that is being encoded is on this list too."""
        other = attempt.plan
        alike = self.embedder is other.embedder and self.color == other.color
        return alike and any(_are_same(attempt.picture, picture) for picture in self.pictures)


@dataclass(eq=False)
class _Attempt:
    """One try at one picture, from before the cache is asked until it has answered."""

    plan: _Plan
    picture: Picture
    key: tuple[str, str]
    cancel: threading.Event = field(default_factory=threading.Event)
    encoding: bool = False


class Prefetcher:
    """Encodes the newest list in one background thread, which gives way to calls. Safe under threads.

    The thread is there for as long as there is a list. The child of a fork begins without either.
    """

    def __init__(self, cache: CacheTier[Embedding], *, owner: Callable[[], object]) -> None:
        """Starts nothing yet.

        Args:
            cache: Where embeddings are kept.
            owner: Returns None once nobody can use the embeddings any more; then the thread ends.
        """
        self._cache = cache
        self._owner = owner
        self._closed = False
        self.begin_anew()
        renew_in_children(self)

    def begin_anew(self) -> None:
        """Takes the state of one that has no list."""
        atexit.unregister(self.close)
        self._changed = threading.Condition()
        self._plan: _Plan | None = None
        self._at: _Plan | None = None
        self._attempt: _Attempt | None = None
        self._calls: set[object] = set()
        self._worker: threading.Thread | None = None
        self._working = False

    def begin(
        self,
        pictures: Iterable[Picture],
        *,
        embedder: Embedder,
        color: Literal["rgb", "bgr"],
        max_pixels: int | None,
    ) -> Prefetch:
        """Takes a list in place of the one before; see `Sam3Session.prefetch`."""
        require_reading(color, max_pixels)
        require_pictures(pictures)
        several = tuple(pinned(picture) for picture in pictures)
        progress = _Progress(len(several))
        plan = _Plan(several, embedder, color, max_pixels, progress)
        with self._changed:
            if self._closed:
                raise SessionClosedError
            self._replace(plan if several else None)
            if not several:
                progress.over.set()
            elif not self._working:
                self._start()
        return Prefetch(progress, self._withdraw)

    @contextlib.contextmanager
    def right_of_way(self, cancel: threading.Event | None) -> Iterator[None]:
        """While a call runs an image encoder, none runs in the background, but for one that a call waits for.

        Args:
            cancel: Setting it ends the wait for a background run to stop.

        Raises:
            CancelledError: `cancel` was set meanwhile.
        """
        call = object()
        with self._changed:
            self._calls.add(call)
        try:
            self._stop_attempt(cancel)
            yield
        finally:
            with self._changed:
                self._calls.discard(call)
                self._changed.notify_all()

    def close(self) -> None:
        """Calls everything off and waits for the thread to end."""
        with self._changed:
            self._closed = True
            self._replace(None)
            if self._attempt is not None:
                self._attempt.cancel.set()
            worker = self._worker
        if worker is not None:
            worker.join()

    def _start(self) -> None:
        self._worker = threading.Thread(target=self._work, name="sam3-onnx-prefetch", daemon=True)
        self._worker.start()
        self._working = True
        # a daemon that is inside native code while the interpreter goes away would take the process down
        atexit.register(self.close)

    def _replace(self, plan: _Plan | None) -> None:
        before, self._plan = self._plan, plan
        if before is not None and before is not self._at:
            before.progress.over.set()
        attempt = self._attempt
        if attempt is not None and not (plan and plan.holds(attempt)) and not self._is_for_a_call(attempt):
            attempt.cancel.set()
        self._changed.notify_all()

    def _is_for_a_call(self, attempt: _Attempt) -> bool:
        return attempt.encoding and self._cache.is_awaited(attempt.key)

    def _withdraw(self, progress: _Progress) -> None:
        with self._changed:
            if self._plan is not None and self._plan.progress is progress:
                self._replace(None)

    def _stop_attempt(self, cancel: threading.Event | None) -> None:
        with self._changed:
            attempt = self._attempt
            if attempt is None or self._is_for_a_call(attempt):
                return
            attempt.cancel.set()
            stopped = partial(self._changed.wait_for, lambda: not attempt.encoding)
            wait_or_cancel(stopped, cancel, doing="the image encoder")

    def _work(self) -> None:
        while (plan := self._next()) is not None:
            for index in range(len(plan.pictures)):
                if not self._treat(plan, index):
                    break
            with self._changed:
                self._at = None
                if self._plan is plan:
                    self._plan = None
                plan.progress.over.set()

    def _next(self) -> _Plan | None:
        with self._changed:
            self._at = self._plan
            if self._at is None:
                self._working = False
                atexit.unregister(self.close)
            return self._at

    def _treat(self, plan: _Plan, index: int) -> bool:
        """Brings one picture into the cache, and says whether to go on with the next."""
        progress = plan.progress
        try:
            is_kept = self._keep(plan, plan.pictures[index])
        except Exception as error:  # noqa: BLE001 - handed over: the handle has it, and what is no error of ours is shown
            progress.failures[index] = error
            if not isinstance(error, Sam3Error):
                _show(error)
            return True
        if is_kept:
            progress.encoded.append(index)
        elif is_kept is False:
            progress.left_out.extend(range(index, len(plan.pictures)))
        return bool(is_kept)

    def _keep(self, plan: _Plan, picture: Picture) -> bool | None:
        """Whether the cache has the embedding now; None if the list was called off."""
        if not self._is_wanted(plan):
            return None
        pixels = plan.read(picture)
        key = plan.embedder.key_of(pixels)
        while (attempt := self._turn(plan, picture, key)) is not None:
            try:
                return self._obtain(attempt, pixels)
            except CancelledError:  # noqa: PERF203 - a call had right of way, or the list is no longer wanted
                if not attempt.cancel.is_set():
                    raise
            except OtherPrecision:
                key = plan.embedder.key_of(pixels)
            finally:
                with self._changed:
                    self._attempt = None
        return None

    def _obtain(self, attempt: _Attempt, pixels: NDArray[np.uint8]) -> bool:
        key, plan = attempt.key, attempt.plan
        if key not in self._cache:
            if self._cache.room_beside(plan.keys) < max(plan.embedder.bytes_each, 1):
                return False
            make = partial(self._encode, attempt, pixels)
            fits = plan.embedder.check_of(pixels)
            self._cache.get_or_make(key, make, fits=fits, cancel=attempt.cancel, beside=plan.keys)
        plan.keys.append(key)
        return key in self._cache

    def _is_wanted(self, plan: _Plan) -> bool:
        return self._plan is plan and self._owner() is not None

    def _turn(self, plan: _Plan, picture: Picture, key: tuple[str, str]) -> _Attempt | None:
        """Waits until no call encodes; None if the list was called off."""
        with self._changed:
            while self._calls and self._is_wanted(plan):
                self._changed.wait()
            self._attempt = _Attempt(plan, picture, key) if self._is_wanted(plan) else None
            return self._attempt

    def _encode(self, attempt: _Attempt, pixels: NDArray[np.uint8]) -> Embedding:
        with self._changed:
            if self._calls:
                attempt.cancel.set()
            if attempt.cancel.is_set():
                raise CancelledError("the image encoder")
            attempt.encoding = True
        try:
            return attempt.plan.embedder.encode(pixels, attempt.key, cancel=attempt.cancel)
        finally:
            with self._changed:
                attempt.encoding = False
                self._changed.notify_all()


def _are_same(one: Picture, other: Picture) -> bool:
    """Whether two are the same picture, as far as can be told without reading files."""
    if isinstance(one, str | os.PathLike) and isinstance(other, str | os.PathLike):
        return Path(one) == Path(other)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape:
        is_alike = np.array_equal(one[::16, ::16], other[::16, ::16])
        return is_alike and np.array_equal(one, other)
    return one is other


def _show(error: Exception) -> None:
    """Hands an error to whoever is told of those that end a thread; by default it is printed."""
    told = (type(error), error, error.__traceback__, threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(told))
