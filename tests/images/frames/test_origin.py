"""A frame that is read once more."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sam3_onnx.errors import FrameIndexError, PictureGoneError
from sam3_onnx.images.frames.origin import FrameOrigin

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_it_reads_the_frame_and_says_which_one_it_is() -> None:
    def read(index: int) -> NDArray[np.uint8]:
        return np.full((2, 3, 3), index, np.uint8)

    origin = FrameOrigin("clip.mp4", 7, read)
    assert (origin.read() == 7).all()
    assert str(origin) == "frame 7 of clip.mp4"


def test_a_frame_that_went_by_is_gone() -> None:
    def read(index: int) -> NDArray[np.uint8]:
        raise FrameIndexError("camera 0", index, expected="9 or more", remedy="It went by.")

    with pytest.raises(PictureGoneError, match=r"frame 7 of camera 0 cannot be read any more.*It went by"):
        FrameOrigin("camera 0", 7, read).read()


def test_it_is_not_sent_along_with_a_result() -> None:
    origin = FrameOrigin("clip.mp4", 7, lambda _index: np.zeros((1, 1, 3), np.uint8))
    sent = pickle.loads(pickle.dumps(origin))  # noqa: S301 - our own bytes
    with pytest.raises(PictureGoneError, match="frames of a video are not sent along"):
        sent.read()
