"""Pillow's settings are global to a process: what a host sets changes no answer, and stays as the host set it."""

from __future__ import annotations

import warnings
from random import Random

import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from sam3_onnx.errors import PictureError, PictureTooLargeError
from sam3_onnx.images import load_image
from tools.fuzz.picture_files import FORMATS, whole_picture

WHOLE = {name: whole_picture(name, Random(3)) for name in FORMATS}  # noqa: S311 - for pictures
SETTINGS = [
    (ImageFile, "LOAD_TRUNCATED_IMAGES", True),
    (ImageFile, "MAXBLOCK", 1),
    (ImageFile, "SAFEBLOCK", 1),
    (Image, "MAX_IMAGE_PIXELS", 1),
    (Image, "MAX_IMAGE_PIXELS", None),
    (TiffImagePlugin, "READ_LIBTIFF", True),
    (GifImagePlugin, "LOADING_STRATEGY", GifImagePlugin.LoadingStrategy.RGB_ALWAYS),
    (PngImagePlugin, "MAX_TEXT_CHUNK", 1),
]


@pytest.mark.parametrize(("module", "name", "value"), SETTINGS)
def test_a_setting_of_the_host_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object
) -> None:
    monkeypatch.setattr(module, name, value)
    for kind, whole in WHOLE.items():
        pixels = load_image(whole.data)
        assert np.abs(pixels.astype(int) - whole.shown).max() <= whole.tolerance, kind
        if kind == "mpo":  # whose first picture is whole wherever the second one is cut
            continue
        for share in (0.3, 0.6, 0.9):
            with pytest.raises(PictureError):
                load_image(whole.data[: int(len(whole.data) * share)])
    assert getattr(module, name) == value


def test_our_limit_holds_whatever_the_host_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (None, 1, 1 << 40):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        for whole in WHOLE.values():
            height, width = whole.shown.shape[:2]
            assert load_image(whole.data, max_pixels=height * width).shape == whole.shown.shape
            if height * width > 1:
                with pytest.raises(PictureTooLargeError):
                    load_image(whole.data, max_pixels=height * width - 1)


def test_whole_files_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for whole in WHOLE.values():
            load_image(whole.data)
