"""Objects followed through the frames of a video, one frame at a time, each of them as a whole."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from sam3_onnx.errors import FrameIndexError, VideoError
from sam3_onnx.images.frames.origin import FrameOrigin
from sam3_onnx.images.origins import LoadedPicture, SeenPicture, picture_key
from sam3_onnx.results.segmentation import Segmentation
from sam3_onnx.video.encoding import Seconds
from sam3_onnx.video.frame import VideoFrame
from sam3_onnx.video.step import FrameStep
from sam3_onnx.video.tracks import finding_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.images.frames.frame import Frame, FrameSource
    from sam3_onnx.models.families.protocol import Recalled, VideoTracker
    from sam3_onnx.video.encoding import FrameEncoder
    from sam3_onnx.video.prompt import FramePrompt
    from sam3_onnx.video.tracks import Finding, Track, Tracks

__all__ = ["VideoTracking"]


class VideoTracking:
    """Does frames. For one thread at a time."""

    def __init__(
        self,
        frames: FrameSource,
        tracks: Tracks,
        *,
        tracker: VideoTracker,
        encode: FrameEncoder,
        read: Callable[[int], NDArray[np.uint8]],
        epsilon: float,
    ) -> None:
        """Does none yet.

        Args:
            frames: The video.
            tracks: The objects.
            tracker: The graphs that follow objects.
            encode: Makes features of frames.
            read: Reads a frame once more, for results that are drawn.
            epsilon: Default simplification of polygons.
        """
        self._frames, self._tracks = frames, tracks
        self._tracker, self._encode, self._rules = tracker, encode, tracker.rules
        self._read, self._epsilon = read, epsilon
        self._done: dict[int, tuple[float, SeenPicture]] = {}
        self._span: int | None = None

    @property
    def finished(self) -> list[int]:
        """Numbers of the frames that were done, in order."""
        return sorted(self._done)

    def frame(self, index: int, timings: Mapping[str, float]) -> VideoFrame:
        """Returns what was found on a frame that was done."""
        time, picture = self._done[index]
        findings = {track: track.findings[index] for track in self._tracks if index in track.findings}
        instances = [finding.instance(track.id, track.label, self._epsilon) for track, finding in findings.items()]
        seen = tuple(instance for instance in instances if instance is not None)
        labels = tuple(track.label for track in self._tracks)
        result = Segmentation(seen, self._frames.size, timings, picture, labels)
        return VideoFrame(index, time, result, {track.id: finding.track_score for track, finding in findings.items()})

    def advance(self, index: int, *, may_end: bool, reverse: bool, cancel: threading.Event | None) -> VideoFrame | None:
        """Does one frame of a propagation.

        Args:
            index: Number of the frame.
            may_end: Whether the video may end before it.
            reverse: Whether it goes backwards.
            cancel: Setting it stops a run.

        Returns:
            The frame; None behind the end of the video.
        """
        self._answer_pending(index, reverse=reverse, cancel=cancel)
        seconds = Seconds()
        try:
            with seconds.of("read"):
                frame = self._frames.read(index)
        except FrameIndexError:
            if may_end:
                return None
            raise
        tracks = [track for track in self._tracks if track.is_wanted_on(index, reverse=reverse)]
        self._look(frame, tracks, seconds, reverse=reverse, cancel=cancel)
        return self.frame(index, dict(seconds.spent))

    def answer_corrections(self, *, beside: range, reverse: bool, cancel: threading.Event | None) -> None:
        """Answers corrections that wait on frames that a propagation does not come to.

        Args:
            beside: The frames that it comes to.
            reverse: Whether it goes backwards.
            cancel: Setting it stops a run.
        """
        self._answer(
            {frame for track in self._tracks for frame in track.pending if frame not in beside},
            reverse=reverse,
            cancel=cancel,
        )

    def look_once(self, track: Track, index: int, prompt: FramePrompt, *, cancel: threading.Event | None) -> Finding:
        """Finds one object on one frame; nothing is kept."""
        recalled = self._recalled(track, index, prompt, reverse=False)
        step, _ = self._step(self._frames.read(index), cancel)
        return finding_of(step.find(prompt, recalled).reading, self._frames.size)

    def _answer_pending(self, index: int, *, reverse: bool, cancel: threading.Event | None) -> None:
        """Answers all prompts of other frames that make conditioning frames: memory of them is used everywhere."""
        frames = {frame for track in self._tracks for frame in track.pending if not track.bank.was_followed(frame)}
        self._answer(frames - {index}, reverse=reverse, cancel=cancel)

    def _answer(self, frames: set[int], *, reverse: bool, cancel: threading.Event | None) -> None:
        for index in sorted(frames):
            tracks = [track for track in self._tracks if index in track.pending]
            self._look(self._frames.read(index), tracks, Seconds(), reverse=reverse, cancel=cancel)

    def _look(
        self, frame: Frame, tracks: list[Track], seconds: Seconds, *, reverse: bool, cancel: threading.Event | None
    ) -> None:
        """Finds some objects on one frame, and keeps what it leaves of each once all are done."""
        index = frame.index
        if not tracks:
            self._done[index] = frame.time, SeenPicture(picture_key(frame.image), self._origin(index))
            return
        recalls = [self._recalled(track, index, track.prompts.get(index), reverse=reverse) for track in tracks]
        with seconds.of("image"):
            step, picture = self._step(frame, cancel)
        # As in transformers, one object that was pointed at hardens the masks of all others on the same frame.
        hard = any(index in track.prompts for track in self._tracks)
        kept = []
        with seconds.of("track"):
            for track, recalled in zip(tracks, recalls, strict=True):
                found = step.find(track.prompts.get(index), recalled)
                kept.append((track, step.remember(found, hard=hard), finding_of(found.reading, self._frames.size)))
        for track, remembered, finding in kept:
            track.keep(index, remembered, finding)
        self._done[index] = frame.time, picture

    def _step(self, frame: Frame, cancel: threading.Event | None) -> tuple[FrameStep, SeenPicture]:
        picture = LoadedPicture(frame.image, self._origin(frame.index))
        embedding = self._encode(picture, cancel=cancel)
        step = FrameStep(self._tracker, embedding.arrays(), size=picture.size, cancel=cancel)
        return step, embedding.picture or SeenPicture(picture_key(frame.image), picture.origin)

    def _recalled(self, track: Track, index: int, prompt: FramePrompt | None, *, reverse: bool) -> Recalled | None:
        """What is remembered of an object; None where somebody points at it anew, or a mask says all."""
        if prompt is not None and (prompt.mask is not None or not track.bank.was_followed(index)):
            return None
        return track.bank.recall(index, reverse=reverse, span=self._frames_to_age())

    def _frames_to_age(self) -> int:
        """Frames of the video, as many as pointers at most, by which the ages of pointers are measured."""
        if self._span is None:
            most = self._rules.pointers
            self._span = _counted(self._frames, most) if self._frames.can_go_back else most
        return self._span

    def _origin(self, index: int) -> FrameOrigin:
        return FrameOrigin(self._frames.name, index, self._read)


def _counted(frames: FrameSource, most: int) -> int:
    """Counts frames, up to some number; those behind damage are not there."""
    counted = 0
    try:
        for _ in islice(frames, most):
            counted += 1
    except VideoError:
        return max(counted, 1)
    return counted
