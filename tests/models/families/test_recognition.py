"""Which export do graphs make up, told from their inputs and outputs alone?"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import AmbiguousFolderError, UnknownFamilyError
from sam3_onnx.models.families.recognition import FAMILY_NAMES, Exports, exports_among, unknown
from sam3_onnx.models.runtime.graphs.reading import GraphInfo
from tests.support.family_graphs import (
    IDS,
    MAKERS,
    Ports,
    batched,
    batched_geometry,
    graph,
    native,
    osam,
    six_file,
    text_only,
    tracker,
)

WHERE = "the folder"
EVERY_FAMILY = pytest.mark.parametrize("name", FAMILY_NAMES)


def found_names(exports: Exports) -> list[str]:
    return [export.name for export in exports.heads.values()]


def parts_of(exports: Exports) -> dict[str, str]:
    (export,) = exports.heads.values()
    return {role: info.path.name for role, info in export.graphs.items()}


def refusal(graphs: list[GraphInfo], family: str | None = None) -> str:
    """What is said of graphs of which nothing can be made."""
    assert exports_among(graphs, where=WHERE, family=family) == Exports({})
    return str(unknown(graphs, where=WHERE, family=family))


@EVERY_FAMILY
def test_each_family_is_recognised_and_each_graph_gets_its_role(name: str) -> None:
    parts = MAKERS[name]()
    for order in itertools.permutations(parts.values()):
        exports = exports_among(order, where=WHERE)
        assert found_names(exports) == [name]
        assert parts_of(exports) == {role: info.path.name for role, info in parts.items()}


@settings(deadline=None, max_examples=40)
@given(names=st.permutations("abcdefgh"), family=st.sampled_from(FAMILY_NAMES))
def test_names_of_files_do_not_matter(names: list[str], family: str) -> None:
    parts = {
        role: GraphInfo(Path(new), info.inputs, info.outputs, {}, (), {})
        for (role, info), new in zip(MAKERS[family]().items(), names, strict=False)
    }
    exports = exports_among(list(parts.values()), where=WHERE)
    assert found_names(exports) == [family]
    assert parts_of(exports) == {role: info.path.name for role, info in parts.items()}


@EVERY_FAMILY
@pytest.mark.parametrize("size", [(336, 336), (504, 896), (672, 672), (1008, 1008)])
def test_the_size_of_the_input_is_read_from_the_graphs(name: str, size: tuple[int, int]) -> None:
    exports = exports_among(list(MAKERS[name](size).values()), where=WHERE)
    (export,) = exports.heads.values()
    assert export.open().capabilities.input_size == size


@EVERY_FAMILY
@pytest.mark.parametrize(("small", "large"), [((672, 672), (1008, 1008)), ((504, 896), (896, 504))])
def test_an_encoder_of_one_size_with_a_decoder_of_another_are_two_exports(
    name: str, small: tuple[int, int], large: tuple[int, int]
) -> None:
    parts = MAKERS[name](large) | {"image_encoder": MAKERS[name](small)["image_encoder"]}
    exports = exports_among(list(parts.values()), where=WHERE)
    (export,) = exports.heads.values()
    with pytest.raises(UnknownFamilyError, match="the files are of two exports") as error:
        export.open()
    assert f"takes pictures of {small[1]} x {small[0]} pixels" in str(error.value)
    assert f"belong to {large[1]} x {large[0]}" in str(error.value)


@EVERY_FAMILY
def test_a_part_that_is_missing_is_named_and_what_is_there_is_listed(name: str) -> None:
    parts = MAKERS[name]()
    for left_out in set(parts) - {"geometry_encoder"}:
        there = [info for role, info in parts.items() if role != left_out]
        message = refusal(there, family=name)
        assert f"Nearest is the {name} family: no graph there is its {left_out.replace('_', ' ')}." in message
        assert f"{WHERE} holds no {name} export" in message
        assert all(f"  {info.path.name}: {info.signature()}" in message for info in there)


def test_the_nearest_family_is_the_one_that_most_graphs_fit() -> None:
    parts = batched_geometry()
    without_decoder = [info for role, info in parts.items() if role != "decoder"]
    assert "Nearest is the batched-geometry family: no graph there is its decoder." in refusal(without_decoder)
    without_encoders = [parts["decoder"], parts["geometry_encoder"]]
    assert "no graph there is its image encoder or its text encoder." in refusal(without_encoders)


def test_graphs_of_nobody_are_listed_without_a_guess() -> None:
    stranger = graph("yolo", {"images": ("float32", 1, 3, 640, 640)}, {"output0": ("float32", 1, 84, 8400)})
    assert refusal([stranger]) == (
        "the folder holds no known SAM 3 export. The graphs there have:\n"
        "  yolo.onnx: (images float32[1, 3, 640, 640]) -> (output0 float32[1, 84, 8400])"
    )
    assert "(no .onnx file)" in refusal([])


def test_a_stranger_beside_an_export_does_not_matter() -> None:
    stranger = graph("yolo", {"images": ("float32", 1, 3, 640, 640)}, {"output0": ("float32", 1, 84, 8400)})
    for maker in MAKERS.values():
        parts = maker()
        assert parts_of(exports_among([stranger, *parts.values()], where=WHERE)) == {
            role: info.path.name for role, info in parts.items()
        }


def test_decoders_of_two_families_are_two_exports_unless_one_is_asked_for() -> None:
    graphs = [*six_file().values(), osam()["decoder"]]
    with pytest.raises(AmbiguousFolderError, match=r"more than one family .*six-file: .*osam: "):
        exports_among(graphs, where=WHERE)
    assert found_names(exports_among(graphs, where=WHERE, family="osam")) == ["osam"]


def test_two_graphs_for_one_part_are_refused() -> None:
    with pytest.raises(
        AmbiguousFolderError, match=r"more than one part .*text_encoder: text_encoder\.onnx, text_encoder\.onnx"
    ):
        exports_among([*native().values(), native()["text_encoder"]], where=WHERE)


def test_a_tracker_lies_beside_any_export_of_concepts() -> None:
    for name in set(MAKERS) - {"tracker"}:
        exports = exports_among([*MAKERS[name]().values(), *tracker().values()], where=WHERE)
        assert found_names(exports) == [name, "tracker"]


def test_one_encoder_with_the_features_of_two_families_serves_both() -> None:
    """As in exports for browsers that find concepts and take clicks after one run."""
    words, clicks = text_only(), tracker()
    both = GraphInfo(
        Path("vision_encoder.onnx"),
        words["image_encoder"].inputs,
        {**words["image_encoder"].outputs, **clicks["image_encoder"].outputs},
        {},
        (),
        {},
    )
    exports = exports_among([both, words["text_encoder"], words["decoder"], clicks["decoder"]], where=WHERE)
    assert found_names(exports) == ["text-only", "tracker"]


FLOATS: tuple[object, ...] = ("float32", 1, None)
PIXELS: Ports = {"pixel_values": ("float32", 1, 3, 1008, 1008)}
UNSUPPORTED: list[tuple[str, Ports, Ports]] = [
    (
        "nusu-github/sam3-export",
        PIXELS,
        dict.fromkeys(("image_feature_0", "image_feature_1", "image_feature_2", "image_pos_2"), FLOATS),
    ),
    ("nusu-github/sam3-export", IDS, {"text_memory": FLOATS, "text_padding_mask": FLOATS}),
    ("nusu-github/sam3-export", PIXELS, dict.fromkeys(("image_embedding", "high_res_0", "high_res_1"), FLOATS)),
    (
        "nusu-github/sam3-export",
        {"point_coords": FLOATS, "point_labels": FLOATS, "point_valid": FLOATS},
        {"low_res_logits": FLOATS, "scores": FLOATS},
    ),
    ("dataplayer12/SAM3-TensorRT", PIXELS, {"instance_masks": FLOATS, "semantic_seg": FLOATS}),
    (
        "Zhangx221/sam3-onnxruntime",
        PIXELS | IDS,
        dict.fromkeys(("pred_masks", "pred_boxes", "pred_logits"), FLOATS),
    ),
    (
        "wW-Ww/sam3-ONNX",
        PIXELS,
        {"features_288": FLOATS, **{f"image_embeddings.{level}": FLOATS for level in range(3)}},
    ),
    (
        "xuckless/pixl-sam3-onnx",
        {"tokens": ("int64", 1, 32)},
        {"language_features": FLOATS, "language_padding": FLOATS, "language_embeds": FLOATS},
    ),
    ("greenjava/sam3-onnx", {"text_ids": FLOATS}, {"masks": FLOATS}),
    ("sanskar003/SAM3-Split", PIXELS, {"/Add_179_output_0": FLOATS}),
]


@pytest.mark.parametrize(("who", "inputs", "outputs"), UNSUPPORTED)
def test_known_exports_that_cannot_be_run_are_refused_in_one_sentence(who: str, inputs: Ports, outputs: Ports) -> None:
    message = refusal([graph("model", inputs, outputs)])
    listing, _, said = message.rpartition("\n")
    assert "  model.onnx: (" in listing
    assert said.startswith(f"model.onnx is of {who}")
    refused, _, instead = said.partition(". ")
    assert "which is not supported: " in refused
    assert instead.startswith("Use an export of a family ")
    assert "Nearest" not in message


def test_an_encoder_of_such_an_export_is_not_taken_for_a_trackers() -> None:
    who, inputs, outputs = next(case for case in UNSUPPORTED if case[0] == "wW-Ww/sam3-ONNX")
    assert who in refusal([graph("vision_fp16", inputs, outputs), tracker()["decoder"]])


def test_an_export_of_sam_2_1_is_told_by_the_size_of_its_features() -> None:
    """It has the names of the tracker family: 1024 pixels over 256 cells are 4, SAM 3 has 3.5."""
    graphs = list(tracker((1024, 1024), (256, 256)).values())
    message = refusal(graphs)
    assert "The files are a SAM 2.1 export: its features have 4 pixels a cell, SAM 3's 3.5." in message
    assert all(info.signature() in message for info in graphs)
    assert found_names(exports_among(list(tracker((896, 896), (256, 256)).values()), where=WHERE)) == ["tracker"]


def test_sam_2_1_beside_an_export_of_concepts_is_left_out() -> None:
    graphs = [*batched().values(), *tracker((1024, 1024), (256, 256)).values()]
    assert found_names(exports_among(graphs, where=WHERE)) == ["batched"]
