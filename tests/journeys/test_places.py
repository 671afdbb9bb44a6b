"""Sessions where the process moves about, or has no place of its own: no home, nothing to write to, no name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import sam3_onnx
from sam3_onnx import Sam3Session
from sam3_onnx._support.folders import cache_folder
from sam3_onnx.annotate import annotate_folder
from sam3_onnx.cli.doctor.render import without_home
from sam3_onnx.errors import CacheFolderError, SessionClosedError, VideoOpenError
from sam3_onnx.images import open_frames
from sam3_onnx.testing import FakeFamily, FakeInstance, fake_session

if TYPE_CHECKING:
    from collections.abc import Callable

MINIATURE = Path(sam3_onnx.__file__).parent / "data" / "miniature"
PICTURE = np.zeros((50, 50, 3), np.uint8)


def of_folder() -> Sam3Session:
    return Sam3Session.from_folder("model", provider="cpu")


def of_folder_with_cache() -> Sam3Session:
    return Sam3Session.from_folder("model", provider="cpu", cache_folder="cache")


def of_files() -> Sam3Session:
    names = ("image_encoder", "text_encoder", "geometry_encoder", "fusion", "decoder")
    return Sam3Session.from_files(provider="cpu", **{name: f"model/{name}.onnx" for name in names})  # type: ignore[arg-type]


@pytest.mark.parametrize("opened", [of_folder, of_folder_with_cache, of_files])
def test_relative_paths_mean_what_they_meant_when_the_session_was_opened(
    opened: Callable[[], Sam3Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(MINIATURE, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    with opened() as session:
        monkeypatch.chdir("/")
        session.predict(PICTURE, "coin")
        session.unload()
        session.predict(PICTURE + 1, "ring")


def test_pictures_of_a_list_are_those_of_the_moment_when_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), PICTURE + number)
    names = [f"{number}.png" for number in range(6)]
    session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    monkeypatch.chdir(tmp_path)
    ahead, found = session.prefetch(names), session.annotate(names, "coin")
    first = next(found)[0]
    monkeypatch.chdir("/")
    assert ahead.wait()
    assert (len(ahead.encoded), dict(ahead.failures)) == (6, {})
    assert first == "0.png"
    session.close()


def test_a_closed_session_keeps_nothing_of_a_call_that_was_in_flight() -> None:
    def close() -> None:
        session.close()

    family = FakeFamily({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]}, on_encode=close)
    session = Sam3Session(family, model="fake")
    assert len(session.predict(PICTURE, "coin")) == 1
    assert (session.cache.info("images").entries, session.cache.info("texts").entries) == (0, 0)
    with pytest.raises(SessionClosedError):
        session.predict(PICTURE, "coin")


def test_an_array_that_its_owner_rewrites_during_the_call_leaves_the_cache_right() -> None:
    buffer = np.full((64, 64, 3), 10, np.uint8)
    first, family = buffer.copy(), FakeFamily({})
    session = Sam3Session(family, model="fake")

    def rewrite(stage: str) -> None:
        if stage == "image":
            buffer[:] = 200

    session.predict(buffer, "coin", progress=rewrite)
    (features,) = session.encode(first).arrays().values()
    assert family.calls["encode_image"] == 1
    assert float(features[0]) == 10


def test_without_a_home_folder_there_is_no_cache_folder_unless_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.delenv("SAM3_ONNX_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(CacheFolderError, match=r"no home folder.*SAM3_ONNX_CACHE"):
        cache_folder()
    monkeypatch.setenv("SAM3_ONNX_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_without_a_home_folder_the_doctor_yolo_files_and_frames_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert without_home("in ~ and /home/ann") == "in ~ and /home/ann"
    session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5))]})
    picture = tmp_path / "a.png"
    assert cv2.imwrite(str(picture), np.zeros((40, 50, 3), np.uint8))
    annotate_folder(session, tmp_path, "coin", label_format="yolo-detect")
    assert (tmp_path / "a.txt").is_file()
    with pytest.raises(VideoOpenError, match="no such file"):
        open_frames("~nobody.mp4")


_AS_IN_A_CONTAINER = """
import logging, os, sys, tempfile, warnings
import numpy as np
import tokenizers, PIL.Image, PIL.PngImagePlugin, filelock, importlib.metadata
from sam3_onnx import Sam3Session

tempfile._candidate_tempdir_list = lambda: ["/nowhere"]
if sys.argv[3]:
    os.setgroups([]); os.setgid(54321); os.setuid(54321)
options = {"cache_folder": sys.argv[2]} if sys.argv[2] else {}
with Sam3Session.from_pretrained("miniature", provider=sys.argv[1], **options) as session:
    print(len(session.predict(np.zeros((50, 50, 3), np.uint8), "coin")), len(session.fingerprint) > 32)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="users and folders of POSIX")
@pytest.mark.parametrize("provider", ["cpu", "auto"])
@pytest.mark.parametrize("home", ["/proc/nowhere", None])
@pytest.mark.parametrize("cache", ["cache", ""])
def test_a_container_like_run_answers_and_says_what_it_cannot_keep(
    tmp_path: Path, provider: str, home: str | None, cache: str
) -> None:
    work, writable = tmp_path / "work", tmp_path / "writable"
    work.mkdir()
    writable.mkdir()
    writable.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.geteuid() and os.geteuid() == 0:
            folder.chmod(folder.stat().st_mode | 0o055)
    work.chmod(0o555)
    may_change = os.geteuid() == 0 and all(
        folder.stat().st_mode & 0o001
        for place in (os.__file__, np.__file__, __file__)
        for folder in Path(place).parents
    )
    left_out = {"HOME", "SAM3_ONNX_CACHE", "XDG_CACHE_HOME", "TMPDIR", "USER", "LOGNAME"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment |= {} if home is None else {"HOME": home}
    command = [
        sys.executable,
        "-c",
        _AS_IN_A_CONTAINER,
        provider,
        str(writable / cache) if cache else "",
        "another" if may_change else "",
    ]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.stdout == "0 True\n", done.stderr
    if may_change or home is not None:
        assert done.stderr.count("cannot be kept") == 1
    assert list(work.iterdir()) == []
    assert bool(list(writable.glob("cache/*.embedding"))) == bool(cache)
