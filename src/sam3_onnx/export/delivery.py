"""Delivery of an export into its folder: whole, or not at all."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from sam3_onnx._support.drafts import draft_beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["REPORT", "delivery"]

REPORT = "export_report.json"
"""Lies beside the graphs of every export."""


@contextlib.contextmanager
def delivery(folder: Path) -> Iterator[Path]:
    """A new folder beside another, whose files go into that one when the block has ended well.

    Files of an export that lies there are replaced; what its report names and the new export lacks is removed.
    Other files stay. If the block raises, or a file cannot be put in place, everything is as it was.

    Args:
        folder: Where the files belong; made if it is not there.

    Yields:
        Where to write them.
    """
    with draft_beside(folder) as draft:
        yield draft
        if folder.exists():
            _replace(folder, draft)
        else:
            draft.rename(folder)


def _replace(folder: Path, draft: Path) -> None:
    new = sorted(path.name for path in draft.iterdir())
    old = [name for name in {*new, *_delivered(folder)} if (folder / name).exists()]
    aside = draft / "replaced"
    aside.mkdir()
    with contextlib.ExitStack() as undo:
        for name in old:
            (folder / name).replace(aside / name)
            undo.callback((aside / name).replace, folder / name)
        for name in new:
            (draft / name).replace(folder / name)
            undo.callback((folder / name).replace, draft / name)
        undo.pop_all()


def _delivered(folder: Path) -> list[str]:
    """Names of the files that an earlier export put here."""
    report = folder / REPORT
    if not report.is_file():
        return []
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return [name for name in files if "/" not in name and "\\" not in name]
