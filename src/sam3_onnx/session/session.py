"""A SAM 3 model ready for questions: encode, cache, prompt, decode, result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from sam3_onnx._support.checks import require_callable, require_callbacks, require_label
from sam3_onnx._support.keywords import known_keywords, known_methods, require_known
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS, require_pictures, require_reading
from sam3_onnx.images.origins import load_picture
from sam3_onnx.results.embedding import Embedding
from sam3_onnx.results.object import ObjectSegmentation
from sam3_onnx.session.heads.clicks import ClickHead
from sam3_onnx.session.heads.concepts import ConceptHead, Question
from sam3_onnx.session.heads.video import VideoHead
from sam3_onnx.session.opening import OpenSession
from sam3_onnx.session.stopwatch import Stopwatch
from sam3_onnx.session.streaming import QuestionOptions, stream

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterable, Mapping

    from typing_extensions import Unpack

    from sam3_onnx.images.frames.opening import Backend, FramesLike
    from sam3_onnx.images.loading import Picture
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.prompts.boxes import BoxesLike, BoxLike
    from sam3_onnx.prompts.clicks import PointsLike
    from sam3_onnx.prompts.marks import MarksLike
    from sam3_onnx.prompts.words import TextLike
    from sam3_onnx.results.segmentation import Segmentation
    from sam3_onnx.session.encoding.prefetching import Prefetch
    from sam3_onnx.session.heads.heads import Purpose
    from sam3_onnx.session.stopwatch import Stage
    from sam3_onnx.session.streaming import Answerer, AnyPicture, PictureFault
    from sam3_onnx.video.session import Sam3VideoSession

__all__ = ["Sam3Session"]

_Color: TypeAlias = Literal["rgb", "bgr"]
_CLICKS_ELSEWHERE = "One object is cut out by clicks with predict_object(image, points)."


@known_methods
class Sam3Session(OpenSession):
    """A loaded model with its embedding cache.

    Made by `from_pretrained`, `from_folder`, `from_files` or `from_config`. Threads may
    share a session. Use it as a context manager, or call `close`, to unload the weights.
    """

    @property
    def fingerprint(self) -> str:
        """Names what answers depend on besides picture and question: files, defaults, and coarse precisions.

        Raises:
            UnsupportedPromptError: The model takes clicks only.
        """
        return self._heads.require(ConceptHead).fingerprint

    @known_keywords()
    def encode(
        self,
        image: Picture,
        *,
        purpose: Purpose | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
    ) -> Embedding:
        """Runs the image encoder on a picture, unless the cache has its answer.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes.
            purpose: Which encoder runs where a tracker lies beside the export of concepts: the one
                for `predict`, or the one for `predict_object`. None for `predict`'s if there is one.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread stops the call.

        Returns:
            The embedding, which `predict` or `predict_object` takes in place of the picture.

        Raises:
            UnsupportedPromptError: There is no encoder for this purpose.
            PictureError: The picture cannot be used.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        embedder = self._heads.embedder(purpose)
        require_callbacks(cancel)
        watch = Stopwatch()
        picture = self._read(image, color, max_pixels, watch)
        return embedder.embed(picture, cancel=cancel, watch=watch)

    @known_keywords()
    def prefetch(
        self,
        pictures: Iterable[Picture],
        *,
        purpose: Purpose | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
    ) -> Prefetch:
        """Reads and encodes pictures in the background, for questions that come later; returns at once.

        The newest list counts: it takes the place of an older one, whose picture in hand is finished only
        if the new list holds it too (the same path, or the same pixels) or a call waits for it. A call that
        needs an image encoder has right of way: what is being encoded stops and begins anew afterwards. One
        that asks for just that picture waits for it instead.

        The picture that a call used last and those of the list that are in the cache already are not
        dropped from it. Where the next one does not fit beside them, the list ends.

        Args:
            pictures: Anything that `load_image` takes, the most important first; none to call the older list off.
                The iterable is run through at once.
            purpose: As for `encode`.
            color: Channel order of arrays.
            max_pixels: Guard against decompression bombs; None for none.

        Returns:
            How far it has come. What cannot be read is noted there, and the rest goes on.

        Raises:
            OptionError: `pictures` is one picture, or an option is out of range.
            UnsupportedPromptError: There is no encoder for this purpose.
            SessionClosedError: The session is closed.
        """
        self._require_open()
        embedder = self._heads.embedder(purpose)
        return self._ahead.begin(pictures, embedder=embedder, color=color, max_pixels=max_pixels)

    @known_keywords(points=_CLICKS_ELSEWHERE, point_labels=_CLICKS_ELSEWHERE)
    def predict(  # noqa: PLR0913 - keyword-only options of one question
        self,
        image: Picture | Embedding,
        text: TextLike | None = None,
        *,
        boxes: BoxesLike | None = None,
        marks: MarksLike | None = None,
        label: str | None = None,
        conf_threshold: float | Mapping[str, float] | None = None,
        cut_to_box: bool | None = None,
        nms: float | Literal[False] | None = None,
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        truncate: bool = False,
        cancel: threading.Event | None = None,
        progress: Callable[[Stage], None] | None = None,
    ) -> Segmentation:
        """Finds every instance of some words, of what is like some boxes, or of both.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes, or an embedding of this model.
            text: "person, truck", a list of prompts taken as they are, or {prompt: label}.
            boxes: Examples in pixels of the picture: `Box`, or x1, y1, x2, y2 for positive ones. With words
                they go with every word; alone they ask for everything like it.
            marks: Boxes in X-AnyLabeling's form, beside `boxes`.
            label: What results of boxes without words are called; "object" by default.
            conf_threshold: Only scores above it, in 0..1; {word: threshold} for words of their own, by prompt or
                label; None for the session's.
            cut_to_box: Drop what of a mask lies outside its (slightly grown) box, and instances of
                which nothing is left; None for what the bundle recommends, off as a rule.
            nms: Drop instances whose mask overlaps a better one's with a higher IoU than this; False
                for off, None for what the bundle recommends, off as a rule.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            truncate: Cut prompts that are longer than the model's context rather than refuse them.
            cancel: Setting this event from another thread stops the call.
            progress: Called with the name of each stage as it begins.

        Returns:
            The instances by prompt in the order given, within it by falling score.

        Raises:
            PictureError: The picture cannot be used.
            PromptError: A prompt cannot be used, or not by this family.
            OptionError: A threshold outside 0..1, or at which this family cannot answer.
            EmbeddingError: The embedding is another model's.
            ModelAnswerError: NaN, another shape or an error inside ONNX Runtime instead of an answer.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        require_callbacks(cancel, progress)
        answer = self._answerer(Question(text, boxes, marks, label, conf_threshold, cut_to_box, nms, truncate))
        watch = Stopwatch(progress)
        return answer(self._read(image, color, max_pixels, watch), cancel, watch)

    def annotate(
        self,
        pictures: Iterable[AnyPicture],
        text: TextLike | None = None,
        *,
        on_error: Callable[[AnyPicture, PictureFault], None] | None = None,
        color: _Color = "rgb",
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
            ModelAnswerError: Likewise: no usable answer of the model.
            CancelledError: While iterating: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        own = ("pictures", "text", "on_error", "color", "max_pixels", "cancel")
        require_known(options, QuestionOptions.__annotations__, also=own, elsewhere=_CLICKS_ELSEWHERE)
        require_pictures(pictures)
        require_reading(color, max_pixels)
        require_callbacks(cancel)
        require_callable("on_error", on_error, takes="a picture and an error")
        answer = self._answerer(Question(text, **options))
        read = partial(load_picture, color=color, max_pixels=max_pixels, keep=self._keep_pictures)
        return stream(pictures, read, answer, on_error=on_error, cancel=cancel)

    @known_keywords()
    def predict_object(  # noqa: PLR0913 - keyword-only options of one question
        self,
        image: Picture | Embedding | ObjectSegmentation,
        points: PointsLike | None = None,
        point_labels: Iterable[int] | None = None,
        *,
        box: BoxLike | None = None,
        label: str = "object",
        color: _Color = "rgb",
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
        cancel: threading.Event | None = None,
        progress: Callable[[Stage], None] | None = None,
    ) -> ObjectSegmentation:
        """Cuts out the one object that clicks or a box point at.

        Args:
            image: Anything that `sam3_onnx.images.load_image` takes, an embedding made with
                `encode(image, purpose="clicks")`, or a previous answer: its clicks and its box stay,
                the new ones are added (a new box takes the old one's place), and nothing is encoded.
            points: (x, y) of each click in pixels of the picture.
            point_labels: For each click 1 on the object or 0 beside it; None for all on it.
            box: A box around the object: `Box`, or x1, y1, x2, y2 in pixels of the picture.
            label: What the object is called.
            color: Channel order of an array.
            max_pixels: Guard against decompression bombs; None for none.
            cancel: Setting this event from another thread stops the call.
            progress: Called with the name of each stage as it begins.

        Returns:
            What the object may be: candidates with the IoU that the model expects of each, best first.

        Raises:
            UnsupportedPromptError: The model has no tracker head.
            PictureError: The picture cannot be used.
            PromptError: A click or the box cannot be used, or there is none on the object.
            EmbeddingError: The embedding or previous answer is another model's.
            ModelAnswerError: NaN, another shape or an error inside ONNX Runtime instead of an answer.
            CancelledError: `cancel` was set.
            SessionClosedError: The session is closed.
        """
        finder = self._heads.require(ClickHead)
        require_callbacks(cancel, progress)
        require_label(label)
        watch = Stopwatch(progress)
        picture = image if isinstance(image, ObjectSegmentation) else self._read(image, color, max_pixels, watch)
        self._require_open()
        return finder.answer(
            picture, points=points, point_labels=point_labels, box=box, label=label, cancel=cancel, watch=watch
        )

    @known_keywords()
    def video(
        self, source: FramesLike, *, fps: float = 25.0, color: _Color = "rgb", backend: Backend = "auto"
    ) -> Sam3VideoSession:
        """Opens a video, in which objects that somebody points at are followed.

        Frames are encoded as pictures are: through the cache, each once.

        Args:
            source: The path of a video or of a folder of pictures; the number of a camera; pictures in order, or one
                array (N, H, W, 3).
            fps: Frames in a second of pictures; not of videos, which state their times.
            color: Channel order of arrays.
            backend: What reads video files: "opencv", "pyav", or "auto" for PyAV where it is installed.

        Raises:
            UnsupportedPromptError: The model follows no objects.
            VideoOpenError: It cannot be opened, or has no frame.
            OptionError: Another kind of source, or an option out of its range.
            SessionClosedError: The session is closed.
        """
        head = self._heads.require(VideoHead)
        self._require_open()
        return head.open(source, fps=fps, color=color, backend=backend)

    def _read(
        self, image: Picture | Embedding, color: _Color, max_pixels: int | None, watch: Stopwatch
    ) -> LoadedPicture | Embedding:
        self._require_open()
        if isinstance(image, Embedding):
            return image
        with watch.stage("read"):
            return load_picture(image, color=color, max_pixels=max_pixels, keep=self._keep_pictures)

    def _answerer(self, question: Question) -> Answerer:
        concepts = self._heads.require(ConceptHead)
        asked = concepts.check(question)

        def answer(
            picture: LoadedPicture | Embedding, cancel: threading.Event | None, watch: Stopwatch
        ) -> Segmentation:
            self._require_open()
            return concepts.answer(picture, asked, cancel=cancel, watch=watch)

        return answer
