"""Class lists of YOLO datasets, and the class numbers that they define.

`classes.txt` has one name per line; the first line is class 0. `data.yaml` describes a dataset for a trainer, and
contains the names. Label files contain only numbers, so a name must keep its number: new names are added at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_path
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import LabelFileDamagedError, LabelNameError
from sam3_onnx.labels.yolo.data_yaml import names_in_yaml

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

__all__ = [
    "CLASSES_FILE",
    "ClassList",
    "class_number",
    "read_class_list",
    "read_classes",
    "require_class_list",
    "with_new_classes",
]

CLASSES_FILE = "classes.txt"
"""File name of the class lists that this library writes."""

_YAML_ENDINGS = (".yaml", ".yml")
_AROUND = " \t\r"  # white space that editors leave around a name; any other white space is part of it
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ClassList:
    """A class list and the content of its file."""

    path: Path
    names: tuple[str, ...] = ()
    """Class names; the index of a name is its class number."""
    content: bytes = b""
    """Bytes of the file."""

    @property
    def can_grow(self) -> bool:
        """Whether the library may add names to the list; it never changes a `data.yaml`."""
        return self.path.suffix.lower() not in _YAML_ENDINGS

    def grown(self, names: Sequence[str]) -> bytes:
        """Returns the bytes of the list with added names; `names` must start with the names of the list.

        Existing lines keep their bytes. New lines have the same line ends; the last one has none if the last existing
        line has none.
        """
        new = names[len(self.names) :]
        if not new:
            return self.content
        end = b"\r\n" if b"\r\n" in self.content else b"\n"
        lines = self.content.split(b"\n")
        is_ended = not lines[-1].strip()
        there = b"\n".join(lines[: len(self.names)])
        if self.names:
            there = there.removesuffix(b"\r") + end
        elif self.content.startswith(_BYTE_ORDER_MARK):
            there = _BYTE_ORDER_MARK
        return there + end.join(name.encode() for name in new) + (end if is_ended else b"")


def read_class_list(path: str | os.PathLike[str]) -> ClassList | None:
    """Reads a class list; returns None for a YAML file that does not describe a dataset.

    Raises:
        LabelFileDamagedError: There is no permission to read the file, or it is not text in UTF-8 or not a list of
            names.
        FileNotFoundError: The file does not exist.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LabelFileDamagedError(Path(path), expected="a readable file", reason=str(error)) from error
    found = ClassList(Path(path), content=content)
    names = _lines(content, path) if found.can_grow else names_in_yaml(content, path)
    return None if names is None else ClassList(Path(path), names, content)


def require_class_list(path: str | os.PathLike[str]) -> ClassList:
    """Reads a class list, which must contain names.

    Raises:
        LabelFileDamagedError: The same errors as for `read_class_list`, or a YAML file that does not describe a
            dataset.
        FileNotFoundError: The file does not exist.
    """
    found = read_class_list(path)
    if found is None:
        raise LabelFileDamagedError(Path(path), expected="a YAML file with `names`", reason="one without them")
    return found


@known_keywords()
def read_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Reads the names of a class list; the index of a name is its class number. Blank lines at the end are ignored.

    Args:
        path: A text file with one name per line, or the `data.yaml` of a trainer (recognised by its file extension).

    Raises:
        LabelFileDamagedError: There is no permission to read the file, or it is not text in UTF-8 or not a list of
            names.
        FileNotFoundError: The file does not exist.
    """
    return require_class_list(require_path("path", path)).names


def _lines(content: bytes, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Returns the names in a text, one per line; only a line feed ends a line, no other Unicode line separator."""
    expected = "names in UTF-8, one per line, with line ends LF or CR LF"
    try:
        lines = [line.strip(_AROUND) for line in content.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        raise LabelFileDamagedError(Path(path), expected=expected, reason=str(error)) from error
    for number, line in enumerate(lines, start=1):
        if "\r" in line:
            raise LabelFileDamagedError(Path(path), expected=expected, reason=f"a CR without LF on line {number}")
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def with_new_classes(classes: tuple[str, ...], labels: Iterable[str]) -> tuple[str, ...]:
    """Returns the list with new labels added at the end, in the given order.

    Raises:
        LabelNameError: A label cannot be written as one line.
    """
    new = tuple(dict.fromkeys(label for label in labels if label not in classes))
    for label in new:
        if label.splitlines() != [label] or label != label.strip():
            raise LabelNameError(
                label,
                expected="a name that can be a line of the class list: not blank, without line breaks, without spaces "
                "at the start or end",
                remedy="Give the prompt another label, or rename the shape.",
            )
    return classes + new


def class_number(classes: tuple[str, ...], label: str) -> int:
    """Returns the class number of a label.

    Raises:
        LabelNameError: The label is not in the list.
    """
    if label not in classes:
        expected = f"one of the {len(classes)} classes of the list ({', '.join(classes[:6])})"
        raise LabelNameError(label, expected=expected, remedy="Add it with with_labels, which puts it at the end.")
    return classes.index(label)
