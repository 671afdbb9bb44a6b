"""The programs that write label files in JSON, and which of them wrote a file.

X-AnyLabeling and labelme share their form, and each keeps fields of the other that it does not know. What tells them
apart is what only one of them adds by itself: X-AnyLabeling `checked` to a file (`create_xlabel_template`) and
`difficult`, `attributes` and `kie_linking` to every shape (`Shape.to_dict`), labelme `mask` to every shape
(`labelme/_label_file.py`). X-AnyLabeling is at version 4; labelme was at 5 before it had masks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LABELME", "X_ANYLABELING", "Program", "major_version", "origin"]

_FIRST_OF_LABELME_ALONE = 5
_SHAPE_FIELDS_OF_X_ANYLABELING = {"difficult", "attributes", "kie_linking"}


class Program(NamedTuple):
    """A program with label files in JSON."""

    name: str
    reader: str
    """The function that reads its files."""
    format_name: str
    """Name of the format as `picture_format` takes it."""


X_ANYLABELING = Program("X-AnyLabeling", "read_xanylabeling", "xanylabeling")
LABELME = Program("labelme", "read_labelme", "labelme")


def origin(content: Mapping[str, object]) -> Program | None:
    """Returns the program that wrote a file last; None where it may be either."""
    entries = content.get("shapes")
    names = (
        {name for entry in entries if isinstance(entry, dict) for name in entry} if isinstance(entries, list) else set()
    )
    marked = "checked" in content or not names.isdisjoint(_SHAPE_FIELDS_OF_X_ANYLABELING)
    recent = major_version(content.get("version")) >= _FIRST_OF_LABELME_ALONE
    if marked and not recent:
        return X_ANYLABELING
    return LABELME if "mask" in names or (recent and not marked) else None


def major_version(version: object) -> int:
    """Returns the number before the first point; -1 for what is no version, which is taken for an old one."""
    found = re.match(r"\d{1,9}", version) if isinstance(version, str) else None
    return int(found[0]) if found else -1
