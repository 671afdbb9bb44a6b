"""Class lists of a dataset: finding the lists that apply to a folder of label files, and adding classes to them.

A class number has the same meaning in the complete dataset. So the list for a folder of label files may be in this
folder or in a folder above it, where trainers keep `data.yaml`, and all lists up to the root of the dataset must agree.
The root is the nearest folder, from the label files upwards, with a `data.yaml`; if there is none, the nearest folder
with a `classes.txt`. The search ends below the home folder and below the root of the file system.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx._support.files import home_folder
from sam3_onnx.errors import ClassListConflictError, ClassListMissingError, LabelFilePermissionError, LabelNameError
from sam3_onnx.labels.writing import put
from sam3_onnx.labels.yolo.classes import (
    CLASSES_FILE,
    ClassList,
    read_class_list,
    require_class_list,
    with_new_classes,
)
from sam3_onnx.labels.yolo.numbers import first_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Reader: TypeAlias = Callable[[Path], ClassList | None]

__all__ = ["DatasetClasses", "classes_of_folders", "classes_of_list", "grow"]

_LIST_FILES = (CLASSES_FILE, "data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LOCK_FILE = ".sam3-onnx-classes.lock"
_PATIENCE = 60.0  # seconds; the lock is held only while the lists are read and written
_ANY_NUMBER = range(sys.maxsize)


@dataclass(frozen=True)
class DatasetClasses:
    """The classes of a dataset, and the class lists that define them."""

    lists: tuple[ClassList, ...]
    """Class lists; they agree up to the length of the shorter ones."""
    new: Path | None = None
    """Path of the list that is created when labels are written; None if there is a list already."""
    alone: Path | None = None
    """The only label file that will be written, whose old rows are ignored; None for a run over folders, which also
    checks the folders below those of the lists."""

    @property
    def names(self) -> tuple[str, ...]:
        """Class names of the longest list; the index of a name is its class number."""
        return max((known.names for known in self.lists), key=len, default=())

    def require_growth(self, names: Sequence[str]) -> None:
        """Checks that new names can be added; `names` must start with the names of the lists.

        Raises:
            LabelNameError: There is a new name, but the classes are defined by a `data.yaml`.
        """
        owned = [known.path for known in self.lists if not known.can_grow]
        if owned and len(names) > len(self.names):
            raise LabelNameError(
                names[len(self.names)],
                expected=f"one of the {len(self.names)} classes in {owned[0]}, which the library never changes",
                remedy=f"Add it to `names` in that file as number {len(self.names)}, and try again.",
            )

    def files(self, names: Sequence[str]) -> dict[Path, bytes]:
        """Returns, for each class list that the library may change, its path and its bytes with all names."""
        growing = [known for known in self.lists if known.can_grow]
        growing += [] if self.new is None else [ClassList(self.new)]
        return {known.path: known.grown(names) for known in growing}

    def require_unused(self, names: Sequence[str]) -> None:
        """Checks that no label file uses the class numbers of new names.

        Raises:
            ClassListConflictError: A label file has a number that a new name would get, and no list names that class.
        """
        folders = [path.parent for path in self.files(names)]
        for folder in folders:
            row = first_row(folder, range(len(self.names), len(names)), lists=_LIST_FILES, alone=self.alone)
            if row is not None:
                raise ClassListConflictError(
                    row.path,
                    expected=f"{row.number} to be free for {names[row.number]!r}",
                    got=f"an object of class {row.number} on line {row.line}",
                    remedy=f"add a name for every number that is in use to {folder / CLASSES_FILE}, and try again.",
                )


def classes_of_folders(
    folder: str | os.PathLike[str], others: Iterable[Path] = (), *, alone: Path | None = None
) -> DatasetClasses:
    """Returns the classes that apply to a folder of label files.

    Args:
        folder: Folder of the label files; it does not have to exist yet.
        others: Folders of label files that will have the same classes.
        alone: The only label file that will be written, see `DatasetClasses`.

    Raises:
        ClassListMissingError: There are label files in the folder or below it, but no class list.
        ClassListConflictError: Two lists have different names for one class number.
        LabelFileDamagedError: A list cannot be read.
    """
    read = functools.cache(read_class_list)
    own = _lists_above(Path(folder), read)
    found = own | {path: known for other in others for path, known in _lists_above(other, read).items()}
    lists = tuple(found.values())
    _require_agreement(lists)
    if own:
        return DatasetClasses(lists, alone=alone)
    row = first_row(Path(folder), _ANY_NUMBER, lists=_LIST_FILES, alone=alone)
    if row is not None:
        raise ClassListMissingError(row.path, expected="classes.txt, data.yaml or dataset.yaml")
    return DatasetClasses(lists, Path(folder) / CLASSES_FILE, alone)


def classes_of_list(path: str | os.PathLike[str]) -> DatasetClasses:
    """Returns the classes of one class list; there are none if the file does not exist yet.

    Raises:
        LabelFileDamagedError: The file cannot be read, or is a YAML file without names.
    """
    missing = ClassList(Path(path))
    if missing.can_grow and not missing.path.exists():
        return DatasetClasses((), missing.path)
    return DatasetClasses((require_class_list(path),))


def grow(read: Callable[[], DatasetClasses], labels: Iterable[str]) -> tuple[str, ...]:
    """Adds new labels at the end of the class lists, and brings shorter lists up to date.

    Args:
        read: Reads the lists. It is called again when no other process can write them.
        labels: Labels that must be classes.

    Returns:
        The class names; the index of a name is its class number.

    Raises:
        LabelError: A label cannot be a class name, its number is in use, or a list cannot be written.
        OSError: The disk is full.
    """
    wanted = tuple(labels)

    def planned() -> tuple[DatasetClasses, tuple[str, ...], dict[Path, bytes]]:
        classes = read()
        names = with_new_classes(classes.names, wanted)
        classes.require_growth(names)
        as_read = {known.path: known.content for known in classes.lists}
        return classes, names, {at: text for at, text in classes.files(names).items() if as_read.get(at) != text}

    _, names, files = planned()
    if files:
        with _sole_writer(next(iter(files)).parent):
            classes, names, files = planned()
            classes.require_unused(names)
            for path, content in files.items():
                put(path, content)
    return names


def _lists_above(folder: Path, read: Reader) -> dict[Path, ClassList]:
    """Returns the class lists that apply to a folder, by their real paths; searched from a link and from its target."""
    starts = dict.fromkeys((folder.absolute(), folder.resolve()))
    return {known.path.resolve(): known for start in starts for known in _lists_from(start, read)}


def _lists_from(start: Path, read: Reader) -> list[ClassList]:
    ends = {Path(start.anchor), home_folder()}
    nearest: list[ClassList] = []
    on_the_way: list[ClassList] = []
    for place in (start, *start.parents):
        if place in ends and place != start:
            break
        files = [place / name for name in _LIST_FILES if os.path.isfile(place / name)]  # noqa: PTH113 - no error where a folder may not be read
        here = [known for known in map(read, files) if known is not None]
        on_the_way += here
        nearest = nearest or here
        if not all(known.can_grow for known in here):
            return on_the_way
    return nearest


def _require_agreement(lists: Sequence[ClassList]) -> None:
    longest = max(lists, key=lambda known: len(known.names), default=None)
    for known in lists:
        for number, name in enumerate(known.names):
            if longest is not None and longest.names[number] != name:
                raise ClassListConflictError(
                    known.path,
                    expected=f"{number} to be {longest.names[number]!r}, as in {longest.path}",
                    got=f"{name!r}",
                    remedy="make the lists agree, or exclude folders with other classes from the run and from the "
                    "dataset.",
                )


@contextlib.contextmanager
def _sole_writer(folder: Path) -> Iterator[None]:
    """Locks the class lists of a folder against other processes."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - reading needs none of it

    path = folder / _LOCK_FILE
    lock = FileLock(path, timeout=_PATIENCE, fallback_to_soft=False)
    try:
        lock.acquire()
    except (Timeout, PermissionError) as error:
        raise LabelFilePermissionError(folder / CLASSES_FILE, reason=str(error)) from error
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):  # Windows does not delete an open file until it is released
            path.unlink(missing_ok=True)
        lock.release()
