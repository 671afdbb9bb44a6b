"""Objects of one video that somebody points at, followed from frame to frame."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from sam3_onnx._support.checks import is_whole, require_callbacks, require_flag, require_label, require_whole
from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.errors import CancelledError, FrameIndexError, NoTracksError, OptionError, VideoClosedError
from sam3_onnx.images.frames.opening import open_frames
from sam3_onnx.results.instance import DEFAULT_EPSILON
from sam3_onnx.video.encoding import UncachedEncoder
from sam3_onnx.video.prompt import parse_prompt
from sam3_onnx.video.shelf import FileShelf
from sam3_onnx.video.tracking import VideoTracking
from sam3_onnx.video.tracks import Tracks

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterable
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from sam3_onnx.images.frames.opening import Backend, FramesLike
    from sam3_onnx.models.families.protocol import VideoTracker
    from sam3_onnx.prompts.boxes import BoxLike
    from sam3_onnx.prompts.clicks import PointsLike
    from sam3_onnx.video.encoding import FrameEncoder
    from sam3_onnx.video.frame import TrackedInstance, VideoFrame
    from sam3_onnx.video.prompt import FramePrompt, MaskLike

__all__ = ["Sam3VideoSession"]


@known_methods
class Sam3VideoSession:
    """A video with the objects that are followed in it.

    Made by `Sam3Session.video`. Use it as a context manager, or call `close`. Threads may share it; each frame is then
    done as a whole.
    """

    @known_keywords()
    def __init__(
        self,
        source: FramesLike,
        tracker: VideoTracker,
        *,
        encode: FrameEncoder | None = None,
        fps: float = 25.0,
        color: Literal["rgb", "bgr"] = "rgb",
        backend: Backend = "auto",
        epsilon: float = DEFAULT_EPSILON,
    ) -> None:
        """Opens a video; `Sam3Session.video` is the usual way.

        Args:
            source: As for `sam3_onnx.images.open_frames`.
            tracker: The graphs that follow objects.
            encode: Makes features of frames, each once if it has a cache; None to encode at each use.
            fps: Frames in a second of pictures; not of videos, which state their times.
            color: Channel order of arrays.
            backend: What reads video files.
            epsilon: Default simplification of polygons.

        Raises:
            VideoOpenError: It cannot be opened, or has no frame.
            OptionError: Another kind of source, or an option out of its range.
        """
        self._frames = open_frames(source, fps=fps, color=color, backend=backend)
        self._shelf = FileShelf() if self._frames.can_go_back else None
        self._tracks = Tracks(tracker.rules, self._shelf)
        self._tracking = VideoTracking(
            self._frames,
            self._tracks,
            tracker=tracker,
            encode=encode or UncachedEncoder(tracker),
            read=self._reread,
            epsilon=epsilon,
        )
        self._epsilon = epsilon
        self._lock = ForkSafeLock()
        self._closed = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of all frames in pixels."""
        return self._frames.size

    @property
    def tracks(self) -> dict[int, str]:
        """The label of each object, by its number."""
        return {track.id: track.label for track in self._tracks}

    @property
    def finished(self) -> list[int]:
        """Numbers of the frames that were gone through, in order; `result` has what was found on each."""
        return self._tracking.finished

    @known_keywords()
    def add(
        self,
        *,
        frame: int,
        points: PointsLike | None = None,
        point_labels: Iterable[int] | None = None,
        box: BoxLike | None = None,
        mask: MaskLike | None = None,
        label: str = "object",
    ) -> int:
        """Adds an object that is to be followed. It is looked for when `propagate` is called, and runs nothing yet.

        Args:
            frame: Number of the frame on which it is pointed at, from 0.
            points: (x, y) of each click in pixels of the frame.
            point_labels: For each click 1 on the object or 0 beside it; None for all on it.
            box: A box around the object: `Box`, or x1, y1, x2, y2 in pixels of the frame.
            mask: Its mask, in place of clicks and box: an array (H, W) of True and False, or an instance of an earlier
                result.
            label: What the object is called.

        Returns:
            The number of the object, for `correct` and `remove`, and as `track_id` of its instances.

        Raises:
            FrameIndexError: There is no such frame, or it went by.
            PromptError: A click or the box cannot be used, or nothing shows where the object is.
            MaskError: The mask is of another size, or empty.
            VideoDamagedError: The video is damaged before this frame.
            VideoClosedError: The video is closed.
        """
        require_label(label)
        with self._lock:
            prompt = self._parsed(frame, points, point_labels, box, mask)
            track = self._tracks.new(label)
            track.point(frame, prompt)
            self._tracks.add(track)
            return track.id

    @known_keywords()
    def correct(
        self,
        track_id: int,
        *,
        frame: int,
        points: PointsLike | None = None,
        point_labels: Iterable[int] | None = None,
        box: BoxLike | None = None,
        mask: MaskLike | None = None,
    ) -> None:
        """Points at an object on one more frame, or again on one; `propagate` then goes on from there.

        On a frame on which the object was followed, what is remembered of it is used beside the clicks. On another
        frame it is looked for as if it were new, and that frame counts as much as the first one.

        Args:
            track_id: What `add` returned.
            frame: As for `add`.
            points: As for `add`; they come in addition to those of this frame. Clicks beside the object alone will do
                on a frame on which it was followed.
            point_labels: As for `add`.
            box: As for `add`; it takes the place of an older one of this frame.
            mask: As for `add`; it takes the place of everything on this frame.

        Raises:
            UnknownTrackError: There is no such object, or it was removed.
            FrameIndexError: As for `add`.
            PromptError: As for `add`.
            MaskError: As for `add`.
            VideoClosedError: The video is closed.
        """
        with self._lock:
            self._require_open()
            track = self._tracks[track_id]
            track.point(frame, self._parsed(frame, points, point_labels, box, mask))

    @known_keywords()
    def preview(
        self,
        *,
        frame: int,
        points: PointsLike | None = None,
        point_labels: Iterable[int] | None = None,
        box: BoxLike | None = None,
        mask: MaskLike | None = None,
        track_id: int | None = None,
        label: str = "object",
        cancel: threading.Event | None = None,
    ) -> TrackedInstance | None:
        """Shows what `add` or `correct` would find on its frame; nothing is remembered.

        Args:
            frame: As for `add`.
            points: As for `add`.
            point_labels: As for `add`.
            box: As for `add`.
            mask: As for `add`.
            track_id: The object that would be corrected; None for a new one.
            label: What a new one would be called.
            cancel: Setting this event from another thread stops the call.

        Returns:
            The object; None if the model sees none there.

        Raises:
            Sam3Error: As `add` and `correct`.
            ModelAnswerError: No usable answer of the model.
            CancelledError: `cancel` was set.
        """
        require_label(label)
        require_callbacks(cancel)
        with self._lock:
            prompt = self._parsed(frame, points, point_labels, box, mask)
            track = self._tracks.new(label) if track_id is None else self._tracks[track_id]
            found = self._tracking.look_once(track, frame, track.refined(frame, prompt), cancel=cancel)
            return found.instance(track.id, track.label, self._epsilon)

    def remove(self, track_id: int) -> None:
        """Forgets an object and all that was found of it. Its number is not used again.

        Raises:
            UnknownTrackError: There is no such object, or it was removed.
            VideoClosedError: The video is closed.
        """
        with self._lock:
            self._require_open()
            self._tracks.remove(track_id)

    def result(self, frame: int) -> VideoFrame:
        """Returns what has been found on a frame so far.

        Raises:
            FrameIndexError: No propagation went through this frame.
        """
        if frame not in self.finished:
            expected = "a frame that was gone through"
            remedy = "video.finished lists them; video.propagate goes through frames."
            raise FrameIndexError(self._frames.name, frame, expected=expected, remedy=remedy)
        return self._tracking.frame(frame, {})

    @known_keywords()
    def propagate(
        self,
        *,
        start: int | None = None,
        until: int | None = None,
        reverse: bool = False,
        cancel: threading.Event | None = None,
    ) -> Generator[VideoFrame]:
        """Follows all objects from frame to frame, and yields each frame when it is done.

        An object is absent before the first frame on which somebody pointed at it, and backwards after the last one.
        What was found on a frame before is replaced. Whatever ends the iteration, the frames that were yielded stay.

        Args:
            start: The first frame; None for the first one on which somebody pointed at an object, backwards the last.
            until: The last frame, which is done too; None for the end of the video, backwards its beginning.
            reverse: Whether to go backwards.
            cancel: Setting this event from another thread ends the iteration with CancelledError.

        Returns:
            The frames, in the order in which they are gone through.

        Raises:
            NoTracksError: There is no object.
            FrameIndexError: There is no frame `start`, or it went by.
            OptionError: `until` lies before `start`, or an option is of another kind.
            FrameSizeError: While iterating: a frame has another size than the first one.
            VideoDamagedError: While iterating: the video is damaged.
            TrackMemoryError: While iterating: what is remembered of an earlier frame was lost.
            ModelAnswerError: While iterating: no usable answer of the model.
            CancelledError: While iterating: `cancel` was set.
            VideoClosedError: The video is closed.
        """
        require_flag("reverse", reverse)
        require_callbacks(cancel)
        for name, value in {"start": start, "until": until}.items():
            require_whole(name, value, least=0, none="for where it begins and ends by itself")
        with self._lock:
            self._require_open()
            pointed = [frame for track in self._tracks for frame in track.prompts]
            if not pointed:
                raise NoTracksError
            first = start if start is not None else max(pointed) if reverse else min(pointed)
            path = _path(first, until, reverse=reverse)
            self._frames.read(first)
        return self._propagated(path, reverse=reverse, cancel=cancel)

    def close(self) -> None:
        """Closes the video and forgets what is remembered; results that were returned stay."""
        with self._lock:
            self._closed = True
            self._frames.close()
            if self._shelf is not None:
                self._shelf.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _propagated(self, path: range, *, reverse: bool, cancel: threading.Event | None) -> Generator[VideoFrame]:
        with self._lock:
            self._require_open()
            self._tracking.answer_corrections(beside=path, reverse=reverse, cancel=cancel)
        for index in path:
            if cancel is not None and cancel.is_set():
                raise CancelledError(f"frame {index}", left="the frames before it are kept")
            with self._lock:
                self._require_open()
                may_end = index != path.start
                done = self._tracking.advance(index, may_end=may_end, reverse=reverse, cancel=cancel)
            if done is None:
                return
            yield done

    def _parsed(
        self,
        frame: int,
        points: PointsLike | None,
        point_labels: Iterable[int] | None,
        box: BoxLike | None,
        mask: MaskLike | None,
    ) -> FramePrompt:
        """Reads a prompt of a frame that is there."""
        self._require_open()
        if not is_whole(frame):
            raise OptionError("frame", expected="the number of a frame, from 0", got=frame)
        prompt = parse_prompt(points, point_labels, box, mask, size=self.size)
        self._frames.read(frame)
        return prompt

    def _reread(self, index: int) -> NDArray[np.uint8]:
        with self._lock:
            self._require_open()
            return self._frames.read(index).image

    def _require_open(self) -> None:
        if self._closed:
            raise VideoClosedError(self._frames.name)


def _path(first: int, until: int | None, *, reverse: bool) -> range:
    """Numbers of the frames of a propagation; a range without end has the largest one that there may be.

    Raises:
        OptionError: The last frame lies before the first one.
    """
    if until is not None and (until > first if reverse else until < first):
        side = "at or before" if reverse else "at or after"
        raise OptionError("until", expected=f"a frame {side} the first one, {first}", got=until)
    if reverse:
        return range(first, (until or 0) - 1, -1)
    return range(first, sys.maxsize if until is None else until + 1)
