"""Are polygons values that nobody can change?"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from sam3_onnx.errors import OptionError
from sam3_onnx.geometry import Polygon


def test_polygons_are_values() -> None:
    corners = np.array([[0.0, 0.0], [0.0, 6.0], [6.0, 6.0], [6.0, 0.0]])
    hole = np.array([[1.0, 1.0], [3.0, 1.0], [1.0, 3.0]])
    one, same = Polygon(corners, (hole,)), Polygon(corners.copy(), (hole.copy(),))
    assert one == same
    assert hash(one) == hash(same)
    assert one not in (Polygon(corners), Polygon(corners[::-1], (hole,)), "polygon")
    assert one.area == 34


def test_polygons_cannot_be_changed_from_outside() -> None:
    corners = np.array([[0.0, 0.0], [0.0, 6.0], [6.0, 6.0]])
    polygon = Polygon(corners)
    corners[0] = 99
    assert polygon.exterior[0].tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        polygon.exterior[0] = 99
    with pytest.raises(FrozenInstanceError):
        polygon.exterior = corners  # type: ignore[misc] # that is the point


@pytest.mark.parametrize("shape", [(2, 2), (4, 3), (8,), (1, 4, 2)])
def test_a_polygon_of_something_else_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match=r"exterior must be .* got \("):
        Polygon(np.zeros(shape))
    with pytest.raises(OptionError, match=r"holes must be .* got \("):
        Polygon(np.eye(3, 2), (np.zeros(shape),))
