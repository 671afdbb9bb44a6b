"""Do errors keep what they say?"""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sam3_onnx.errors import (
    CancelledError,
    EmptyPromptError,
    ModelFileMissingError,
    OptionError,
    Sam3Error,
    SessionClosedError,
)


@pytest.mark.parametrize(
    "error",
    [
        EmptyPromptError(got="no word and no box"),
        OptionError("nms", expected="an IoU in 0..1", got=3),
        SessionClosedError(),
        CancelledError("the decoder"),
        ModelFileMissingError(Path("a.onnx"), role="decoder"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_whole_out_of_another_process(error: Sam3Error) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
