"""The list of classes of YOLO's files, and the numbers that they have in it.

A list of classes is a text file with one name on each line; the first has the number 0. Label files hold numbers only,
so that a name never moves: new ones are put at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx.errors import LabelFileDamagedError, LabelNameError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

__all__ = ["CLASSES_FILE", "class_list_text", "class_number", "read_classes", "text_lines", "with_new_classes"]

CLASSES_FILE = "classes.txt"
"""What the list is called, in the folder of the label files."""


def read_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Returns the names of a list of classes, each at its number; blank lines at the end are none.

    Raises:
        LabelFileDamagedError: It is no text in UTF-8.
        OSError: It cannot be opened.
    """
    lines = text_lines(Path(path).read_bytes(), path, expected="names in UTF-8, one a line")
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(line.strip() for line in lines)


def text_lines(content: bytes, path: str | os.PathLike[str], *, expected: str) -> list[str]:
    """Returns the lines of a text in UTF-8, with or without a byte order mark.

    Args:
        content: The bytes of a file.
        path: What the file is called, for messages.
        expected: What it has to hold.

    Raises:
        LabelFileDamagedError: It is no text in UTF-8.
    """
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LabelFileDamagedError(Path(path), expected=expected, reason=str(error)) from error


def class_list_text(classes: Iterable[str]) -> bytes:
    """Returns the list of classes as `read_classes` reads it."""
    return "".join(f"{name}\n" for name in classes).encode()


def with_new_classes(classes: tuple[str, ...], labels: Iterable[str]) -> tuple[str, ...]:
    """Returns the list with the labels that are not in it yet at its end, in their order.

    Raises:
        LabelNameError: A label that cannot stand on a line of its own.
    """
    new = tuple(dict.fromkeys(label for label in labels if label not in classes))
    for label in new:
        if label.splitlines() != [label] or label != label.strip():
            raise LabelNameError(
                label,
                expected="a name that can stand on a line of the list of classes: not blank, without line breaks, "
                "without spaces around it",
                remedy="Give the prompt another label, or rename the shape.",
            )
    return classes + new


def class_number(classes: tuple[str, ...], label: str) -> int:
    """Returns the place of a label in the list.

    Raises:
        LabelNameError: It is not there.
    """
    if label not in classes:
        expected = f"one of the {len(classes)} classes of the list ({', '.join(classes[:6])})"
        raise LabelNameError(label, expected=expected, remedy="Add it with with_labels, which puts it at the end.")
    return classes.index(label)
