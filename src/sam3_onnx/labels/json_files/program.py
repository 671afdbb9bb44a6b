"""The programs that write label files in JSON, and recognition of the program that wrote a file.

X-AnyLabeling and labelme use the same form, and each keeps unknown fields of the other. They can be distinguished by
fields that only one of them adds: X-AnyLabeling adds `checked` to a file (`create_xlabel_template`) and `difficult`,
`attributes` and `kie_linking` to every shape (`Shape.to_dict`), labelme adds `mask` to every shape
(`labelme/_label_file.py`). The version helps too: X-AnyLabeling is at version 4, and labelme was at 5 before it had
masks.
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
    """Name of the function that reads its files."""
    format_name: str
    """Name of the format, for `picture_format`."""


X_ANYLABELING = Program("X-AnyLabeling", "read_xanylabeling", "xanylabeling")
LABELME = Program("labelme", "read_labelme", "labelme")


def origin(content: Mapping[str, object]) -> Program | None:
    """Returns the program that wrote a file last; None if it may be either of the two."""
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
    """Returns the number before the first period of a version; -1 for an invalid version, which counts as old."""
    found = re.match(r"\d{1,9}", version) if isinstance(version, str) else None
    return int(found[0]) if found else -1
