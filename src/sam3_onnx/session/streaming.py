"""One question asked of many pictures, so that the model never waits for files.

While the caller works on one result, the next picture is with the model and the one after that is being read.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, TypeVar

from sam3_onnx._support.waiting import wait_or_cancel
from sam3_onnx.errors import CancelledError, ModelAnswerError, PictureError, PromptError, SessionForkedError
from sam3_onnx.images.loading import pinned
from sam3_onnx.session.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from sam3_onnx.images.loading import Picture
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.prompts.boxes import BoxesLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.results.segmentation import Segmentation

__all__ = ["Answerer", "AnyPicture", "PictureFault", "QuestionOptions", "stream"]

AnyPicture = TypeVar("AnyPicture", bound="Picture")
Answerer: TypeAlias = "Callable[[LoadedPicture | Embedding, threading.Event | None, Stopwatch], Segmentation]"
"""What answers one question of any picture: given the picture, an event that stops it, and a stopwatch."""
PictureFault: TypeAlias = PictureError | PromptError | ModelAnswerError
"""What can be wrong with one picture, or with a question asked of just this one; others may be fine."""

_IN_HAND = 2
"""Pictures taken up besides the one whose result the caller has: one with the model, one being read. Each holds its
pixels."""


class QuestionOptions(TypedDict, total=False):
    """Keyword arguments that `Sam3Session.annotate` shares with `Sam3Session.predict`, which explains them."""

    boxes: BoxesLike | None
    """Boxes of examples, in pixels; they go with every picture."""
    marks: MarksLike | None
    """Boxes in X-AnyLabeling's form."""
    label: str | None
    """What results of boxes without words are called."""
    conf_threshold: float | Mapping[str, float] | None
    """Only scores above it, in 0..1; {word: threshold} for words of their own."""
    cut_to_box: bool | None
    """Drop what of a mask lies outside its box."""
    nms: float | Literal[False] | None
    """Drop instances that overlap a better one by a higher mask IoU."""
    truncate: bool
    """Cut prompts that are too long."""


def stream(
    pictures: Iterable[AnyPicture],
    read: Callable[[Picture], LoadedPicture],
    answer: Answerer,
    *,
    on_error: Callable[[AnyPicture, PictureFault], None] | None,
    cancel: threading.Event | None,
) -> Generator[tuple[AnyPicture, Segmentation]]:
    """Answers one question of many pictures, each read and encoded while the caller uses an earlier result.

    Args:
        pictures: Taken one by one as they are needed.
        read: Reads a picture.
        answer: Answers the question of a picture that was read.
        on_error: Called with a picture that cannot be read or answered, and why; None to raise the error.
        cancel: Setting it ends the iteration.

    Yields:
        Each picture as it was given, with its result, in the order given.

    Raises:
        PictureError: Without `on_error`: a picture cannot be used.
        PromptError: Likewise: the question does not suit a picture.
        ModelAnswerError: Likewise: no usable answer of the model.
        CancelledError: `cancel` was set.
        SessionForkedError: It is asked for the next picture in the child of a fork.
    """
    stop, process = threading.Event(), os.getpid()
    waiting: deque[tuple[AnyPicture, Future[Segmentation]]] = deque()
    reader, model = ThreadPoolExecutor(1, "sam3-read"), ThreadPoolExecutor(1, "sam3-answer")

    def timed(picture: Picture, watch: Stopwatch) -> LoadedPicture:
        with watch.stage("read"):
            return read(picture)

    def begin(picture: AnyPicture) -> None:
        watch = Stopwatch()
        pixels = reader.submit(timed, pinned(picture), watch)
        waiting.append((picture, model.submit(lambda: answer(pixels.result(), stop, watch))))

    try:
        for picture in pictures:
            _require_process(process)
            begin(picture)
            if len(waiting) > _IN_HAND:
                yield from _oldest(waiting, on_error, cancel, stop)
        while waiting:
            _require_process(process)
            yield from _oldest(waiting, on_error, cancel, stop)
    finally:
        if os.getpid() == process:
            stop.set()
            for executor in (reader, model):
                executor.shutdown(wait=True, cancel_futures=True)


def _require_process(process: int) -> None:
    """Lets the process pass whose threads do the work."""
    if os.getpid() != process:
        reason = "nobody reads and answers the pictures of an iteration that the parent has begun"
        raise SessionForkedError(reason=reason, remedy="Call annotate again here, with the pictures that are left.")


def _oldest(
    waiting: deque[tuple[AnyPicture, Future[Segmentation]]],
    on_error: Callable[[AnyPicture, PictureFault], None] | None,
    cancel: threading.Event | None,
    stop: threading.Event,
) -> Iterator[tuple[AnyPicture, Segmentation]]:
    """The picture that was begun first, with its result; nothing if it failed and `on_error` was called."""
    picture, future = waiting.popleft()
    try:
        result = _result(future, cancel, stop)
    except (PictureError, PromptError, ModelAnswerError) as error:
        if on_error is None:
            raise
        on_error(picture, error)
    else:
        yield picture, result


def _result(future: Future[Segmentation], cancel: threading.Event | None, stop: threading.Event) -> Segmentation:
    with contextlib.suppress(CancelledError):
        wait_or_cancel(lambda seconds: bool(wait([future], seconds).done), cancel, doing="annotating")
    if cancel is not None and cancel.is_set():  # also where the result has come at the same moment
        stop.set()
        raise CancelledError("annotating")
    return future.result()
