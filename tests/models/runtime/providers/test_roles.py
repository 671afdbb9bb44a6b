"""Which part of a model runs on what, in which precision; on a processor that seems to have matrix units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.providers.choosing import plan_of
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO
from sam3_onnx.models.runtime.providers.ways import PLAIN, Way, way_of
from sam3_onnx.models.runtime.settings import RuntimeSettings
from tests.support.fake_openvino import PROCESSOR
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.models.runtime.providers.precision import PrecisionChoice
    from tests.support.fake_openvino import FakeOpenVino

ROLES = ("image_encoder", "text_encoder", "decoder")
QUICK = {"image_encoder": (OPENVINO, "bfloat16"), "text_encoder": (CPU, "float32"), "decoder": (CPU, "float32")}


def parts(**options: Any) -> dict[str, tuple[str, str]]:  # noqa: ANN401 - whatever a session takes
    """The first provider and the precision of each part of a loaded session."""
    with Sam3Session.from_folder(NATIVE, **options) as session:
        session.load()
        precisions = session.precisions
        return {role: (names[0], precisions[role]) for role, names in session.providers.items()}


@pytest.mark.usefixtures("matrix_units")
def test_auto_takes_the_quick_way_for_the_parts_where_it_is_one(openvino: type[FakeOpenVino]) -> None:
    assert parts() == QUICK
    assert ("native/image_encoder.onnx", "bf16") in openvino.opened
    opened = {name.partition("/")[2] for name, _ in openvino.opened}
    assert opened <= {"image_encoder.onnx", "fusion.onnx"}  # the second in the proof on the miniature, if there was one


@pytest.mark.usefixtures("matrix_units", "openvino")
@pytest.mark.parametrize("precision", ["auto", "bfloat16", {"image_encoder": "bfloat16"}])
def test_openvino_by_name_opens_with_the_parts_that_hold_in_bfloat16(precision: PrecisionChoice) -> None:
    assert parts(provider="openvino", precision=precision) == QUICK


@pytest.mark.usefixtures("matrix_units", "openvino")
@pytest.mark.parametrize("provider", ["auto", "openvino"])
def test_float32_is_exact_everywhere(provider: str) -> None:
    assert {precision for _, precision in parts(provider=provider, precision="float32").values()} == {"float32"}


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_a_part_that_is_named_gets_the_precision_that_is_named() -> None:
    chosen = {"image_encoder": "float32", "decoder": "bfloat16"}
    found = parts(provider="openvino", precision=chosen)
    assert found == {**QUICK, "image_encoder": (OPENVINO, "float32"), "decoder": (OPENVINO, "bfloat16")}


@pytest.mark.usefixtures("openvino")
@pytest.mark.parametrize("vendor", ["AuthenticAMD", ""])
def test_without_matrix_units_nothing_is_coarse(vendor: str, matrix_units: Path) -> None:
    matrix_units.write_text(PROCESSOR.format(vendor))
    assert {precision for _, precision in parts().values()} == {"float32"}
    matrix_units.write_text(PROCESSOR.format("GenuineIntel").replace("amx_bf16", ""))
    assert {precision for _, precision in parts().values()} == {"float32"}


@pytest.mark.usefixtures("matrix_units")
@pytest.mark.parametrize(
    ("role", "precision", "expected"),
    [
        ("fusion", "bfloat16", "bfloat16"),
        ("geometry_encoder", "auto", ""),
        ("geometry_encoder", "bfloat16", "bfloat16"),
        ("mask_decoder", "auto", ""),
        ("mask_decoder", "bfloat16", "bfloat16"),
        ("decoder", "auto", ""),
        ("decoder", "bfloat16", ""),
        ("text_encoder", "bfloat16", ""),
        ("click_decoder", "bfloat16", ""),
    ],
)
def test_each_part_runs_where_it_is_worth_it(role: str, precision: PrecisionChoice, expected: str) -> None:
    way = way_of((OPENVINO, {}), precision, role=role, graph=None)
    assert ("" if way == PLAIN else way.precision) == expected


@pytest.mark.usefixtures("matrix_units")
@pytest.mark.parametrize("proven", [True, False])
def test_fusion_is_quick_by_itself_only_where_the_miniature_can_prove_it(
    proven: bool,  # noqa: FBT001 - a row of the table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs = {"image_encoder": None, **({"fusion": None} if proven else {})}
    monkeypatch.setattr("sam3_onnx.models.runtime.providers.ways.miniature_graphs", lambda: graphs)
    way = way_of((OPENVINO, {}), "auto", role="fusion", graph=None)
    assert way == (Way(OPENVINO, {}, "bfloat16") if proven else PLAIN)


@pytest.mark.usefixtures("matrix_units", "openvino")
def test_openvino_never_gets_products_of_integers() -> None:
    graph = read_graph(NATIVE / "image_encoder.onnx")
    assert plan_of(RuntimeSettings(), "image_encoder", graph).ways[0].provider == OPENVINO
    quantised = replace(graph, operators=graph.operators | {"MatMulInteger"})
    assert plan_of(RuntimeSettings(), "image_encoder", quantised).ways == (PLAIN,)
    assert plan_of(RuntimeSettings("openvino"), "image_encoder", quantised).ways == (PLAIN,)


def test_the_operators_of_a_graph_are_read_from_its_file() -> None:
    assert {"MatMul", "Conv"} <= read_graph(NATIVE / "image_encoder.onnx").operators


@pytest.mark.usefixtures("openvino", "matrix_units")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": {"neck": "float32"}}, "precision must be given for parts of this model: image_encoder, text_"),
        (
            {"precision": {"text_encoder": "bfloat16"}, "provider": "openvino"},
            r'precision\["text_encoder"\] must be "auto", "float32" with .* openvino is not used for the text encoder',
        ),
        (
            {"precision": {"image_encoder": "bfloat16"}, "provider": "cpu"},
            r'precision\["image_encoder"\] must be "auto"',
        ),
        ({"precision": {"image_encoder": "float8"}}, r'precision\["image_encoder"\] must be one of "auto", "float32"'),
        ({"precision": {3: "float32"}}, "precision must be one of .*, or a mapping of parts of the model"),
        ({"precision": None}, "precision must be one of .*, or a mapping of parts of the model"),
        ({"precision": ["bfloat16"]}, "precision must be one of .*, or a mapping of parts of the model"),
        ({"precision": "bf16"}, "precision must be one of .*, or a mapping of parts of the model"),
    ],
)
def test_a_choice_that_cannot_be_had_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Sam3Session.from_folder(NATIVE, **options)


@pytest.mark.peers
@pytest.mark.usefixtures("openvino", "matrix_units")
def test_parts_of_a_tracker_beside_a_model_have_its_name_before_theirs(peer_fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "concepts").symlink_to(NATIVE)
    (tmp_path / "clicks").symlink_to(peer_fixtures / "F_tracker" / "onnx")
    choice: PrecisionChoice = {"tracker_image_encoder": "float32"}
    with Sam3Session.from_folder(tmp_path, precision=choice, cache_folder=tmp_path / "cache folder") as session:
        assert session.precisions["image_encoder"] == "bfloat16"
        assert session.precisions["tracker_image_encoder"] == "float32"
