"""A published model of two small files, and the server that has them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from sam3_onnx import hub
from sam3_onnx.hub import Licence, Patience, PublishedFile, PublishedModel, registry
from tests.support.fault_server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fault_server import FaultServer

__all__ = [
    "LONG",
    "full_device",
    "hashed",
    "make_read_only",
    "published",
    "pulling",
    "quick",
    "registered",
    "server",
    "unhashed",
]

LICENCE = Licence("Tiny Licence", "https://licence.example/terms")


def published(
    files: dict[str, bytes], *, host: str = "http://publisher.example", hashed: bool = True
) -> PublishedModel:
    """A registry entry of some files, with their hashes or without; sizes are left to the server."""
    entries = tuple(
        PublishedFile(path[1:], f"{host}{path}", None, hashlib.sha256(content).hexdigest() if hashed else None)
        for path, content in files.items()
    )
    return PublishedModel(
        "tiny",
        "Two small files.",
        host,
        LICENCE,
        "native",
        "float32",
        ("text",),
        bundled=False,
        note=None,
        files=entries,
    )


LONG = 120.0  # seconds, for what comes soon even on a busy machine unless something is broken

# A process that was started in the background of a shell without job control ignores SIGINT, and hands that on.
CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from sam3_onnx.cli import main
from sam3_onnx.hub import registry
models = registry.read_registry(sys.argv[1])
registry.list_models = lambda: models
sys.exit(main(sys.argv[2:]))
"""


def pulling(model: PublishedModel, folder: Path) -> subprocess.Popen[str]:
    """`sam3-onnx models pull` in a process of its own, that knows this model only."""
    words = [json.dumps({"models": [asdict(model)]}), "models", "pull", model.name, "--folder", str(folder)]
    command = [sys.executable, "-u", "-c", CHILD, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own


def make_read_only(patched: pytest.MonkeyPatch) -> None:
    """Opens for writing fail as on a read-only file system, also for root."""
    really = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return really(path, flags, mode)

    patched.setattr(os, "open", refusing)


def full_device(_path: Path, *, fresh: bool) -> BinaryIO:
    """Stands in for `open_plain` on a disk that is full."""
    return Path("/dev/full").open("wb" if fresh else "ab")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """Has two files; no environment variable of whoever runs the tests is in the way."""
    for name in ("SAM3_ONNX_MIRROR", "SAM3_ONNX_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN", "SAM3_ONNX_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    chance = random.Random(5)  # noqa: S311 - bytes of a test
    with running() as server:
        server.files = {
            "/tiny.onnx.data": chance.randbytes(1 << 20),
            "/tiny.onnx": b"\x08\x07" + chance.randbytes(8190),
        }
        yield server


@pytest.fixture
def hashed(server: FaultServer) -> PublishedModel:
    return published(server.files, host=server.url)


@pytest.fixture
def unhashed(server: FaultServer) -> PublishedModel:
    return published(server.files, host=server.url, hashed=False)


@pytest.fixture
def quick() -> Patience:
    """Does not wait between attempts, and takes no machine that is slow to answer for a silent one."""
    return Patience(attempts=3, read_timeout=LONG, connect_timeout=LONG, sleep=lambda _seconds: None)


@pytest.fixture
def registered(hashed: PublishedModel, monkeypatch: pytest.MonkeyPatch) -> PublishedModel:
    """The model under the name "tiny", beside those of the registry, as the command line sees it."""
    both = (*registry.list_models(), hashed)
    for module in (hub, registry):
        monkeypatch.setattr(module, "list_models", lambda: both)
    return hashed
