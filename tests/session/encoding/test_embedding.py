"""Are features kept small without being bent?"""

from __future__ import annotations

import numpy as np
import pytest

from sam3_onnx import Embedding


def stored(value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    features = {"fpn_0": np.array([1.0, value], np.float32)}
    return Embedding.store(features, size=(2, 2), model="m", precision="float16").arrays()["fpn_0"]


@pytest.mark.parametrize("value", [65504.0, -65504.0, 0.1])
def test_features_that_half_precision_holds_are_kept_in_it(value: float) -> None:
    kept = stored(value)
    assert kept.dtype == np.float16
    np.testing.assert_allclose(kept[1].astype(np.float32), value, rtol=1e-3)


@pytest.mark.parametrize("value", [70000.0, -70000.0, np.nan])
def test_features_that_it_cannot_hold_stay_as_they_are(value: float) -> None:
    kept = stored(value)
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept[1], np.float32(value))
