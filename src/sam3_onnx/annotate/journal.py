"""The journal of a run: a record of finished pictures, with which an interrupted run can be continued.

The journal is a hidden file in the label folder, which exists until the run is complete: its first line describes the
run, and each further line a finished picture. Incomplete lines are ignored, so that a run may be killed at any time.
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
    """The finished pictures of one run; created while `sole_run` holds the lock."""

    def __init__(self, folder: Path, asked: Mapping[str, str], *, restart: bool) -> None:
        """Reads which pictures an interrupted run has finished.

        Args:
            folder: The label folder.
            asked: Settings of this run, by name; a run with other settings is another run.
            restart: Whether to discard the progress of an interrupted run.

        Raises:
            UnfinishedRunError: A run with other settings was interrupted in this folder.
            FolderError: The journal cannot be read.
        """
        self._path = folder / JOURNAL_NAME
        self._asked = dict(asked)
        try:
            header, *noted = [{}] if restart else self._lines() or [{}]
            self.finished = {one.picture: one for one in map(FinishedPicture.from_json, noted)}
        except (OSError, ValueError) as error:
            reason = f"{JOURNAL_NAME} cannot be read ({error}); pass restart=True (--restart) to start over"
            raise FolderError(folder, doing="continuing an interrupted run", reason=reason) from error
        is_ended = header.pop(_ENDED, None) is not None
        if header and header != self._asked and is_ended:
            self.finished = {}
        elif header and header != self._asked:
            differing = [name for name in self._asked if header.get(name) != self._asked[name]]
            changes = {name: (str(header.get(name)), self._asked[name]) for name in differing}
            raise UnfinishedRunError(folder, finished=len(noted), changes=changes)

    def _lines(self) -> list[dict[str, object]]:
        """Returns the lines of the file; an incomplete last line is ignored."""
        content = self._path.read_bytes() if self._path.exists() else b""
        return [json.loads(line) for line in content.split(b"\n")[:-1]]

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """Opens the journal for `note`, after writing the pictures in `finished` to it."""
        self._write(self._asked)
        with self._path.open("ab", buffering=0) as self._file:  # nothing is written again after an error
            yield

    def note(self, picture: FinishedPicture) -> None:
        """Records a picture as finished, permanently."""
        line = _line(picture.to_json())
        with faults_named(self._path):
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        self.finished[picture.picture] = picture

    def end(self, *, forget: bool) -> None:
        """Marks the run as ended, so that it does not block other runs; or deletes the journal."""
        if forget:
            self._path.unlink(missing_ok=True)
        else:
            self._write({**self._asked, _ENDED: True})

    def _write(self, header: Mapping[str, object]) -> None:
        lines = [header, *(picture.to_json() for picture in self.finished.values())]
        write_atomically(self._path, b"".join(_line(line) for line in lines))


def _line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content).encode() + b"\n"
