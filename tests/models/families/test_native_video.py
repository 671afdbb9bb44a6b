"""The graphs of a native bundle that follow objects: how they are known, and what their manifest says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import ManifestError, UnknownFamilyError
from sam3_onnx.models.families.native import NativeFamily
from sam3_onnx.models.families.native_video import VIDEO_ROLES, read_rules, video_role
from sam3_onnx.models.families.protocol import TrackRules
from sam3_onnx.models.families.recognition import exports_among
from sam3_onnx.models.runtime.model import OnnxModel
from tests.support import family_graphs
from tests.support.family_graphs import graph

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from tests.support.family_graphs import Parts, Ports

SIZE = (112, 112)
CLICKS = family_graphs.levels("click_?", family_graphs.cells_of(SIZE), (32, 64, 256))


def video_parts(entries: dict[str, str] | None = None) -> Parts:
    """The graphs of a bundle with video, by role."""
    floats = ("float32", None, None)
    coarse: Ports = {"click_2": CLICKS["click_2"]}
    fine: Ports = {name: CLICKS[name] for name in ("click_0", "click_1")}
    shown: Ports = {"points": floats, "point_labels": ("int64", None, None), "has_mask": ("bool", None)}
    remembered: Ports = dict.fromkeys(("memories", "pointers", "pointer_ages"), floats)
    ends: dict[str, tuple[Ports, Ports]] = {
        "memory_attention": (coarse | remembered | {"memory_slots": ("int64", None, None)}, {"features": floats}),
        "track_decoder": (
            fine | shown | {"features": floats, "mask_prompt": floats},
            dict.fromkeys(("masks", "ious", "pointers", "object_logits"), floats),
        ),
        "memory_encoder": (
            coarse | {"masks": floats, "object_logits": floats, "from_points": ("bool",)},
            {"memory": floats},
        ),
        "mask_prompt": (coarse | {"masks": floats}, {"features": floats, "mask_prompt": floats}),
    }
    parts = family_graphs.native(SIZE)
    for role, (inputs, outputs) in ends.items():
        entry = {"sam3_onnx.contract": "2", **(entries or {}), "sam3_onnx.role": role}
        parts[role] = graph(role, inputs, outputs, entry)
    return parts


def opened(parts: Parts) -> NativeFamily:
    return NativeFamily({role: OnnxModel(part, role=role) for role, part in parts.items()})


def attention(**entries: str) -> GraphInfo:
    return video_parts({f"sam3_onnx.video.{name}": value for name, value in entries.items()})["memory_attention"]


def test_each_graph_is_known_by_its_inputs() -> None:
    parts = video_parts()
    assert [video_role(parts[role]) for role in VIDEO_ROLES] == list(VIDEO_ROLES)
    assert [video_role(part) for role, part in parts.items() if role not in VIDEO_ROLES] == [None] * 3


def test_a_bundle_with_the_four_graphs_provides_video_and_one_without_does_not() -> None:
    assert set(exports_among(list(video_parts().values()), where="here").heads) == {"concepts", "video"}
    assert set(exports_among(list(family_graphs.native(SIZE).values()), where="here").heads) == {"concepts"}
    assert opened(video_parts()).capabilities.video
    assert not opened(family_graphs.native(SIZE)).capabilities.video


@pytest.mark.parametrize("role", VIDEO_ROLES)
def test_a_bundle_that_lacks_one_of_them_names_it(role: str) -> None:
    parts = video_parts()
    del parts[role]
    with pytest.raises(UnknownFamilyError, match=rf"are missing(.|\n)*It needs {role} too"):
        opened(parts)


def test_without_entries_the_rules_are_those_of_sam_3() -> None:
    assert read_rules(attention()) == TrackRules()


def test_the_manifest_says_how_a_model_remembers() -> None:
    graph = attention(
        num_maskmem="4",
        max_cond_frame_num="2",
        max_object_pointers_in_encoder="8",
        multimask_max_pt_num="3",
        multimask_output_for_tracking="false",
        dynamic_multimask_via_stability="false",
        dynamic_multimask_stability_delta="0.1",
    )
    expected = TrackRules(4, 2, 8, 0, 3, choose_while_tracking=False, check_stability=False, stability_delta=0.1)
    assert read_rules(graph) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_maskmem", "1"),
        ("num_maskmem", "7.0"),
        ("max_cond_frame_num", "-1"),
        ("max_object_pointers_in_encoder", "many"),
        ("multimask_output_for_tracking", "yes"),
        ("dynamic_multimask_stability_thresh", "98"),
    ],
)
def test_an_entry_that_is_no_value_of_its_kind_is_refused(name: str, value: str) -> None:
    with pytest.raises(ManifestError, match=name):
        read_rules(attention(**{name: value}))
