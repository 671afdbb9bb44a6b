"""The miniature's world in motion: what hides is hidden for as long as a plot says, and a seed names a clip."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.places import ROOT

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "miniature"))
    return importlib.import_module("clips")


def test_a_seed_names_a_clip(clips: ModuleType) -> None:
    plot = clips.Plot(frames=5, things=3, crossings=1)
    one, again, other = (clips.draw_clip(np.random.default_rng(seed), plot) for seed in (4, 4, 5))
    assert np.array_equal(one.frames, again.frames)
    assert np.array_equal(one.masks, again.masks)
    assert not np.array_equal(one.frames, other.frames)


def test_masks_say_what_is_to_be_seen(clips: ModuleType) -> None:
    clip = clips.draw_clip(np.random.default_rng(1), clips.Plot(frames=6, things=4, crossings=2))
    assert clip.frames.shape == (6, 3, 224, 224)
    assert clip.masks.shape == (4, 6, 224, 224)
    assert np.abs((clip.masks > 127).sum((2, 3)) - clip.areas).max() <= 2  # cover is rounded to 8 bits in masks
    assert clip.masks.astype(int).sum(0).max() <= 255 + 4, "what hides a thing takes the pixels from it"
    assert np.array_equal(clip.shown, np.flatnonzero(clip.areas[:, 0] >= 90))


@pytest.mark.parametrize("hidden", [6, 12])
def test_a_thing_goes_behind_a_bar_and_comes_back(clips: ModuleType, hidden: int) -> None:
    """Most are hidden a little longer: the fixed clips are those that are not."""
    lengths = []
    for seed in range(12):
        clip = clips.draw_clip(np.random.default_rng(seed), clips.Plot(frames=hidden + 18, things=1, hidden=hidden))
        seen = np.flatnonzero(clip.areas[0])
        lengths.append(int(np.diff(seen).max()) - 1)
    assert hidden <= min(lengths) <= max(lengths) <= hidden + 6
