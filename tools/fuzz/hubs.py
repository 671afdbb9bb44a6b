"""Downloads as a subject of the fuzzer: what `hub.pull` makes of odd servers, odd entries and odd folders."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx.errors import Sam3Error
from sam3_onnx.hub import Patience, pull
from tests.support.fault_server import running
from tests.support.hub_fixtures import published
from tools.fuzz.inputs import Answer, Duty, FuzzInput, WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sam3_onnx.hub import PublishedModel
    from tests.support.fault_server import Handler

__all__ = ["HubSubject", "Pull", "pull_quickly"]

_NAME = "tiny.onnx"
_ENDLESS = 1 << 24
"""Bytes after which a stream without end ends all the same: where no size is published, only the disk would end it."""
_CONTENT = b"\x08\x07" + Random(1).randbytes(100_000)
_OURS = (f"{_NAME}.part", f"{_NAME}.part.json", "verified.json", ".lock")
_NAMES = (
    "../x.onnx",
    "/x/y.onnx",
    "a/../../x.onnx",
    "..\\x.onnx",
    "C:\\x.onnx",
    "C:x",
    "",
    ".",
    "..",
    "x\0y",
    "verified.json",
)
_VALUES = (
    "9" * 5000,
    "-1",
    "0",
    "",
    "x",
    "1e9",
    "\xb2",
    "bytes 0-1/*",
    f"bytes 0-{'9' * 50}/7",
    "gzip",
    '"\xff"',
    "http://[::1",
    "/",
)
_HEADERS = ("Content-Length", "Content-Range", "Content-Encoding", "Content-Type", "ETag", "Location", "Retry-After")
_JSONS = (
    b"[" * 5000,
    b'{"files": ' * 3000,
    b"null",
    b"{}",
    b"9" * 5000,
    b"\xff\xfe",
    b'{"url": 1, "etag": 2}',
    b'{"files": []}',
)

Plan: TypeAlias = "dict[str, object]"
Change: TypeAlias = "Callable[[Plan, dict[str, bytes], Random], None]"
Pull: TypeAlias = "Callable[[PublishedModel, Path], object]"
"""Pulls a model into a folder."""


def pull_quickly(model: PublishedModel, folder: Path) -> object:
    """Pulls with the library, and waits for nothing."""
    patience = Patience(attempts=2, connect_timeout=5, read_timeout=0.5, longest_wait=0.1, sleep=lambda _seconds: None)
    return pull(model, folder=folder, progress=False, patience=patience)


def _another_body(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["flip"] = chance.randrange(len(_CONTENT))


def _another_length(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["length"] = chance.choice((0, 1, len(_CONTENT) - 1, len(_CONTENT) + 1, 3 * len(_CONTENT)))


def _endless(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["endless"], plan["size"] = True, chance.random() < 0.5


def _odd_headers(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["status"] = chance.choice((200, 200, 206, 301, 302, 304, 404, 416, 429, 500, 503, 599))
    plan["headers"] = {name: chance.choice(_VALUES) for name in chance.sample(_HEADERS, chance.randint(1, 3))}


def _odd_name(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["name"] = chance.choice(_NAMES)


def _in_the_way(plan: Plan, _: dict[str, bytes], chance: Random) -> None:
    plan["place"], plan["kind"] = chance.choice(_OURS), chance.choice(("link", "dangling", "pipe", "folder"))


def _odd_records(_: Plan, files: dict[str, bytes], chance: Random) -> None:
    files["verified.json"] = chance.choice((*_JSONS, chance.randbytes(50)))


def _odd_notes(_: Plan, files: dict[str, bytes], chance: Random) -> None:
    files[f"{_NAME}.part"] = chance.randbytes(chance.randrange(1, 200_000))
    files[f"{_NAME}.part.json"] = chance.choice((*_JSONS, chance.randbytes(50)))


MUTATIONS: dict[str, tuple[Duty, Change]] = {
    "whole": (Duty.AGREE, lambda _plan, _files, _chance: None),
    "a byte of the file": (Duty.REFUSE, _another_body),
    "length of the file": (Duty.REFUSE, _another_length),
    "a stream without end": (Duty.REFUSE, _endless),
    "headers": (Duty.AGREE_OR_REFUSE, _odd_headers),
    "name of the entry": (Duty.REFUSE, _odd_name),
    "no file where one of ours belongs": (Duty.REFUSE, _in_the_way),
    "records": (Duty.AGREE_OR_REFUSE, _odd_records),
    "notes of a broken-off download": (Duty.AGREE_OR_REFUSE, _odd_notes),
}
"""What is odd about the server, the entry or the folder."""


@dataclass(frozen=True)
class HubSubject:
    """Downloads of one small file, and what pulls it."""

    seed: int
    pull: Pull = pull_quickly

    def make(self, number: int) -> FuzzInput:
        """Returns the input of a number: `plan.json` says what the server plays; other files lie in the folder."""
        chance = Random(f"{self.seed} {number}")
        mutation = list(MUTATIONS)[number % len(MUTATIONS)]
        duty, change = MUTATIONS[mutation]
        plan: Plan = {}
        files: dict[str, bytes] = {}
        change(plan, files, chance)
        return FuzzInput("one file", mutation, duty, {**files, "plan.json": json.dumps(plan).encode()})

    def judge(self, made: FuzzInput, folder: Path) -> Answer:
        """See `Subject.judge`."""
        os.environ["NO_PROXY"] = "*"
        plan = json.loads(made.files["plan.json"])
        target, precious = folder / "models" / "tiny", folder / "precious"
        target.mkdir(parents=True)
        precious.write_text("mine", encoding="utf-8")
        for name, content in made.files.items():
            if name != "plan.json":
                target.joinpath(name).write_bytes(content)
        _lay_in_the_way(plan, target, precious)
        answer = self._pulled(plan, target)
        if answer is Answer.REFUSED and made.duty is Duty.AGREE:
            raise WrongAnswerError("a whole file is refused")
        if answer is Answer.READ and made.duty is Duty.REFUSE:
            raise WrongAnswerError("an impossible download is taken")
        _require_nothing_else(folder, target, precious, whole=answer is Answer.READ)
        return answer

    def _pulled(self, plan: Plan, target: Path) -> Answer:
        with running() as server:
            server.files = {f"/{_NAME}": _CONTENT}
            model = published(server.files, host=server.url)
            (file,) = model.files
            size = len(_CONTENT) if plan.get("size") else None
            file = replace(file, name=str(plan.get("name", _NAME)), size=size)
            if plan:
                server.get = server.head = lambda handler, content: _play(plan, handler, content)
            try:
                self.pull(replace(model, files=(file,)), target)
            except Sam3Error:
                return Answer.REFUSED
        return Answer.READ


def _play(plan: Plan, handler: Handler, content: bytes) -> None:
    """Answers as a plan says."""
    body = bytearray(content)
    if isinstance(flipped := plan.get("flip"), int):
        body[flipped] ^= 255
    if isinstance(length := plan.get("length"), int):
        body = (body * 3)[:length]
    status, headers = plan.get("status", 200), plan.get("headers", {})
    if not isinstance(status, int) or not isinstance(headers, dict):
        raise TypeError("the plan is none")
    if plan.get("endless"):
        handler.reply(200, {})
        while handler.command == "GET" and handler.server.sent < _ENDLESS:
            handler.wfile.write(bytes(1 << 16))
            handler.server.sent += 1 << 16
        return
    handler.reply(status, {"Content-Length": str(len(body)), **headers}, bytes(body))


def _lay_in_the_way(plan: Plan, target: Path, precious: Path) -> None:
    """Puts a link, a pipe or a folder where one of our own files belongs."""
    kind = plan.get("kind")
    path = target / str(plan.get("place"))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind is not None:
        path.symlink_to(precious if kind == "link" else precious.with_name("nowhere"))


def _require_nothing_else(folder: Path, target: Path, precious: Path, *, whole: bool) -> None:
    """Lets a folder pass in which nothing is wrong but what was laid there."""
    if sorted(path.name for path in folder.iterdir()) != ["models", "precious"] or len([*target.parent.iterdir()]) != 1:
        raise WrongAnswerError("something was written outside the folder")
    if precious.read_text(encoding="utf-8") != "mine":
        raise WrongAnswerError("what a link leads to was changed")
    file = target / _NAME
    if whole and not file.is_file():
        raise WrongAnswerError("it is said to be whole, and is not there")
    if file.exists() and hashlib.sha256(file.read_bytes()).digest() != hashlib.sha256(_CONTENT).digest():
        raise WrongAnswerError("another file lies under the final name")
