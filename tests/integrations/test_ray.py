"""Does Ray Data answer as the plain loop does, whatever form pictures come in, and is a broken one set apart?"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sam3_onnx import Sam3Session
from sam3_onnx.errors import EmptyPromptError, MissingExtraError, OptionError, PictureDecodeError
from sam3_onnx.integrations.ray import PictureAnnotator, annotate, row_schema
from sam3_onnx.integrations.rows import Row, failures_of, results_of, row_of_failure, rows_of
from tests.support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = "red circle, blue square, coin"
OPENER = partial(Sam3Session.from_pretrained, "miniature", provider="cpu")

pytestmark = pytest.mark.ray
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the miniature's world, and one that is cut off."""
    spec = importlib.util.spec_from_file_location("world", ROOT / "tools" / "miniature" / "world.py")
    assert spec is not None
    assert spec.loader is not None
    world = importlib.util.module_from_spec(spec)
    sys.modules["world"] = world
    spec.loader.exec_module(world)
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(int(os.environ.get("SAM3_ONNX_RAY_PICTURES", "20"))):
        picture = world.draw_scene(np.random.default_rng(seed)).picture
        cv2.imwrite(str(folder / f"{seed:03}.png"), picture[..., ::-1])
    (folder / "005.png").write_bytes((folder / "005.png").read_bytes()[:900])
    return folder


@pytest.fixture(scope="module")
def plain(scenes: Path) -> dict[str, list[Row]]:
    """What a loop makes of the same pictures."""
    rows = {}
    with OPENER(threads=1) as session:
        for path in sorted(scenes.iterdir()):
            rows[str(path)] = asked(session, path)
    return rows


def asked(session: Sam3Session, path: Path) -> list[Row]:
    try:
        return rows_of(str(path), session.predict(path.read_bytes(), WORDS))
    except PictureDecodeError as error:
        return [row_of_failure(str(path), error)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray of one machine."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=3, include_dashboard=False, object_store_memory=200_000_000, logging_level="ERROR")
    yield
    ray.shutdown()


@needs_ray
@pytest.mark.usefixtures("cluster")
@pytest.mark.filterwarnings("default")
def test_two_workers_make_the_rows_of_the_plain_loop_and_set_a_broken_picture_apart(
    scenes: Path, plain: dict[str, list[Row]], tmp_path: Path
) -> None:
    data, parquet = pytest.importorskip("ray.data"), pytest.importorskip("pyarrow.parquet")
    data.DataContext.get_current().enable_progress_bars = False
    pictures = data.read_binary_files(str(scenes), include_paths=True, override_num_blocks=4)
    answered = annotate(
        pictures, WORDS, open_session=OPENER, column="bytes", name_column="path", workers=2, batch_size=4
    )
    answered.write_parquet(str(tmp_path / "rows"))
    table = parquet.read_table(tmp_path / "rows")
    assert table.schema.remove_metadata() == row_schema()
    found: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row["picture"], []).append(row)
    assert found == plain
    assert list(failures_of(table.to_pylist())) == [str(scenes / "005.png")]
    with OPENER(threads=1) as session:
        assert results_of(table.to_pylist())[str(scenes / "007.png")] == session.predict(scenes / "007.png", WORDS)


@needs_ray
@pytest.mark.usefixtures("cluster")
@pytest.mark.filterwarnings("default")
def test_a_model_that_cannot_be_opened_is_told_by_its_own_error() -> None:
    data = pytest.importorskip("ray.data")
    pictures = data.from_items([{"path": "a.png"}])
    with pytest.raises(Exception, match=r"UnknownModelError.*minature"):
        annotate(pictures, "coin", open_session=partial(Sam3Session.from_pretrained, "minature")).take_all()


@needs_ray
@pytest.mark.usefixtures("cluster")
def test_workers_that_leave_no_cpu_are_warned_of() -> None:
    data = pytest.importorskip("ray.data")
    pictures = data.from_items([{"path": "a.png"}])
    with pytest.warns(UserWarning, match="The workers use 3 of the 3 CPUs of Ray"):
        annotate(pictures, "coin", open_session=OPENER, workers=3)


@pytest.mark.parametrize("form", ["paths", "bytes", "arrays", "one array"])
def test_pictures_may_be_paths_bytes_or_arrays(scenes: Path, plain: dict[str, list[Row]], form: str) -> None:
    pytest.importorskip("pyarrow")
    paths = [str(scenes / name) for name in ("003.png", "004.png")]
    read = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths]  # type: ignore[arg-type]
    several = np.empty(2, object)
    several[:] = [Path(path).read_bytes() for path in paths] if form == "bytes" else read
    batch = {"path": np.array(paths, object), "picture": several if form != "one array" else np.stack(read)}
    if form == "paths":
        batch["picture"] = batch["path"]
    annotator = PictureAnnotator(open_session=OPENER, text=WORDS, column="picture", name_column="path", threads=1)
    assert annotator(batch).to_pylist() == [row for path in paths for row in plain[path]]


def test_a_batch_without_the_column_or_without_names_is_refused() -> None:
    pytest.importorskip("pyarrow")
    batch = {"image": np.zeros((1, 8, 8, 3), np.uint8)}
    with pytest.raises(OptionError, match="column must be one of image, got 'path'"):
        PictureAnnotator(open_session=OPENER, text="coin")(batch)
    with pytest.raises(OptionError, match=r"image of each picture must be a string .*name_column="):
        PictureAnnotator(open_session=OPENER, text="coin", column="image")(batch)


@needs_ray
def test_what_cannot_be_asked_is_refused_before_a_worker_starts() -> None:
    for wrong in ({"workers": 0}, {"batch_size": 1.5}, {"cpus": 0}, {"conf_treshold": 0.4}):
        with pytest.raises(OptionError):
            annotate(None, "coin", open_session=OPENER, **wrong)
    with pytest.raises(EmptyPromptError):
        annotate(None, " , ", open_session=OPENER)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(MissingExtraError, match=r'pip install "sam3-onnx\[ray\]"'):
        annotate(None, "coin", open_session=OPENER)


@needs_ray
@pytest.mark.usefixtures("cluster")
def test_the_example_labels_a_folder(scenes: Path, plain: dict[str, list[Row]], tmp_path: Path) -> None:
    program = [sys.executable, str(ROOT / "examples" / "ray-data" / "annotate.py"), str(scenes), "--text", WORDS]
    options = ["--out", str(tmp_path / "rows"), "--coco", str(tmp_path / "all.json")]
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    answer = subprocess.run([*program, *options], capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - our own
    assert answer.returncode == 1, answer.stderr
    assert f"{len(plain) - 1} pictures answered, 1 not" in answer.stdout
    assert "005.png: PictureDecodeError: " in answer.stdout
    rows = [row for rows in plain.values() for row in rows if row["counts"]]
    assert len(json.loads((tmp_path / "all.json").read_bytes())["annotations"]) == len(rows)
