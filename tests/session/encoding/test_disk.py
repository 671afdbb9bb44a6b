"""Do embeddings in a folder survive a restart, and stay within its bytes?"""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import CacheInfo, Sam3Session
from sam3_onnx._support.folders import LOCK_NAME
from sam3_onnx.errors import EmbeddingFolderWarning
from sam3_onnx.session.encoding import folder as folder_of_entries
from sam3_onnx.testing import FakeFamily, fake_session
from tests.support.embedding_files import ANSWERS, ENTRY, encode, files, grey, run
from tests.support.places import NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sam3_onnx.results import FeaturePrecision

STARTS = """
import json, sys
from sam3_onnx import Sam3Session

with Sam3Session.from_pretrained("miniature", provider="cpu", threads=1, cache_folder=sys.argv[1]) as session:
    found = session.predict(sys.argv[2], "coin")
    answer = [[float(one.score), *map(float, one.box), int(one.mask.sum())] for one in found]
    graphs = session.graphs
    told = {role: [model.loaded, model.runs] for role, model in graphs.items()}
    disk = session.cache.info("disk")
print(json.dumps([answer, told, disk.hits, disk.misses, disk.entries]))
"""
ENDS_AT_ONCE = """
import sys
import numpy as np
from sam3_onnx.testing import fake_session

fake_session({}, cache_folder=sys.argv[1]).predict(np.zeros((9, 9, 3), np.uint8), "coin")
"""
HAMMERS = """
import sys
import numpy as np
from sam3_onnx import Sam3Session
from sam3_onnx.testing import FakeFamily

chance = np.random.default_rng(int(sys.argv[3]))
with Sam3Session(FakeFamily({}), model="fake", cache_bytes=0, cache_folder=sys.argv[1],
                 cache_folder_bytes=int(sys.argv[2])) as session:
    for value in chance.integers(0, 30, 150).tolist():
        embedding = session.encode(np.full((8, 8, 3), value, np.uint8))
        assert (embedding.arrays()["features"] == value).all(), value
        assert session.cache.info("disk").bytes <= int(sys.argv[2])
    assert session.cache.info("disk").damaged == 0
"""


def test_a_second_start_answers_the_first_word_without_the_two_encoders(tmp_path: Path, coins: Path) -> None:
    decoder = {role: [True, 1] for role in ("decoder", "geometry_encoder", "fusion")}
    first, second = (json.loads(run(STARTS, tmp_path / "cache", coins)) for _ in range(2))
    assert first[1:] == [
        {"image_encoder": [True, 1], "text_encoder": [True, 1], **decoder},
        *(0, 2, 2),
    ]
    assert second[1:] == [
        {"image_encoder": [False, 0], "text_encoder": [False, 0], **decoder},
        *(2, 0, 2),
    ]
    assert len(first[0]) == 24
    assert second[0] == first[0]


def test_what_the_folder_gives_back_is_what_was_computed_to_the_bit_in_either_precision(
    tmp_path: Path, coins: Path
) -> None:
    kinds: list[tuple[FeaturePrecision, tuple[int, int]]] = [("float16", (0, 2)), ("exact", (1, 2))]
    for precision, hits in kinds:
        with Sam3Session.from_folder(NATIVE, provider="cpu", threads=1, feature_precision=precision) as session:
            expected, embedding = session.predict(coins, "coin", conf_threshold=0.1), session.encode(coins)
        for found in hits:
            with Sam3Session.from_folder(
                NATIVE, provider="cpu", threads=1, feature_precision=precision, cache_folder=tmp_path
            ) as session:
                assert session.predict(coins, "coin", conf_threshold=0.1) == expected
                again = session.encode(coins)
                assert session.cache.info("disk").hits == found
        assert (again.size, again.model, again.nbytes) == (embedding.size, embedding.model, embedding.nbytes)
        for name, array in embedding.arrays().items():
            assert again.arrays()[name].dtype == array.dtype
            np.testing.assert_array_equal(again.arrays()[name], array)
    assert len(files(tmp_path)) == 3, "a picture in two precisions, and a word"


def test_nothing_is_written_unless_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with fake_session(ANSWERS) as session:
        session.predict(grey(1), "coin")
        assert session.cache.info("disk") == CacheInfo(0, 0, 0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_asked_before_the_folder_and_both_are_counted(tmp_path: Path) -> None:
    with fake_session(ANSWERS, cache_folder=tmp_path / "new" / "folder") as session:
        for _ in range(3):
            session.predict(grey(1), "coin")
        disk = session.cache.info("disk")
        assert (disk.hits, disk.misses, disk.entries) == (0, 2, 2)
        assert disk.bytes == sum(path.stat().st_size for path in files(tmp_path / "new" / "folder"))
        assert session.cache.info().hits == 2
        session.cache.clear()
        session.predict(grey(1), "coin")
        assert session.cache.info("disk").hits == 2
        assert session.cache.info().misses == 2
    assert len(files(tmp_path / "new" / "folder")) == 2


def test_what_was_found_is_kept_when_the_program_just_ends(tmp_path: Path) -> None:
    run(ENDS_AT_ONCE, tmp_path)
    assert len(files(tmp_path)) == 2


def test_another_model_or_version_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert encode(tmp_path, 1)[0] == 1
    assert encode(tmp_path, 1, model="other")[0] == 1
    monkeypatch.setattr("sam3_onnx._support.version.__version__", "99")
    assert encode(tmp_path, 1)[0] == 1
    monkeypatch.undo()
    assert encode(tmp_path, 1)[0] == 0
    assert len(files(tmp_path)) == 3


def test_prefetch_takes_from_the_folder_and_gives_to_it(tmp_path: Path) -> None:
    encode(tmp_path, 1)
    family = FakeFamily(ANSWERS)
    with Sam3Session(family, model="fake", cache_folder=tmp_path) as session:
        ahead = session.prefetch([grey(1), grey(2)])
        assert ahead.wait(60)
        assert ahead.encoded == (0, 1)
        assert family.calls["encode_image"] == 1
        assert session.cache.info("disk").entries == 2
    assert encode(tmp_path, 1, 2)[0] == 0


def test_the_least_recently_used_entry_goes_first_whichever_session_used_it(tmp_path: Path) -> None:
    size = encode(tmp_path, 1, 2, 3)[1].bytes // 3
    encode(tmp_path, 1)
    assert encode(tmp_path, 4, budget=3 * size)[1] == CacheInfo(0, 1, 3, 3 * size, 3 * size)
    assert [encode(tmp_path, value, budget=3 * size)[0] for value in (1, 3, 4, 2)] == [0, 0, 0, 1]


class Model:
    """What the folder should hold, in the plainest way: pictures by last use, newest last."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.held: list[int] = []

    def ask(self, value: int) -> bool:
        known = value in self.held
        self.held = [*(other for other in self.held if other != value), value][-self.room :] if self.room else []
        return known


@settings(deadline=None, max_examples=30)
@given(room=st.integers(1, 4), starts=st.lists(st.lists(st.integers(0, 6), max_size=6), max_size=4))
def test_any_run_of_starts_ends_as_the_plain_model_does_and_within_the_budget(
    tmp_path_factory: pytest.TempPathFactory, room: int, starts: list[list[int]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    size = encode(folder, 200)[1].bytes
    shutil.rmtree(folder)
    model = Model(room)
    for values in starts:
        family = FakeFamily(ANSWERS)
        with Sam3Session(
            family, model="fake", cache_bytes=0, cache_folder=folder, cache_folder_bytes=room * size
        ) as session:
            for value in values:
                before = family.calls["encode_image"]
                session.encode(grey(value))
                assert (family.calls["encode_image"] == before) == model.ask(value)
                disk = session.cache.info("disk")
                assert (disk.entries, disk.bytes) == (len(model.held), len(model.held) * size)


def test_the_order_of_use_is_that_of_one_clock_however_coarse_that_of_the_file_system_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(10**9)
    monkeypatch.setattr(folder_of_entries, "time", SimpleNamespace(time_ns=lambda: next(seconds) * 10**9))
    encode(tmp_path, 3, 1, 2)
    stamps = {path.stat().st_mtime_ns // 10**9 - 10**9 for path in files(tmp_path)}
    assert stamps == {0, 1, 2}


def test_a_budget_that_was_lowered_holds_from_the_start(tmp_path: Path) -> None:
    size = encode(tmp_path, 1, 2, 3)[1].bytes // 3
    assert encode(tmp_path, budget=size)[1].entries == 1
    assert encode(tmp_path, 3, budget=size)[0] == 0


def test_an_entry_beyond_the_budget_is_used_but_not_kept_and_told_once(tmp_path: Path) -> None:
    with pytest.warns(EmbeddingFolderWarning, match=r"larger than the whole budget of 500 bytes .*raise cache_folder_"):
        _, disk = encode(tmp_path, 1, 2, budget=500)
    assert disk.entries == 0
    assert encode(tmp_path, 1, budget=0)[1] == CacheInfo(0, 1, 0, 0, 0)


def test_two_processes_share_a_folder_within_its_budget_and_get_right_answers(tmp_path: Path) -> None:
    budget = 10 * ENTRY
    command = [sys.executable, "-c", HAMMERS, str(tmp_path), str(budget)]
    both = [subprocess.Popen([*command, str(seed)], stderr=subprocess.PIPE, text=True) for seed in (1, 2)]  # noqa: S603 - as above
    while any(process.poll() is None for process in both):
        assert sum(sizes(tmp_path)) <= budget
    assert [process.communicate()[1] for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    assert {path.suffix for path in tmp_path.iterdir()} == {".embedding", ""}


def sizes(folder: Path) -> Iterator[int]:
    """Of the entries that are still there when they are looked at."""
    for path in files(folder):
        with contextlib.suppress(FileNotFoundError):
            yield path.stat().st_size


def test_no_answer_waits_for_what_is_being_written(tmp_path: Path) -> None:
    with fake_session(ANSWERS, cache_folder=tmp_path) as session:
        session.cache.info("disk")
        with FileLock(tmp_path / LOCK_NAME):
            assert len(session.predict(grey(1), "coin")) == 1
            assert files(tmp_path) == []
        assert session.cache.info("disk").entries == 2


def test_threads_that_ask_at_once_read_an_entry_once(tmp_path: Path) -> None:
    encode(tmp_path, 1)
    family = FakeFamily(ANSWERS)
    with Sam3Session(family, model="fake", cache_folder=tmp_path) as session:
        threads = [threading.Thread(target=session.encode, args=(grey(1),)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert family.calls["encode_image"] == 0
        assert session.cache.info("disk").hits == 1
        assert session.cache.info().hits == 5


def test_precisions_do_not_mix(tmp_path: Path) -> None:
    kinds: list[tuple[FeaturePrecision, type[np.floating]]] = [("exact", np.float32), ("float16", np.float16)]
    for precision, dtype in kinds * 2:
        with fake_session(ANSWERS, cache_folder=tmp_path, feature_precision=precision) as session:
            assert session.encode(grey(1)).arrays()["features"].dtype == dtype
