"""The lists of classes that hold for the label files of a data set, and how they grow.

A number of a class means one thing in a whole data set. So the list for a folder of label files may lie in it or above
it, where trainers keep `data.yaml`, and all lists on the way up to the root of the data set have to agree. The root is
the nearest folder, from the label files upwards, with a `data.yaml`; where there is none, the nearest with a
`classes.txt`. The search ends below the home folder and below the root of the file system.
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
_PATIENCE = 60.0  # seconds; the lock is held for as long as it takes to read and write the lists
_ANY_NUMBER = range(sys.maxsize)


@dataclass(frozen=True)
class DatasetClasses:
    """The classes of a data set, and the lists that say them."""

    lists: tuple[ClassList, ...]
    """They agree as far as the shorter ones go."""
    new: Path | None = None
    """The list that is made when labels are written; None if one holds already."""
    alone: Path | None = None
    """The only label file that is about to be written, whose old rows do not count; None for a run over folders, before
    which folders below those of the lists are looked through as well."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, each at its number: those of the longest list."""
        return max((known.names for known in self.lists), key=len, default=())

    def require_growth(self, names: Sequence[str]) -> None:
        """Lets names pass that begin with those of the lists and may be written.

        Raises:
            LabelNameError: There is a new one, and a `data.yaml` says which classes there are.
        """
        owned = [known.path for known in self.lists if not known.can_grow]
        if owned and len(names) > len(self.names):
            raise LabelNameError(
                names[len(self.names)],
                expected=f"one of the {len(self.names)} classes in {owned[0]}, a file that is never changed",
                remedy=f"Add it to `names` there as number {len(self.names)}, and try again.",
            )

    def files(self, names: Sequence[str]) -> dict[Path, bytes]:
        """Returns what the lists that may grow hold when they hold all of some names, by their paths."""
        growing = [known for known in self.lists if known.can_grow]
        growing += [] if self.new is None else [ClassList(self.new)]
        return {known.path: known.grown(names) for known in growing}

    def require_unused(self, names: Sequence[str]) -> None:
        """Lets names pass whose numbers are free.

        Raises:
            ClassListConflictError: A label file has a number that a new name would get: a class that no list names.
        """
        folders = [path.parent for path in self.files(names)]
        for folder in folders:
            row = first_row(folder, range(len(self.names), len(names)), lists=_LIST_FILES, alone=self.alone)
            if row is not None:
                raise ClassListConflictError(
                    row.path,
                    expected=f"{row.number} to be free for {names[row.number]!r}",
                    got=f"an object of class {row.number} on line {row.line}",
                    remedy=f"give every number that is in use its name in {folder / CLASSES_FILE}, and try again.",
                )


def classes_of_folders(
    folder: str | os.PathLike[str], others: Iterable[Path] = (), *, alone: Path | None = None
) -> DatasetClasses:
    """Returns the classes of a folder of label files.

    Args:
        folder: Where the label files lie; it need not be there yet.
        others: Folders of label files that are to have the same classes.
        alone: The only label file that is about to be written, see `DatasetClasses`.

    Raises:
        ClassListMissingError: There are label files in the folder or below it, and no list.
        ClassListConflictError: Two lists give a number two names.
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
    """Returns the classes of one list; none if it is not there yet.

    Raises:
        LabelFileDamagedError: It cannot be read, or is a YAML file without names.
    """
    missing = ClassList(Path(path))
    if missing.can_grow and not missing.path.exists():
        return DatasetClasses((), missing.path)
    return DatasetClasses((require_class_list(path),))


def grow(read: Callable[[], DatasetClasses], labels: Iterable[str]) -> tuple[str, ...]:
    """Puts labels that are no class yet at the end of the lists; lists that are shorter than another catch up.

    Args:
        read: Reads the lists. It is called again when nobody else can write them.
        labels: What is to be a class.

    Returns:
        The names of the classes, each at its number.

    Raises:
        LabelError: A label cannot be a class, its number is in use, or a list may not be written.
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
    """Returns the lists that hold in a folder, by their real paths; a link is followed, and looked at from, both."""
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
                    remedy="make the lists agree, or keep folders with other classes out of the run and out of the "
                    "data set.",
                )


@contextlib.contextmanager
def _sole_writer(folder: Path) -> Iterator[None]:
    """Keeps other processes from writing the lists of a folder."""
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
        with contextlib.suppress(PermissionError):  # Windows keeps a file that is open, and removes it on release
            path.unlink(missing_ok=True)
        lock.release()
