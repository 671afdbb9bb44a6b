"""Every benchmark runs, and says what it is to say. How long anything takes is not tested."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import cache, decoding, encoder, folder, growth, machine, outlines, query, rules, start
from benchmarks.models import tokens_of
from benchmarks.pairing import Spread, in_turn, ratios_to
from benchmarks.peers import SixFiles
from benchmarks.run import main, table
from sam3_onnx.hub import model_folder
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.pairing import Row

PAIRED = {"case", "ratio", "p10", "p90", "n", "seconds", "baseline_seconds", "target", "met"}


def numbers(rows: list[Row], *columns: str) -> list[float]:
    """The values of some columns, all of which are numbers."""
    found = [row[column] for row in rows for column in columns]
    assert all(isinstance(value, int | float) for value in found)
    return [float(value) for value in found if isinstance(value, int | float)]


def test_a_ratio_is_taken_within_each_round() -> None:
    seconds = {"a": [1.0, 20.0, 3.0], "b": [2.0, 40.0, 6.0]}
    assert ratios_to("b", seconds)["a"] == Spread(median=0.5, p10=0.5, p90=0.5, n=3)


@pytest.mark.parametrize(("taken", "calls"), [(1.0, 1), (1 / 512, 6)])
def test_cases_are_run_in_turn_and_short_ones_several_times_in_each_turn(taken: float, calls: int) -> None:
    order: list[str] = []
    clock = Clock()

    def run(name: str) -> None:
        order.append(name)
        clock.now += taken

    seconds = in_turn({name: partial(run, name) for name in "ab"}, rounds=2, clock=lambda: clock.now)
    assert order == [*"ab", *("a" * calls + "b" * calls) * 2]
    assert seconds == {"a": [taken, taken], "b": [taken, taken]}


class Clock:
    """Goes on as it is told, so that no call is faster on one machine than on another."""

    now = 0.0


def test_the_command_writes_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    main(["overhead", "--pairs", "1", "--json", str(file)])
    found = json.loads(file.read_text())
    assert set(found) == {"machine", "load_before", "load_after", "results"}
    assert {"processor", "coarse_products", "cores", "packages", "date"} <= set(found["machine"])
    rows = found["results"]["overhead"]
    assert rows
    assert all(set(row) >= PAIRED and row["ratio"] > 0 for row in rows)
    assert table(rows) in capsys.readouterr().out


def test_the_encoder_benchmark_wants_variants() -> None:
    with pytest.raises(SystemExit, match="--variants"):
        main(["encoder"])


def test_query_rows_name_words_and_presence() -> None:
    rows = query.measure(pairs=1, size=(30, 40), counts=(1, 2))
    cases = [str(row["case"]) for row in rows]
    told = ["absent against 10 instances", "1 word", "1 word", "2 words", "2 words"]
    assert [case.split(": ")[1].split(",")[0] for case in cases] == told
    assert all(set(row) >= PAIRED for row in rows)


def test_six_files_answer_a_word_at_the_size_of_the_picture(peer_fixtures: Path) -> None:
    six = peer_fixtures / "A_six_file"
    decoder = read_graph(six / "sam3_decoder.onnx")
    levels = {f"fpn_{level}": decoder.inputs[f"backbone_fpn_{level}"].shape for level in range(3)}
    features = {name: np.zeros([side or 1 for side in shape], np.float32) for name, shape in levels.items()}
    boxes, scores, masks = SixFiles(six, features).ask(tokens_of("coin"), (30, 40))
    assert boxes.shape == (len(scores), 4)
    assert masks.shape == (len(scores), 1, 30, 40)


def test_rows_say_where_each_part_of_the_model_ran() -> None:
    (row, *_) = query.measure(pairs=1, size=(30, 40), counts=(1,))
    assert "fusion CPUExecutionProvider float32" in str(row["ways"])


def test_the_processor_is_named_with_its_coarse_products(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "model name\t: Some Xeon\ncpu family\t: 6\nmodel\t\t: 143\nflags\t\t: fpu amx_bf16 avx512_vnni\n"
    for module in ("benchmarks.machine", "sam3_onnx._support.processor"):
        monkeypatch.setattr(f"{module}.cpuinfo", lambda: told)
    found = machine.describe()
    assert found["processor"] == "Some Xeon, cpu family 6, model 143"
    assert found["coarse_products"] == ["AMX bfloat16", "AVX-512 VNNI"]


def test_outlines_agree_with_full_size_masks() -> None:
    rows = outlines.measure(pairs=1, instances=4, size=(300, 400))
    assert [row["case"] for row in rows] == list(outlines.MODES)
    assert numbers(rows[:1], "lowest_iou") == [1.0]


def test_the_cache_benchmark_compares_bytes_with_shapes() -> None:
    rows = cache.measure(pairs=1, shapes=((1, 4, 8, 8), (1, 4, 4, 4)), size=(30, 40))
    assert numbers(rows, "mb") == [640e-6] * 3 + [1280e-6] * 3
    assert set(numbers(rows, "baseline_mb")) == {2560e-6}


def test_decoding_compares_files_that_both_decode_alike() -> None:
    rows = decoding.measure(pairs=1, size=(60, 80))
    assert [row["case"] for row in rows] == ["JPEG", "PNG"]
    assert all(set(row) >= PAIRED for row in rows)
    assert all(difference <= 1 for difference in numbers(rows, "largest_difference"))


def test_the_folder_benchmark_labels_folders_of_each_size() -> None:
    rows = folder.measure(pairs=1, pictures=2, megapixels=(0.01, 0.02))
    assert [row["case"] for row in rows] == ["2 pictures of 0.01 megapixels", "2 pictures of 0.02 megapixels"]
    assert all(set(row) >= PAIRED for row in rows)


def test_rules_are_measured_against_their_target() -> None:
    rows = rules.measure(pairs=2)
    assert [row["target_ms"] for row in rows] == [5.0, 5.0]
    assert all(float(row["ms"] or 0) > 0 for row in rows)


def test_growth_measures_every_axis() -> None:
    rows = growth.measure(pairs=1, instances=(1, 2), megapixels=(0.01, 0.02), words=(1, 2), cached=(1, 2))
    by_axis: dict[str, list[float]] = {}
    for row in rows:
        by_axis.setdefault(str(row["axis"]), []).extend(numbers([row], "value"))
    assert by_axis["words"] == [1, 2]
    assert {name.partition(":")[0] for name in by_axis} == {
        *("instances to polygons", "megapixels", "words", "cached pictures")
    }
    assert all(row["ratio"] == 1 for row in rows if row["value"] in {1, 0.01})


def test_start_counts_each_stage() -> None:
    rows = start.measure(pairs=1, provider="cpu")
    assert [row["case"] for row in rows] == ["import", "load", "first answer", "all"]
    assert min(numbers(rows, "seconds", "baseline_seconds")) > 0


def test_an_encoder_beside_itself_has_the_same_features() -> None:
    folder = model_folder("miniature")
    rows = encoder.measure(baseline=folder / "image_encoder.onnx", variants=[str(folder), f"{folder}@cpu"], pairs=1)
    assert numbers(rows, "cosine_0", "cosine_1", "cosine_2") == pytest.approx([1.0] * 6)
    assert numbers(rows, "mb_ratio") == pytest.approx([1.0] * 2, abs=0.3)
    assert all(row["met_cosine"] for row in rows)
