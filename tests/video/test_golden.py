"""A small model of random weights follows objects as transformers does, frame by frame; see `make_video`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.video.memory import MemoryBank
from tests.support.places import VIDEO
from tests.support.video_cases import CASES, HEIGHT, WIDTH, Point, things

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Recalled
    from sam3_onnx.models.runtime.settings import RuntimeSettings
    from sam3_onnx.video import Sam3VideoSession, VideoFrame
    from tests.support.video_cases import Case

LEAST_IOU, LARGEST_DIFFERENCE = 0.999, 1e-4
"""Of masks and of scores. transformers keeps memories in bfloat16, the library in float16."""


@pytest.fixture(scope="module")
def session(settings: RuntimeSettings) -> Iterator[Sam3Session]:
    """The golden bundle, with features of frames as the graphs answer them."""
    opened = Sam3Session.from_folder(
        VIDEO / "bundle", provider=settings.provider, precision="float32", feature_precision="exact"
    )
    with opened:
        yield opened


def point_at(video: Sam3VideoSession, point: Point, tracks: dict[int, int]) -> None:
    """Does to a video what the reference was done to."""
    _, masks = things()
    mask = None if point.thing is None else masks[point.frame][point.thing]
    points, labels = point.points or None, point.labels or None
    if point.track in tracks:
        track = tracks[point.track]
        video.correct(track, frame=point.frame, points=points, point_labels=labels, box=point.box, mask=mask)
    else:
        tracks[point.track] = video.add(frame=point.frame, points=points, point_labels=labels, box=point.box, mask=mask)


def followed(session: Sam3Session, case: Case) -> tuple[dict[int, VideoFrame], dict[int, int]]:
    """What the library finds: frames by number, and our number of each object by the reference's."""
    tracks: dict[int, int] = {}
    with session.video(things()[0]) as video:
        for deed in case.deeds:
            if isinstance(deed, Point):
                point_at(video, deed, tracks)
            else:
                list(video.propagate(start=deed.start, until=deed.until, reverse=deed.reverse))
        return {index: video.result(index) for index in case.seen}, tracks


def mask_of(frame: VideoFrame, track: int) -> NDArray[np.bool_]:
    """The mask of an object on a frame, empty where it is not to be seen."""
    masks = [instance.mask for instance in frame.result if getattr(instance, "track_id", None) == track]
    return masks[0] if masks else np.zeros((HEIGHT, WIDTH), np.bool_)


def mask_in(reference: Mapping[str, NDArray[Any]], key: str) -> NDArray[np.bool_]:
    """The mask of an object on a frame as transformers found it."""
    return np.unpackbits(reference[f"{key}/mask"], count=HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) > 0


def compared(session: Sam3Session, name: str) -> Iterator[tuple[str, float, float]]:
    """Yields for each object on each frame a name, the IoU of the two masks and the difference of the two scores."""
    frames, tracks = followed(session, CASES[name])
    with np.load(VIDEO / "ref.npz") as reference:
        for index, frame in frames.items():
            for theirs, ours in tracks.items():
                key = f"{name}/{index}/{theirs}"
                if f"{key}/score" not in reference:
                    assert ours not in frame.track_scores, key
                    continue
                wanted, found = mask_in(reference, key), mask_of(frame, ours)
                union = np.count_nonzero(wanted | found)
                iou = np.count_nonzero(wanted & found) / union if union else 1.0
                yield key, iou, abs(frame.track_scores[ours] - float(reference[f"{key}/score"]))


@pytest.mark.parametrize("name", CASES)
def test_objects_are_followed_as_transformers_follows_them(session: Sam3Session, name: str) -> None:
    answers = list(compared(session, name))
    assert len(answers) >= len(CASES[name].seen)
    for key, iou, difference in answers:
        assert iou >= LEAST_IOU, key
        assert difference <= LARGEST_DIFFERENCE, key


@pytest.mark.parametrize("name", ["clicks", "masks", "late", "backwards"])
def test_answers_depend_on_memory(session: Sam3Session, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recall = MemoryBank.recall

    def forget(bank: MemoryBank, frame: int, *, reverse: bool, span: int) -> Recalled:
        recalled = recall(bank, frame, reverse=reverse, span=span)
        return replace(recalled, memories=np.zeros_like(recalled.memories))

    monkeypatch.setattr(MemoryBank, "recall", forget)
    assert max(difference for _, _, difference in compared(session, name)) > 50 * LARGEST_DIFFERENCE


def test_golden_objects_come_and_go_and_never_fill_a_frame() -> None:
    with np.load(VIDEO / "ref.npz") as reference:
        keys = [key.removesuffix("/score") for key in reference if key.endswith("/score")]
        seen = [key for key in keys if reference[f"{key}/score"] > 0.5]
        shares = [mask_in(reference, key).mean() for key in seen]
    assert {key.split("/")[0] for key in seen} == set(CASES)
    assert len(keys) / 2 < len(seen) < len(keys)
    assert min(shares) > 0.005
    assert max(shares) < 0.9


def test_no_frame_is_encoded_twice_whatever_is_corrected(settings: RuntimeSettings) -> None:
    with Sam3Session.from_folder(VIDEO / "bundle", provider=settings.provider) as session:
        for name in ("corrected", "corrected_backwards", "both_ways"):
            followed(session, CASES[name])
        assert session.graphs["image_encoder"].runs == len(things()[0])
