"""Which tracks are kept, hidden on a frame, or removed for good."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sam3_onnx.video.rules.association import Association
    from sam3_onnx.video.rules.constants import TrackingRules
    from sam3_onnx.video.rules.tracks import Track

__all__ = ["Keeping", "keep_tracks"]


@dataclass(frozen=True)
class Keeping:
    """What becomes of the tracks that there were before a frame."""

    counted: tuple[Track, ...]
    """All of them, in order, with their counts after the frame."""
    removed: frozenset[int]
    """Ids of those that the frame removes."""
    hidden: frozenset[int]
    """Ids of those that stay, but are not shown on this frame."""


def keep_tracks(
    tracks: Sequence[Track], found: Association, frame: int, rules: TrackingRules, *, reverse: bool, live: bool
) -> Keeping:
    """Counts matched and unmatched frames, and draws the conclusions; `_process_hotstart` in transformers.

    A young track is removed that was unmatched too often, or that shared its detections with an older track too
    often: then one thing has two tracks.

    Args:
        tracks: All that there were.
        found: What belongs to them on this frame.
        frame: Its number.
        rules: Thresholds.
        reverse: Whether frames are followed backwards.
        live: Whether results are shown at once. Then nothing is removed nor hidden, as a later frame may match.
    """
    matched = frozenset(track for ids in found.matched for track in ids)
    repeats = _repeats(tracks, found, reverse=reverse)
    counted = tuple(_counted(track, found, matched, repeats, rules) for track in tracks)
    if live:
        return Keeping(counted, frozenset(), frozenset())
    removed = frozenset(
        track.id
        for track in counted
        if track.is_young(frame, rules.hotstart_delay, reverse=reverse) and _is_doubtful(track, rules)
    )
    hidden = frozenset(track.id for track in counted if _is_hidden(track, rules)) - removed
    return Keeping(counted, removed, hidden)


def _counted(
    track: Track,
    found: Association,
    matched: frozenset[int],
    repeats: Counter[tuple[int, int]],
    rules: TrackingRules,
) -> Track:
    alive = track.keep_alive
    if track.id in matched:
        alive = min(rules.max_trk_keep_alive, alive + 1)
    if track.id in found.unmatched:  # may be so of a matched track, too: two thresholds
        alive = max(rules.min_trk_keep_alive, alive - 1)
    if track.id in found.empty and rules.decrease_trk_keep_alive_for_empty_masklets:
        alive = max(rules.min_trk_keep_alive, alive - 1)
    shared = Counter(track.shared)
    shared.update({older: count for (older, younger), count in repeats.items() if younger == track.id})
    return replace(
        track,
        keep_alive=alive,
        unmatched=track.unmatched + (track.id in found.unmatched),
        shared=shared,
    )


def _repeats(tracks: Sequence[Track], found: Association, *, reverse: bool) -> Counter[tuple[int, int]]:
    """Counts, by (older id, younger id), the detections of this frame that two tracks share."""
    first_frames = {track.id: track.first_frame for track in tracks}

    def pairs() -> Iterator[tuple[int, int]]:
        for ids in found.matched:
            if len(ids) > 1:
                oldest = (max if reverse else min)(ids, key=first_frames.__getitem__)
                yield from ((oldest, track) for track in ids if track != oldest)

    return Counter(pairs())


def _is_doubtful(track: Track, rules: TrackingRules) -> bool:
    """Whether a young track has to go."""
    is_unmatched = track.unmatched > 0 and track.unmatched >= rules.hotstart_unmatch_thresh
    return is_unmatched or any(count >= rules.hotstart_dup_thresh for count in track.shared.values())


def _is_hidden(track: Track, rules: TrackingRules) -> bool:
    """Whether a track is not shown: it was unmatched once at least, and its count has run out."""
    return not rules.suppress_unmatched_only_within_hotstart and track.unmatched > 0 and track.keep_alive <= 0
