"""A value that makes no sense in a label file is a named error, and an untouched shape stays as it is."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam3_onnx import Shape
from sam3_onnx.errors import LabelError, LabelFileDamagedError, LabelFileSizeError, LabelShapeError
from sam3_onnx.labels import picture_format, read_labelme, write_labelme

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.labels import PictureFormat

SIZE = (40, 60)


def png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()


def claiming(width: int, height: int) -> str:
    """A grey PNG that claims a size and has a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    return base64.b64encode(content).decode()


MASK: dict[str, Any] = {
    "label": "coin",
    "points": [[3, 4], [7, 8]],
    "shape_type": "mask",
    "group_id": None,
    "flags": {},
    "score": 1,
    "mask": png(np.ones((5, 5), np.uint8)),
}
CUBOID = {"label": "crate", "points": [[i, 2 * i] for i in range(8)], "shape_type": "cuboid", "flags": {"a": 1}}
NEWER = {"label": "x", "points": [[1, 2]], "shape_type": "from 2031", "mask": None, "corners": [1, 2.0, "3"]}
ROTATION = {"label": "r", "points": [[1, 1], [9, 1], [9, 5], [1, 5]], "shape_type": "rotation", "direction": 0}
PLAIN: dict[str, Any] = {"version": "5.4.1", "imagePath": "a.png", "imageHeight": 40, "imageWidth": 60}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([10**400, -(10**400), 1e300, "9" * 5000, MASK["mask"], claiming(40_000, 40_000)]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def file(*shapes: object, **fields: object) -> bytes:
    return json.dumps({**PLAIN, "shapes": shapes, **fields}).encode()


@given(field=st.sampled_from([*MASK, *PLAIN, "shapes", "checked"]), value=ANYTHING)
@settings(deadline=None, max_examples=300)
@pytest.mark.parametrize("name", ["labelme", "xanylabeling"])
def test_any_value_anywhere_gives_a_file_or_a_label_error(name: str, field: str, value: object) -> None:
    chosen = picture_format(name)
    content = file({**MASK, field: value}, CUBOID) if field in MASK else file(MASK, CUBOID, **{field: value})
    try:
        read = chosen.decode(content, path="a.json", image_size=SIZE)
        for shape in read.shapes:
            shape.to_mask(SIZE)
        written, _ = chosen.encode(read)
    except LabelError:
        return
    assert json.loads(written)["shapes"] == json.loads(content)["shapes"]


@pytest.mark.parametrize(
    "fields",
    [
        {"points": [[1e300, 1], [5, 5]]},
        {"points": [[10**400, 1], [5, 5]]},
        {"points": [[True, 1], [5, 5]]},
        {"points": [[1], [5, 5]]},
        {"mask": claiming(40_000, 40_000)},
        {"mask": png(np.ones((41, 5), np.uint8))},
        {"mask": png(np.ones((5, 61), np.uint8))},
        {"mask": ""},
        {"mask": base64.b64encode(b"text").decode()},
    ],
)
def test_a_mask_or_a_place_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LabelShapeError, match=r"a\.json, shape 1: expected"):
        picture_format("labelme").decode(file(CUBOID, {**MASK, **fields}), path="a.json", image_size=SIZE)


@pytest.mark.parametrize("fields", [{"imageHeight": 10**400}, {"imageHeight": 60, "imageWidth": 40}])
def test_a_size_that_is_not_the_pictures_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LabelFileSizeError):
        picture_format("labelme").decode(file(**fields), path="a.json", image_size=SIZE)


def test_two_values_of_one_name_are_refused_as_one_would_be_lost() -> None:
    content = file().replace(b'"shapes"', b'"note": "first", "note": "second", "shapes"')
    with pytest.raises(LabelFileDamagedError, match="two values for 'note'"):
        picture_format("labelme").decode(content, path="a.json", image_size=SIZE)


def test_untouched_shapes_stay_as_they_stood_and_a_changed_one_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    grey = np.zeros((5, 5), np.uint8)
    grey[2] = 255
    kinds = [CUBOID, NEWER, ROTATION, {**MASK, "mask": png(grey)}]
    path.write_bytes(file(*kinds))
    read = read_labelme(path, image_size=SIZE)
    new = Shape("new", "polygon", np.array([(1.0, 1.0), (9.0, 1.0), (9.0, 9.0)]))
    assert write_labelme(path, read.with_shapes([*read.shapes, new])) == ()
    assert json.loads(path.read_bytes())["shapes"][:-1] == kinds
    with pytest.warns(match=r"cuboid was left out \(crate 2\)"):
        write_labelme(path, read.with_shapes([replace(read.shapes[0], label="crate 2"), *read.shapes[1:]]))
    read.shapes[1].points[:] = 5
    write_labelme(path, read.with_shapes(read.shapes[1:]))
    assert json.loads(path.read_bytes())["shapes"][0]["points"] == [[5, 5]]


def test_what_is_nested_too_deeply_to_be_written_is_a_label_error() -> None:
    chosen = picture_format("labelme")
    for depth in (*range(50, 1100, 10), 10_000, 100_000):  # Python 3.13 goes deeper than those before
        content = file({**CUBOID, "flags": 0}).replace(b'"flags": 0', b'"flags": ' + b"[" * depth + b"]" * depth)
        if not is_written(chosen, content):
            return
    pytest.fail("no depth was too much")


def is_written(chosen: PictureFormat, content: bytes) -> bool:
    try:
        chosen.encode(chosen.decode(content, path="a.json", image_size=SIZE))
    except LabelError:
        return False
    return True
