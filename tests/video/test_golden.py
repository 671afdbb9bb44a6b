"""A small model of random weights follows objects as transformers does, frame by frame; see `make_video`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.models.families.answers import ask, floats
from sam3_onnx.models.families.native import NativeFamily
from tests.support.places import VIDEO
from tests.support.video_cases import CASES, HEIGHT, WIDTH, Point, things

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sam3_onnx.models.families.protocol import Arrays
    from sam3_onnx.models.runtime.settings import RuntimeSettings
    from sam3_onnx.video import Sam3VideoSession, VideoFrame
    from tests.support.video_cases import Case

CLOSE = (0.999, 1e-4)
"""Least IoU of masks, and largest difference of scores."""
RESTLESS = dict.fromkeys(("boxes", "pointed_at_again", "late", "backwards", "corrected_backwards"), (0.994, 4e-3))
"""Cases in which random weights make much of the last bit of a number."""


class RoundingFamily(NativeFamily):
    """Keeps memories in bfloat16, as transformers does; the library keeps three bits more."""

    def memorise(
        self,
        picture: Arrays,
        logits: NDArray[np.float32],
        *,
        object_logit: float,
        hard: bool,
        cancel: threading.Event | None,
    ) -> NDArray[np.float16]:
        feeds = {
            "click_2": picture["click_2"],
            "masks": logits[None, None],
            "object_logits": np.array([[object_logit]], np.float32),
            "from_points": np.array(hard),
        }
        (memory,) = ask(self.models["memory_encoder"], {"memory": floats(1, "?", "?", "?")}, feeds, cancel=cancel)
        bits = np.ascontiguousarray(memory[0], np.float32).view(np.uint32)
        bits = (bits + ((bits >> 16) & 1) + 0x7FFF) & np.uint32(0xFFFF0000)
        kept: NDArray[np.float16] = bits.view(np.float32).astype(np.float16)
        return kept


@pytest.fixture(scope="module")
def session(settings: RuntimeSettings) -> Iterator[Sam3Session]:
    """The golden bundle, with features of frames as the graphs answer them."""
    opened = Sam3Session.from_folder(
        VIDEO / "bundle", provider=settings.provider, precision="float32", feature_precision="exact"
    )
    with opened, pytest.MonkeyPatch.context() as patch:
        patch.setattr(NativeFamily, "memorise", RoundingFamily.memorise)
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


@pytest.mark.parametrize("name", CASES)
def test_objects_are_followed_as_transformers_follows_them(session: Sam3Session, name: str) -> None:
    frames, tracks = followed(session, CASES[name])
    least_iou, largest_difference = RESTLESS.get(name, CLOSE)
    compared = 0
    with np.load(VIDEO / "ref.npz") as reference:
        for index, frame in frames.items():
            for theirs, ours in tracks.items():
                key = f"{name}/{index}/{theirs}"
                if f"{key}/score" not in reference:
                    assert ours not in frame.track_scores, key
                    continue
                bits = np.unpackbits(reference[f"{key}/mask"], count=HEIGHT * WIDTH)
                wanted, found = bits.reshape(HEIGHT, WIDTH) > 0, mask_of(frame, ours)
                union = np.count_nonzero(wanted | found)
                assert not union or np.count_nonzero(wanted & found) / union >= least_iou, key
                assert abs(frame.track_scores[ours] - float(reference[f"{key}/score"])) <= largest_difference, key
                compared += 1
    assert compared >= len(frames)


def test_no_frame_is_encoded_twice_whatever_is_corrected(settings: RuntimeSettings) -> None:
    with Sam3Session.from_folder(VIDEO / "bundle", provider=settings.provider) as session:
        for name in ("corrected", "corrected_backwards", "both_ways"):
            followed(session, CASES[name])
        assert session.graphs["image_encoder"].runs == len(things()[0])
