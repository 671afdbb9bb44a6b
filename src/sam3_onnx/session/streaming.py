"""How are many pictures answered one after the other, so that the model never waits for files?

While the caller works on one result, the next picture is with the model and the one after that is being read.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, TypeVar

from sam3_onnx._support.checks import require_callbacks, require_pictures
from sam3_onnx.errors import CancelledError, ModelAnswerError, OptionError, PictureError, PromptError
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS, require_reading
from sam3_onnx.images.origins import load_picture
from sam3_onnx.session.heads.concepts import Question
from sam3_onnx.session.options import require_known
from sam3_onnx.session.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

    from typing_extensions import Unpack

    from sam3_onnx.images.loading import Picture
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.prompts.boxes import BoxesLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.session.heads.heads import Heads

__all__ = ["Answerer", "PictureFault", "QuestionOptions", "SessionStreams"]

AnyPicture = TypeVar("AnyPicture", bound="Picture")
Answerer: TypeAlias = "Callable[[LoadedPicture | Embedding, threading.Event | None, Stopwatch], Segmentation]"
"""What answers one question of any picture: given the picture, an event that stops it, and a stopwatch."""
PictureFault: TypeAlias = PictureError | PromptError | ModelAnswerError
"""What can be wrong with one picture, or with a question asked of just this one; others may be fine."""

_POLL_SECONDS = 0.02
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
    conf_threshold: float | None
    """Only scores above it, in 0..1."""
    cut_to_box: bool | None
    """Drop what of a mask lies outside its box."""
    nms: float | Literal[False] | None
    """Drop instances that overlap a better one by a higher mask IoU."""
    truncate: bool
    """Cut prompts that are too long."""


class SessionStreams(ABC):
    """Answers to many pictures."""

    _heads: Heads

    @property
    def fingerprint(self) -> str:
        """Names what answers depend on besides picture and question: the model's files, and the session's defaults.

        Raises:
            UnsupportedPromptError: The model takes clicks only.
        """
        return self._heads.for_concepts().fingerprint

    @abstractmethod
    def _answerer(self, question: Question) -> Answerer:
        """Checks a question, and answers it of any picture later."""

    def annotate(
        self,
        pictures: Iterable[AnyPicture],
        text: TextLike | None = None,
        *,
        on_error: Callable[[AnyPicture, PictureFault], None] | None = None,
        color: Literal["rgb", "bgr"] = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
        **options: Unpack[QuestionOptions],
    ) -> Generator[tuple[AnyPicture, Segmentation]]:
        """Asks one question of many pictures; the model works on the next while the caller uses a result.

        The question is checked at once, pictures are taken one by one as they are needed. Closing the iterator,
        or an error, stops what is being encoded.

        Args:
            pictures: Anything that `sam3_onnx.images.load_image` takes, each.
            text: As for `predict`.
            on_error: Called with a picture that cannot be read or answered, and why; the others go on. None
                to raise the error, which ends the iteration.
            color: Channel order of arrays.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread ends the iteration with CancelledError.
            **options: As for `predict`: boxes, marks, label, conf_threshold, cut_to_box, nms, truncate.

        Returns:
            Each picture, as it was given, with its result, in the order given.

        Raises:
            OptionError: `pictures` is one picture, or an option is out of its range.
            PromptError: A prompt cannot be used, or not by this family.
            PictureError: While iterating, without `on_error`: a picture cannot be used.
            ModelAnswerError: Likewise: NaN or infinity in the model's answer.
            CancelledError: While iterating: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        require_known(options, of=QuestionOptions)
        require_pictures(pictures)
        require_reading(color, max_pixels)
        require_callbacks(cancel)
        if on_error is not None and not callable(on_error):
            raise OptionError("on_error", expected="a function that takes a picture and an error", got=on_error)
        answer = self._answerer(Question(text, **options))

        def read(picture: AnyPicture, watch: Stopwatch) -> LoadedPicture:
            with watch.stage("read"):
                return load_picture(picture, color=color, max_pixels=max_pixels)

        return _stream(pictures, read, answer, on_error, cancel)


def _stream(
    pictures: Iterable[AnyPicture],
    read: Callable[[AnyPicture, Stopwatch], LoadedPicture],
    answer: Answerer,
    on_error: Callable[[AnyPicture, PictureFault], None] | None,
    cancel: threading.Event | None,
) -> Generator[tuple[AnyPicture, Segmentation]]:
    stop = threading.Event()
    waiting: deque[tuple[AnyPicture, Future[Segmentation]]] = deque()
    reader, model = ThreadPoolExecutor(1, "sam3-read"), ThreadPoolExecutor(1, "sam3-answer")

    def begin(picture: AnyPicture) -> None:
        watch = Stopwatch()
        pixels = reader.submit(read, picture, watch)
        waiting.append((picture, model.submit(lambda: answer(pixels.result(), stop, watch))))

    def oldest() -> Iterator[tuple[AnyPicture, Segmentation]]:
        picture, future = waiting.popleft()
        try:
            result = _result(future, cancel, stop)
        except (PictureError, PromptError, ModelAnswerError) as error:
            if on_error is None:
                raise
            on_error(picture, error)
        else:
            yield picture, result

    try:
        for picture in pictures:
            begin(picture)
            if len(waiting) > _IN_HAND:
                yield from oldest()
        while waiting:
            yield from oldest()
    finally:
        stop.set()
        for executor in (reader, model):
            executor.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Segmentation], cancel: threading.Event | None, stop: threading.Event) -> Segmentation:
    while cancel is not None and not wait([future], _POLL_SECONDS).done and not cancel.is_set():
        pass
    if cancel is not None and cancel.is_set():
        stop.set()
        raise CancelledError("annotating")
    return future.result()
