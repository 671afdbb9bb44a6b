"""The table of constants."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.video.rules.constants import TrackingRules


@pytest.mark.parametrize(
    "changed",
    [
        {"det_nms_thresh": 1.5},
        {"new_det_thresh": "0.7"},
        {"hotstart_delay": -1},
        {"hotstart_delay": 2.5},
        {"max_num_objects": True},
        {"recondition_on_trk_masks": 1},
        {"min_trk_keep_alive": -2},
        {"new_mask_logit": float("nan")},
        {"hotstart_delay": 5, "hotstart_unmatch_thresh": 6, "hotstart_dup_thresh": 2},
        {"hotstart_delay": 5, "hotstart_unmatch_thresh": 2, "hotstart_dup_thresh": 6},
    ],
)
def test_a_constant_out_of_range_is_refused_by_its_name(changed: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="|".join(changed)):
        TrackingRules(**changed)


def test_metas_choices_differ_from_transformers_in_choices_only() -> None:
    ours, theirs = asdict(TrackingRules()), asdict(TrackingRules.meta())
    differing = {name for name, value in ours.items() if theirs[name] != value}
    assert differing == {
        "recondition_on_trk_masks",
        "new_mask_logit",
        "hard_corrections",
        "show_corrections",
        "repeat_memories",
    }


@pytest.mark.export
def test_names_and_values_are_those_of_transformers() -> None:
    pytest.importorskip("torch")
    configuration = pytest.importorskip("transformers").Sam3VideoConfig
    named = {field.name: field.default for field in fields(TrackingRules) if hasattr(configuration, field.name)}
    assert len(named) == 20
    assert named == {name: getattr(configuration, name) for name in named}
