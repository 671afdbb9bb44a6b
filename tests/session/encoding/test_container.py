"""Do arrays come back from a file as they went in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

from sam3_onnx.session.encoding.container import NotThisEntryError, load, pieces_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = st.one_of(stnp.floating_dtypes(), stnp.integer_dtypes(), stnp.unsigned_integer_dtypes(), stnp.boolean_dtypes())
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    KINDS.flatmap(lambda kind: stnp.arrays(kind, stnp.array_shapes(min_dims=0, min_side=0, max_side=5))),
    max_size=4,
)


@settings(deadline=None, max_examples=100)
@given(label=st.text(max_size=20), arrays=ARRAYS, turned=st.booleans())
def test_arrays_of_any_kind_and_shape_come_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, label: str, arrays: dict[str, NDArray[np.generic]], *, turned: bool
) -> None:
    put = {name: array.T if turned else array for name, array in arrays.items()}
    path = tmp_path_factory.mktemp("container") / "file"
    path.write_bytes(b"".join(map(bytes, pieces_of(label, put))))
    with path.open("rb") as file:
        found = load(file, label)
    assert list(found) == list(put)
    for name, array in put.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
        assert not found[name].flags.writeable
    with path.open("rb") as file, pytest.raises(NotThisEntryError, match="another entry"):
        load(file, label + "x")


def test_an_array_that_is_more_than_its_bytes_is_not_read_back(tmp_path: Path) -> None:
    times = {"when": np.zeros(3, "datetime64[s]")}
    (tmp_path / "file").write_bytes(b"".join(map(bytes, pieces_of("label", times))))
    with (tmp_path / "file").open("rb") as file, pytest.raises(NotThisEntryError, match=r"an array of datetime64\[s\]"):
        load(file, "label")
