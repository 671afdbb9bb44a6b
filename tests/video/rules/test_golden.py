"""The rules beside recorded answers of transformers."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.support.places import DATA
from tests.support.scripted_tracks import Script, follow, outline

RUNS: dict[str, list[dict[str, Any]]] = json.loads(
    gzip.decompress((DATA / "video" / "track_rules.json.gz").read_bytes())
)["runs"]


@pytest.mark.parametrize("seed", RUNS)
def test_a_scripted_video_is_followed_as_transformers_follows_it(seed: str) -> None:
    for (frame, plan), theirs in zip(follow(Script(int(seed))), RUNS[seed], strict=True):
        ours = outline(plan)
        for name in ("ids", "removed", "hidden"):
            assert ours[name] == theirs[name], (name, frame)
        for name in ("shown", "memories"):
            assert set(ours[name]) == set(theirs[name]), (name, frame)
            for track, numbers in theirs[name].items():
                assert ours[name][track] == pytest.approx(numbers, abs=2e-3), (name, frame, track)
        if theirs["track_scores"] is not None:
            assert ours["track_scores"] == pytest.approx(theirs["track_scores"], abs=2e-5), frame


def test_the_recorded_videos_have_every_kind_of_frame() -> None:
    frames = [frame for run in RUNS.values() for frame in run]
    assert sum(bool(frame["removed"]) for frame in frames) > 10
    assert sum(bool(frame["hidden"]) for frame in frames) > 10
    assert sum(numbers[2] < 0 for frame in frames for numbers in frame["memories"].values()) > 100
