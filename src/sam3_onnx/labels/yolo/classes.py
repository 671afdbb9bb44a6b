"""The lists of classes of YOLO's files, and the numbers that names have in them.

`classes.txt` has one name on each line; the first has the number 0. `data.yaml` is a trainer's description of a data
set, with the names in it. Label files hold numbers only, so that a name never moves: new ones are put at the end.
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
"""What a list is called that this library writes."""

_YAML_ENDINGS = (".yaml", ".yml")
_AROUND = " \t\r"  # what editors leave around a name; other white space belongs to it
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ClassList:
    """A list of classes as its file holds it."""

    path: Path
    names: tuple[str, ...] = ()
    """Each at its number."""
    content: bytes = b""
    """Bytes of the file."""

    @property
    def can_grow(self) -> bool:
        """Whether this library adds names to it: it is no description of a data set, which only its owner changes."""
        return self.path.suffix.lower() not in _YAML_ENDINGS

    def grown(self, names: Sequence[str]) -> bytes:
        """Returns the bytes of a list that can grow with all of some names, of which the first are its own.

        The lines that are there keep their bytes. New ones end as they do, the last one without an end if theirs has
        none.
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
    """Returns a list of classes; None for a YAML file that describes no data set.

    Raises:
        LabelFileDamagedError: It may not be read, is no text in UTF-8, or no list of names.
        FileNotFoundError: It is not there.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LabelFileDamagedError(Path(path), expected="a file that may be read", reason=str(error)) from error
    found = ClassList(Path(path), content=content)
    names = _lines(content, path) if found.can_grow else names_in_yaml(content, path)
    return None if names is None else ClassList(Path(path), names, content)


def require_class_list(path: str | os.PathLike[str]) -> ClassList:
    """Returns a list of classes.

    Raises:
        LabelFileDamagedError: As `read_class_list`, or a YAML file that describes no data set.
        FileNotFoundError: It is not there.
    """
    found = read_class_list(path)
    if found is None:
        raise LabelFileDamagedError(Path(path), expected="`names` of classes", reason="a YAML file without them")
    return found


@known_keywords()
def read_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Returns the names of a list of classes, each at its number; blank lines at the end are none.

    Args:
        path: A text file with a name on each line; or a trainer's `data.yaml`, known by its ending.

    Raises:
        LabelFileDamagedError: It may not be read, is no text in UTF-8, or no list of names.
        FileNotFoundError: It is not there.
    """
    return require_class_list(require_path("path", path)).names


def _lines(content: bytes, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Returns the names of a text: lines end with a line feed, and with nothing else that Unicode calls a line end."""
    expected = "names in UTF-8, one a line, lines that end with LF or CR LF"
    try:
        lines = [line.strip(_AROUND) for line in content.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        raise LabelFileDamagedError(Path(path), expected=expected, reason=str(error)) from error
    for number, line in enumerate(lines, start=1):
        if "\r" in line:
            raise LabelFileDamagedError(Path(path), expected=expected, reason=f"a CR alone on line {number}")
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


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
