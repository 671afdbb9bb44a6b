"""One frame of following: detections and propagated masks in, what to show, to remember and to remove out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sam3_onnx.errors import OptionError
from sam3_onnx.video.rules.association import associate
from sam3_onnx.video.rules.cleaning import cleaned
from sam3_onnx.video.rules.keeping import keep_tracks
from sam3_onnx.video.rules.occlusion import yield_to_visible
from sam3_onnx.video.rules.plan import FramePlan, Memory, NewTrack, ShownTrack
from sam3_onnx.video.rules.planes import Plane
from sam3_onnx.video.rules.remembering import corrected, without_shrunk
from sam3_onnx.video.rules.tracks import Track, Tracks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sam3_onnx.video.rules.association import Association
    from sam3_onnx.video.rules.constants import TrackingRules
    from sam3_onnx.video.rules.detections import Detection
    from sam3_onnx.video.rules.plan import Propagated

__all__ = ["follow_frame"]

_PRESENT = 10.0
"""Object logit by which a track with a mask is remembered; its negative for an empty mask."""


def follow_frame(
    tracks: Tracks,
    frame: int,
    detections: Sequence[Detection],
    propagated: Sequence[Propagated],
    rules: TrackingRules,
    *,
    reverse: bool = False,
    live: bool = False,
) -> FramePlan:
    """Applies all rules to one frame; `_det_track_one_frame` in transformers 5.24, without its models.

    It differs from transformers on frames that remove a track: there, transformers pairs the masks with the ids
    that are left after the removal, so that masks and tracker scores are given to tracks that they do not belong
    to (`build_outputs`). Here each stays with its own track, as in Meta's program.

    Args:
        tracks: All tracks after the frame before; `Tracks()` at first.
        frame: Number of the frame, from 0.
        detections: What was found on it, of all words; see `select_detections`.
        propagated: What the tracker says of each of `tracks`, in order.
        rules: Constants and choices.
        reverse: Whether frames are followed backwards.
        live: Whether results are shown at once; nothing is removed nor hidden then (`streaming` in transformers).

    Returns:
        What follows. Nothing was changed: a frame that is given up half-way leaves no trace.

    Raises:
        OptionError: There are more or fewer propagated masks than tracks, or masks of different sizes.
    """
    before = tracks.present
    _require_fitting(before, detections, propagated)
    masks = [cleaned(Plane(answer.logits), rules.fill_hole_area) for answer in propagated]
    found = associate(detections, before, masks, rules)
    chosen = _within_limit(found.new, detections, rules.max_num_objects - len(before))
    new = [_begun(tracks.next_id + count, detections[place], frame, rules) for count, place in enumerate(chosen)]
    keeping = keep_tracks(before, found, frame, rules, reverse=reverse, live=live)
    confirmed = _confirmed(found, before, propagated, frame, rules)
    seen, masks = yield_to_visible(keeping.counted, masks, keeping.removed, frame, rules, reverse=reverse)
    remembered = _remembered(before, masks, detections, confirmed, rules)
    staying = [place for place, track in enumerate(seen) if track.id not in keeping.removed]
    shown = [
        _shown(seen[place], masks[place], propagated[place], _shown_correction(confirmed.get(place), detections, rules))
        for place in staying
        if seen[place].id not in keeping.hidden
    ]
    return FramePlan(
        tracks=Tracks(
            (*(seen[place] for place in staying), *(begun.track for begun in new)), tracks.next_id + len(new)
        ),
        new=tuple(new),
        memories=tuple(_memory(seen[place].id, remembered[place], place in confirmed) for place in staying),
        removed=keeping.removed,
        hidden=keeping.hidden,
        shown=(
            *shown,
            *(_shown_new(begun, detections[place], rules) for begun, place in zip(new, chosen, strict=True)),
        ),
        repeat_memories=bool(new) and rules.repeat_memories,
    )


def _require_fitting(
    tracks: Sequence[Track], detections: Sequence[Detection], propagated: Sequence[Propagated]
) -> None:
    if len(propagated) != len(tracks):
        raise OptionError("propagated", expected=f"one mask for each of {len(tracks)} tracks", got=len(propagated))
    sizes = {answer.logits.shape for answer in propagated} | {found.plane.logits.shape for found in detections}
    if len(sizes) > 1:
        raise OptionError("masks", expected="detections and tracks in one size", got=", ".join(map(str, sorted(sizes))))


def _within_limit(new: Sequence[int], detections: Sequence[Detection], room: int) -> Sequence[int]:
    """Returns the new detections that there is room for: the best ones, if not all."""
    if len(new) <= room:
        return new
    return sorted(new, key=lambda place: -detections[place].score)[: max(room, 0)]


def _begun(track_id: int, detection: Detection, frame: int, rules: TrackingRules) -> NewTrack:
    track = Track(track_id, detection.prompt, detection.score, frame, keep_alive=rules.init_trk_keep_alive)
    return NewTrack(track, detection.plane.logits >= rules.new_mask_logit)


def _confirmed(
    found: Association,
    tracks: Sequence[Track],
    propagated: Sequence[Propagated],
    frame: int,
    rules: TrackingRules,
) -> dict[int, int]:
    """Returns, by the place of each track that the frame confirms, the place of the detection that does it."""
    if rules.recondition_every_nth_frame == 0 or frame % rules.recondition_every_nth_frame:
        return {}
    return {
        place: found.confirmed[track.id]
        for place, track in enumerate(tracks)
        if track.id in found.confirmed and propagated[place].object_logit > rules.high_conf_thresh
    }


def _remembered(
    tracks: Sequence[Track],
    masks: Sequence[Plane],
    detections: Sequence[Detection],
    confirmed: Mapping[int, int],
    rules: TrackingRules,
) -> list[Plane]:
    """Returns what each track is remembered by."""
    chosen = list(masks)
    if not rules.recondition_on_trk_masks:
        for place, detection in confirmed.items():
            chosen[place] = corrected(detections[detection].plane, rules)
    return without_shrunk(chosen, [track.prompt for track in tracks], rules)


def _memory(track_id: int, plane: Plane, is_conditioning: bool) -> Memory:  # noqa: FBT001 - private, named at its call
    return Memory(track_id, plane.logits, -_PRESENT if plane.is_empty else _PRESENT, is_conditioning)


def _shown_correction(place: int | None, detections: Sequence[Detection], rules: TrackingRules) -> Plane | None:
    """Returns the detection that is shown instead of the mask of the track that it confirms."""
    return detections[place].plane if place is not None and rules.show_corrections else None


def _shown(track: Track, mask: Plane, answer: Propagated, correction: Plane | None) -> ShownTrack:
    certainty = 1 / (1 + math.exp(-max(-80.0, answer.object_logit)))  # beyond -80 it is 0 in float32
    return ShownTrack(track.id, track.prompt, track.score, certainty, (correction or mask).logits)


def _shown_new(begun: NewTrack, detection: Detection, rules: TrackingRules) -> ShownTrack:
    track = begun.track
    plane = cleaned(detection.plane, rules.fill_hole_area)
    return ShownTrack(track.id, track.prompt, track.score, track.score, plane.logits)
