"""How does a label file change without ever being half-written?"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["write_text_atomically"]


def write_text_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Put a text file in place in one step, so that readers see the old content or the new.

    Args:
        path: The file to create or replace. Its folder has to exist.
        text: The whole content, written as UTF-8 with line feeds.

    Raises:
        OSError: The folder is missing or not writable, or the disk is full; an older file is as it was.
    """
    target = Path(path)
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
