"""Prints what `sam3-onnx models pull` makes of every fault that a server on loopback plays.

Each row: the fault; the error that is raised and the exit code; the files that are left behind; whether a following
pull, with the fault gone, brings every byte. No other host is contacted. Needs the package and pytest installed.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent))

from sam3_onnx import hub
from sam3_onnx.cli import main as command_line
from sam3_onnx.hub import Patience, registry, transfer
from tests.support import fault_server as play
from tests.support.hub_fixtures import full_device, published, pulling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sam3_onnx.hub import PublishedModel
    from tests.support.fault_server import FaultServer, Play

QUICK = Patience(attempts=3, read_timeout=0.5, sleep=lambda _seconds: None)
NAME = "tiny.onnx"
CONTENT = b"\x08\x07" + random.Random(5).randbytes((1 << 20) - 2)
EIGHTH = len(CONTENT) // 8


@contextlib.contextmanager
def a_file_in_its_place(folder: Path) -> Iterator[None]:
    """The folder cannot be made."""
    folder.write_text("a file, not a folder")
    yield
    folder.unlink()


@contextlib.contextmanager
def a_read_only_folder(_folder: Path) -> Iterator[None]:
    """Nothing can be opened for writing; in this way also for root."""
    refusal = OSError(errno.EROFS, os.strerror(errno.EROFS))
    with mock.patch("os.open", side_effect=refusal):
        yield


@contextlib.contextmanager
def a_full_disk(_folder: Path) -> Iterator[None]:
    """Nothing is free, and that is known beforehand."""
    with mock.patch("shutil.disk_usage", return_value=SimpleNamespace(free=0)):
        yield


@contextlib.contextmanager
def a_disk_that_fills_up(_folder: Path) -> Iterator[None]:
    """The part can be opened, and nothing can be written to it."""
    with mock.patch.object(transfer, "open_plain", full_device):
        yield


@dataclass(frozen=True)
class Fault:
    """One row, but for two that need processes of their own."""

    name: str
    play: Play = play.whole
    hashed: bool = True
    """Whether the registry has a hash."""
    wrong_hash: bool = False
    """Whether it is a wrong one."""
    around: Callable[[Path], AbstractContextManager[None]] = lambda _folder: contextlib.nullcontext()
    """What is wrong on this side."""


FAULTS = [
    *(
        Fault(f"closes at {part}/16, each time, knows no ranges", play.ignoring_ranges(play.closing_after(part << 16)))
        for part in range(16)
    ),
    Fault("closes after each 1/16, knows ranges", play.closing_after(1 << 16)),
    Fault("wrong bytes", play.instead(bytes(len(CONTENT)))),
    Fault("wrong length: less", play.instead(CONTENT[:-9])),
    Fault("wrong length: more", play.instead(CONTENT + b"more")),
    Fault("wrong length: not what it said", play.ignoring_ranges(play.claiming(2 * len(CONTENT)))),
    Fault("breaks off, then ignores ranges", play.in_turn(play.closing_after(EIGHTH), play.ignoring_ranges())),
    Fault(
        "breaks off once, then has another file", play.in_turn(play.closing_after(EIGHTH), play.instead(CONTENT[9:]))
    ),
    Fault("404", play.answering(404)),
    Fault("403", play.answering(403)),
    Fault("401", play.answering(401)),
    Fault("429", play.answering(429)),
    Fault("429, Retry-After: 3600", play.answering(429, {"Retry-After": "3600"})),
    Fault("500", play.answering(500)),
    Fault("503", play.answering(503)),
    Fault("hangs from the start", play.hanging()),
    Fault("hangs after 1/8", play.ignoring_ranges(play.hanging(EIGHTH))),
    Fault("a web page", play.page()),
    Fault("a web page, no hash published", play.page(), hashed=False),
    Fault("a web page said to be bytes, no hash published", play.page("application/octet-stream"), hashed=False),
    Fault("redirects without end", lambda handler, _: handler.reply(302, {"Location": handler.path})),
    Fault("cut off, no Content-Length", play.without_length(EIGHTH)),
    Fault("cut off, no Content-Length, no hash published", play.without_length(EIGHTH), hashed=False),
    Fault("a registry entry with a wrong hash", wrong_hash=True),
    Fault("a file where the folder belongs", around=a_file_in_its_place),
    Fault("a read-only folder", around=a_read_only_folder),
    Fault("a full disk, seen beforehand", around=a_full_disk),
    Fault("a disk that fills up on the way", around=a_disk_that_fills_up),
]


def pulled(model: PublishedModel, folder: Path) -> tuple[str, int]:
    """Runs `models pull`; the kind of error, and the exit code."""
    raised = ["none"]
    really = hub.pull

    def noting(name: str, **options: object) -> Path:
        try:
            return really(name, patience=QUICK, **options)
        except Exception as error:
            raised[0] = type(error).__name__
            raise

    with (
        mock.patch.object(registry, "list_models", return_value=(model,)),
        mock.patch.object(hub, "pull", noting),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        code = command_line(["models", "pull", model.name, "--folder", str(folder)])
    return raised[0], code


def left_in(folder: Path) -> str:
    """The files of the model that are there, with their sizes."""
    if not folder.is_dir():
        return "-"
    there = sorted(path for path in folder.iterdir() if path.name.startswith(NAME) and path.suffix != ".json")
    return ", ".join(f"{path.name} ({path.lstat().st_size})" for path in there) or "-"


def followed(server: FaultServer, folder: Path) -> str:
    """What the next pull does, with nothing in its way."""
    server.get = server.head = play.whole
    error, code = pulled(published(server.files, host=server.url), folder)
    right = code == 0 and (folder / NAME).read_bytes() == CONTENT
    return "succeeds" if right else f"FAILS: {error}"


def row_of(server: FaultServer, fault: Fault, folder: Path) -> tuple[str, ...]:
    """Plays one fault."""
    server.get = fault.play
    model = published(server.files, host=server.url, hashed=fault.hashed)
    if fault.wrong_hash:
        model = replace(model, files=tuple(replace(file, sha256="0" * 64) for file in model.files))
    with fault.around(folder):
        error, code = pulled(model, folder)
        left = left_in(folder)
    return fault.name, error, str(code), left, followed(server, folder)


def interrupted(server: FaultServer, folder: Path) -> tuple[str, ...]:
    """Ctrl-C in the middle."""
    server.get = play.hanging(EIGHTH)
    part = folder / f"{NAME}.part"
    with pulling(published(server.files, host=server.url), folder) as process:
        until(lambda: part.is_file() and part.stat().st_size == EIGHTH)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    left = left_in(folder)
    return "Ctrl-C after 1/8", "KeyboardInterrupt", str(process.returncode), left, followed(server, folder)


def two_at_once(server: FaultServer, folder: Path) -> tuple[str, ...]:
    """Two processes want the same model; the first is served when the second waits."""
    both = threading.Event()

    def after_both(handler: play.Handler, content: bytes) -> None:
        both.wait(30)
        play.whole(handler, content)

    server.get = after_both
    before = len(server.gets())
    model = published(server.files, host=server.url)
    with pulling(model, folder) as first:
        until(lambda: len(server.gets()) > before)
        with pulling(model, folder) as second:
            if second.stderr is not None:
                second.stderr.readline()
            both.set()
            codes = f"{first.wait(30)}, {second.wait(30)}"
    name = f"two processes at once: {len(server.gets()) - before} download"
    return name, "none", codes, left_in(folder), followed(server, folder)


def until(condition: Callable[[], bool]) -> None:
    """Waits for half a minute at most."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise SystemExit("it did not come to that within 30 seconds")


def main() -> None:
    """Plays all of them and prints the table."""
    rows = [("fault", "error", "exit", "left behind", "next pull")]
    work = Path(tempfile.mkdtemp())
    try:
        with play.running() as server:
            server.files = {f"/{NAME}": CONTENT}
            rows += [row_of(server, fault, work / str(number)) for number, fault in enumerate(FAULTS)]
            rows.append(interrupted(server, work / "interrupted"))
            rows.append(two_at_once(server, work / "two"))
    finally:
        shutil.rmtree(work)
    print("\n".join("| " + " | ".join(row) + " |" for row in (rows[0], ("---",) * 5, *rows[1:])))
    if any(row[-1] != "succeeds" for row in rows[1:]):
        raise SystemExit("not every following pull succeeded")


if __name__ == "__main__":
    main()
