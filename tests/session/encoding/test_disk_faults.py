"""Is none of the embeddings in a folder ever wrong, whatever becomes of the folder?"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx.errors import EmbeddingFolderError, EmbeddingFolderWarning, OptionError
from sam3_onnx.testing import fake_session
from tests.support.embedding_files import ANSWERS, ENTRY, encode, files, grey, run

if TYPE_CHECKING:
    from pathlib import Path

FILLS_THE_DISK = """
import resource, sys, warnings
import numpy as np
from sam3_onnx.testing import FakeFamily
from sam3_onnx import Sam3Session

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    with Sam3Session(FakeFamily({}, feature_bytes=1 << 16), model="fake", cache_folder=sys.argv[1]) as session:
        for value in range(3):
            session.predict(np.full((8, 8, 3), value, np.uint8), "coin")
        disk = session.cache.info("disk")
print(len(told), disk.entries, told[0].message)
"""
DAMAGE = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 1 << 20), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.integers(0, 1 << 20), st.just(0)),
    st.tuples(st.just("extend"), st.integers(1, 200), st.integers(0, 255)),
)


def damaged(content: bytes, kind: str, place: int, value: int) -> bytes:
    if kind == "flip":
        changed = bytearray(content)
        changed[place % len(content)] ^= value
        return bytes(changed)
    return content[: place % len(content)] if kind == "cut" else content + bytes([value]) * place


@settings(deadline=None, max_examples=100)
@given(damage=DAMAGE)
def test_a_file_that_was_changed_in_any_way_is_replaced_and_the_answer_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, int, int]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    encode(folder, 7)
    (path,) = files(folder)
    whole = path.read_bytes()
    path.write_bytes(damaged(whole, *damage))
    runs, disk = encode(folder, 7)
    assert (runs, disk.hits, disk.misses, disk.damaged, disk.entries) == (1, 0, 1, 1, 1)
    assert path.read_bytes() == whole
    assert encode(folder, 7)[0] == 0


def test_an_entry_under_the_name_of_another_is_not_used(tmp_path: Path) -> None:
    encode(tmp_path, 1)
    (path,) = files(tmp_path)
    one = path.read_bytes()
    path.unlink()
    encode(tmp_path, 1, model="other")
    (other,) = files(tmp_path)
    other.write_bytes(one)
    runs, disk = encode(tmp_path, 1, model="other")
    assert (runs, disk.damaged) == (1, 1)


def test_files_of_others_are_left_alone_and_not_counted(tmp_path: Path) -> None:
    for name in ("notes.txt", "a.embedding", f"{'0' * 40}.png", ".mine.draft"):
        (tmp_path / name).write_bytes(b"x" * 5000)
    (tmp_path / "sub").mkdir()
    (tmp_path / f".{'a' * 40}.draft").write_bytes(b"left by a process that was killed")
    _, disk = encode(tmp_path, 1, budget=2 * ENTRY)
    assert disk.entries == 1
    left = {path.name for path in tmp_path.iterdir()} - {path.name for path in files(tmp_path)[:1]}
    assert {"notes.txt", "a.embedding", f"{'0' * 40}.png", ".mine.draft", "sub"} <= {*left, "a.embedding"}
    assert f".{'a' * 40}.draft" not in left


def test_the_folder_may_be_deleted_while_it_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with fake_session(ANSWERS, cache_folder=folder) as session:
        for value in range(3):
            session.predict(grey(value), "coin")
            assert session.cache.info("disk").entries >= 1
            shutil.rmtree(folder)
        session.cache.clear()
        assert len(session.predict(grey(1), "coin")) == 1
        assert session.cache.info("disk").entries == 2


def test_a_folder_that_cannot_be_written_any_more_is_told_once_and_answers_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    session = fake_session(ANSWERS, cache_folder=folder)
    session.cache.info("disk")
    shutil.rmtree(folder)
    folder.write_bytes(b"")

    def three_answers() -> list[int]:
        found = [len(session.predict(grey(value), "coin")) for value in range(3)]
        session.close()
        return found

    with pytest.warns(EmbeddingFolderWarning, match="Free some space, mend the folder's permissions") as told:
        assert three_answers() == [1, 1, 1]
    assert [str(folder) in str(warning.message) for warning in told] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX can")
def test_a_full_disk_is_told_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    warnings, entries, message = run(FILLS_THE_DISK, tmp_path).split(" ", 2)
    assert (warnings, entries) == ("1", "1"), "the word is small enough"
    assert message.startswith(f"An embedding cannot be written to the cache folder {tmp_path}: [Errno 27]")
    assert {path.suffix for path in tmp_path.iterdir()} == {".embedding", ""}


def test_a_folder_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EmbeddingFolderError, match=r"cannot be used: .*Choose another with cache_folder="):
            fake_session({}, cache_folder=folder)
    with pytest.raises(OptionError, match="cache_folder must be the path of a folder, or None for none, got ''"):
        fake_session({}, cache_folder="")
    with pytest.raises(OptionError, match="cache_folder must be a path"):
        fake_session({}, cache_folder=3)  # type: ignore[arg-type]
    for budget in (-1, "1 GB", True):
        with pytest.raises(OptionError, match="cache_folder_bytes must be a whole number of bytes of at least 0"):
            fake_session({}, cache_folder=tmp_path, cache_folder_bytes=budget)  # type: ignore[arg-type]
