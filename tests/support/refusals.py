"""What is said where something is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sam3_onnx.errors import Sam3Error

if TYPE_CHECKING:
    from collections.abc import Callable


def refused(kind: type[Sam3Error], call: Callable[..., object], *arguments: object, **options: object) -> str:
    with pytest.raises(kind) as error:
        call(*arguments, **options)
    assert isinstance(error.value, Sam3Error)
    return str(error.value)
