"""A number of a class means one thing in a whole data set: its lists are found, agree and grow together."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from sam3_onnx import Shape
from sam3_onnx.errors import ClassListConflictError, ClassListMissingError, LabelFileDamagedError, LabelNameError
from sam3_onnx.labels import picture_format, read_classes, read_yolo, write_yolo

SIZE = (100, 200)
SQUARE = np.array([(20, 10), (60, 10), (60, 50), (20, 50)], np.float64)
ROW = "0 0.2 0.3 0.2 0.4\n"


def box(label: str) -> list[Shape]:
    return [Shape(label, "rectangle", SQUARE)]


def write(path: Path, label: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_yolo(path, box(label), task="detect", image_size=SIZE)


def labels_of(path: Path) -> list[str]:
    return [shape.label for shape in read_yolo(path, task="detect", image_size=SIZE).shapes]


def test_a_list_above_holds_below_it_and_grows_there(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("person\n")
    write(tmp_path / "labels/train/a.txt", "coin")
    assert read_classes(tmp_path / "classes.txt") == ("person", "coin")
    assert (tmp_path / "labels/train/a.txt").read_text().startswith("1 ")
    assert labels_of(tmp_path / "labels/train/a.txt") == ["coin"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["classes.txt", "a.txt"]


@pytest.mark.parametrize("name", ["data.yaml", "data.yml", "dataset.yaml"])
def test_names_of_a_trainer_hold_and_are_never_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("names: {0: person, 1: coin}\n")
    write(tmp_path / "labels/a.txt", "coin")
    assert (tmp_path / "labels/a.txt").read_text().startswith("1 ")
    assert not (tmp_path / "labels/classes.txt").exists()
    with pytest.raises(LabelNameError, match=rf"{name}.*as number 2"):
        write(tmp_path / "labels/b.txt", "dog")
    assert not (tmp_path / "labels/b.txt").exists()
    assert picture_format("yolo-detect", folder=tmp_path / "labels").shared_files() == {}


def test_lists_that_disagree_are_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [person, car]\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/classes.txt").write_text("person\ncoin\n")
    with pytest.raises(ClassListConflictError, match=r"1 to be .*data\.yaml|1 to be .*classes\.txt"):
        write(tmp_path / "labels/a.txt", "coin")
    with pytest.raises(ClassListConflictError):
        picture_format("yolo-obb", folder=tmp_path / "labels")


def test_a_shorter_list_catches_up(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [person, car]\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/classes.txt").write_text("person\n")
    write(tmp_path / "labels/a.txt", "car")
    assert read_classes(tmp_path / "labels/classes.txt") == ("person", "car")


def test_label_files_without_a_list_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(ROW)
    for refused in (lambda: write(tmp_path / "b.txt", "coin"), lambda: labels_of(tmp_path / "a.txt")):
        with pytest.raises(ClassListMissingError, match=r"a\.txt.*Add the list"):
            refused()
    with pytest.raises(ClassListMissingError):
        picture_format("yolo-detect", folder=tmp_path)
    with pytest.raises(ClassListMissingError):
        picture_format("yolo-detect", folder=tmp_path.parent / tmp_path.name / ".." / tmp_path.name)
    write(tmp_path / "a.txt", "coin")  # nothing of the old file stays
    assert labels_of(tmp_path / "a.txt") == ["coin"]


def test_other_texts_are_no_label_files(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("2 things are to be said of it\n0 1\n")
    (tmp_path / "train.txt").write_text("images/a.jpg\n")
    write(tmp_path / "a.txt", "coin")
    assert read_classes(tmp_path / "classes.txt") == ("coin",)


def test_a_number_in_use_is_not_given_to_another_name(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("person\n")
    (tmp_path / "a.txt").write_text("1 0.2 0.3 0.2 0.4\n")
    with pytest.raises(ClassListConflictError, match=r"class 1 on line 1 in .*a\.txt"):
        write(tmp_path / "b.txt", "coin")
    assert read_classes(tmp_path / "classes.txt") == ("person",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\n", b"a\nb\ncoin\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\ncoin\r\n"),
        (b"a\nb", b"a\nb\ncoin"),
        (b"a\r\nb", b"a\r\nb\r\ncoin"),
        (b"\xef\xbb\xbfa \n\n\n", b"\xef\xbb\xbfa \ncoin\n"),
        (b"a\n\nb\n", b"a\n\nb\ncoin\n"),
        ("cat\u2028big\nx\x85y\nv\x0bt\nf\x0cf\n".encode(), "cat\u2028big\nx\x85y\nv\x0bt\nf\x0cf\ncoin\n".encode()),
        (b"", b"coin\n"),
        (b"\xef\xbb\xbf\n", b"\xef\xbb\xbfcoin\n"),
    ],
)
def test_a_list_that_grows_keeps_its_bytes(tmp_path: Path, before: bytes, after: bytes) -> None:
    (tmp_path / "classes.txt").write_bytes(before)
    number = len(read_classes(tmp_path / "classes.txt"))
    write(tmp_path / "a.txt", "coin")
    assert (tmp_path / "classes.txt").read_bytes() == after
    assert (tmp_path / "a.txt").read_text().startswith(f"{number} ")
    assert read_classes(tmp_path / "classes.txt")[number:] == ("coin",)


def test_lines_of_a_list_end_with_line_feeds_alone(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes("cat\u2028big\ndog\n".encode())
    (tmp_path / "a.txt").write_text("1 0.2 0.3 0.2 0.4\n")
    assert labels_of(tmp_path / "a.txt") == ["dog"]
    (tmp_path / "classes.txt").write_bytes(b"cat\rdog\n")
    with pytest.raises(LabelFileDamagedError, match="a CR without LF on line 1"):
        labels_of(tmp_path / "a.txt")


def _write_many(folder: str, worker: int) -> None:
    for count in range(10):
        write(Path(folder) / f"{worker}/{count}.txt", f"class {worker}.{count}")


def test_processes_that_extend_one_list_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("person\n")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(str(tmp_path), worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    names = read_classes(tmp_path / "classes.txt")
    assert len(names) == len(set(names)) == 31
    for number in range(3):
        for count in range(10):
            assert labels_of(tmp_path / f"{number}/{count}.txt") == [f"class {number}.{count}"]
