"""Every format of the table keeps the protocol: bytes are decoded as files are read, and modes are those it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import sam3_onnx.labels
from sam3_onnx import Shape
from sam3_onnx.errors import LabelError, LabelFileDamagedError
from sam3_onnx.labels import FORMAT_NAMES, LabelFile, PictureFormat, picture_format

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (40, 60)
CORNERS = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float64)


def filled(name: str) -> tuple[PictureFormat, LabelFile]:
    """A format, and a file with a shape of the kind that it is best at."""
    chosen = picture_format(name).with_labels(["coin"])
    mask = np.ones((21, 21), np.bool_) if chosen.modes[0] == "mask" else None
    return chosen, LabelFile((Shape("coin", chosen.modes[0], CORNERS, mask=mask),), "a.png", SIZE)


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_format_has_the_name_that_it_was_asked_for_by(name: str) -> None:
    assert picture_format(name).name == name


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_bytes_are_decoded_as_their_file_is_read(tmp_path: Path, name: str) -> None:
    chosen, file = filled(name)
    content, _ = chosen.encode(file)
    path = tmp_path / f"a{chosen.suffix}"
    decoded = chosen.decode(content, path=path, image_size=SIZE)
    assert not path.exists()
    path.write_bytes(content)
    assert decoded == chosen.read(path, image_size=SIZE)
    assert [shape.label for shape in decoded.shapes] == ["coin"]


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("content", [b"\xff", b"[[", b'{"shapes": 3}', b"0 1"])
def test_what_is_wrong_with_bytes_is_told_as_of_their_file(tmp_path: Path, name: str, content: bytes) -> None:
    chosen, _ = filled(name)
    path = tmp_path / f"a{chosen.suffix}"
    path.write_bytes(content)
    with pytest.raises(LabelError) as of_file:
        chosen.read(path, image_size=SIZE)
    with pytest.raises(LabelError) as of_bytes:
        chosen.decode(content, path=path, image_size=SIZE)
    assert (type(of_bytes.value), str(of_bytes.value)) == (type(of_file.value), str(of_file.value))
    assert str(path) in str(of_bytes.value)


@pytest.mark.parametrize("name", [name for name in FORMAT_NAMES if name.startswith("yolo")])
def test_a_list_of_classes_in_the_folder_is_gone_on_with(tmp_path: Path, name: str) -> None:
    assert picture_format(name).in_folder(tmp_path) == picture_format(name)
    (tmp_path / "classes.txt").write_text("star\n")
    grown = picture_format(name).in_folder(tmp_path).with_labels(["coin"])
    assert grown.shared_files() == {"classes.txt": b"star\ncoin\n"}
    (tmp_path / "classes.txt").write_bytes(b"\xff")
    with pytest.raises(LabelFileDamagedError):
        picture_format(name, folder=tmp_path)


def test_every_name_of_the_room_is_there_and_resolves() -> None:
    assert sorted(sam3_onnx.labels.__all__) == dir(sam3_onnx.labels)
    for name in sam3_onnx.labels.__all__:
        assert getattr(sam3_onnx.labels, name) is not None
    with pytest.raises(AttributeError, match=r"module 'sam3_onnx\.labels' has no attribute 'read_voc'"):
        sam3_onnx.labels.read_voc  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the test
