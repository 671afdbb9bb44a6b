"""The journal of a run: which pictures are finished, so that it can go on where it was interrupted.

Beside the labels, while a run is unfinished, lies a hidden file: first a line that says which run it is, then a line
for each finished picture. A line counts when it is whole, so that a run may be killed at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from sam3_onnx._support.files import faults_named, write_atomically
from sam3_onnx.annotate.finished import FinishedPicture
from sam3_onnx.errors import FolderError, UnfinishedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["JOURNAL_NAME", "Journal"]

JOURNAL_NAME = ".sam3-onnx-annotate.jsonl"
_ENDED = "ended"


class Journal:
    """The finished pictures of one run. Made under `sole_run`."""

    def __init__(self, folder: Path, asked: Mapping[str, str], *, restart: bool) -> None:
        """Finds out what an interrupted run has finished.

        Args:
            folder: Where the labels go.
            asked: What makes this run differ from others.
            restart: Whether to forget what an interrupted run has finished.

        Raises:
            UnfinishedRunError: Another run was interrupted in this folder.
            FolderError: The file cannot be read.
        """
        self._path = folder / JOURNAL_NAME
        self._asked = dict(asked)
        try:
            header, *noted = [{}] if restart else self._lines() or [{}]
            self.finished = {one.picture: one for one in map(FinishedPicture.from_json, noted)}
        except (OSError, ValueError) as error:
            reason = f"{JOURNAL_NAME} cannot be read ({error}); pass restart=True (--restart) to do without it"
            raise FolderError(folder, doing="going on with an interrupted run", reason=reason) from error
        is_ended = header.pop(_ENDED, None) is not None
        if header and header != self._asked and is_ended:
            self.finished = {}
        elif header and header != self._asked:
            differing = [name for name in self._asked if header.get(name) != self._asked[name]]
            changes = {name: (str(header.get(name)), self._asked[name]) for name in differing}
            raise UnfinishedRunError(folder, finished=len(noted), changes=changes)

    def _lines(self) -> list[dict[str, object]]:
        """Returns the lines of the file; one that was cut off counts as not written."""
        content = self._path.read_bytes() if self._path.exists() else b""
        return [json.loads(line) for line in content.split(b"\n")[:-1]]

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """Opens the file for `note`; it then holds `finished`."""
        self._write(self._asked)
        with self._path.open("ab", buffering=0) as self._file:  # what a full disk refuses is not written once more
            yield

    def note(self, picture: FinishedPicture) -> None:
        """Notes a picture as finished, for good."""
        line = _line(picture.to_json())
        with faults_named(self._path):
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        self.finished[picture.picture] = picture

    def end(self, *, forget: bool) -> None:
        """Notes that the run came to its end, so that it stands in no other one's way; or forgets it."""
        if forget:
            self._path.unlink(missing_ok=True)
        else:
            self._write({**self._asked, _ENDED: True})

    def _write(self, header: Mapping[str, object]) -> None:
        lines = [header, *(picture.to_json() for picture in self.finished.values())]
        write_atomically(self._path, b"".join(_line(line) for line in lines))


def _line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content).encode() + b"\n"
