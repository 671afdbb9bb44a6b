"""Pictures as a subject of the fuzzer: what `load_image` makes of changed files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from sam3_onnx.errors import PictureError
from sam3_onnx.images import load_image
from tools.fuzz.inputs import Answer, Duty, FuzzInput, WrongAnswerError
from tools.fuzz.picture_files import FORMATS, whole_picture
from tools.fuzz.picture_mutations import MUTATIONS, mutated

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.fuzz.picture_files import WholePicture

__all__ = ["PictureInput", "PictureReader", "PictureSubject"]

_MAX_PIXELS = 2_000_000
_BY_PILLOW = ", opened by Pillow"


class PictureReader(Protocol):
    """A function with the signature of `load_image`."""

    def __call__(self, picture: bytes | Image.Image, *, max_pixels: int | None) -> NDArray[np.uint8]:
        """Returns the pixels (H, W, 3) of a picture."""
        ...


@dataclass(frozen=True)
class PictureInput(FuzzInput):
    """A picture file, and the whole one that it was made from."""

    whole: WholePicture


@dataclass(frozen=True)
class PictureSubject:
    """Whole and changed pictures, and the reader that is tried on them."""

    seed: int
    read: PictureReader = load_image

    def make(self, number: int) -> PictureInput:
        """Returns the input of a number: formats take turns, and with each round the mutations of a format."""
        chance = Random(f"{self.seed} {number}")
        turn, place = divmod(number, len(FORMATS))
        whole = whole_picture(FORMATS[place], chance)
        made = None
        while made is None:
            mutation = list(MUTATIONS)[(turn + place) % len(MUTATIONS)]
            made = mutated(mutation, whole, chance)
            turn += 1
        data, duty = made
        if duty is Duty.EITHER and chance.random() < 0.25:
            mutation += _BY_PILLOW
        return PictureInput(whole.format, mutation, duty, {f"picture.{whole.format.split()[0]}": data}, whole)

    def judge(self, made: PictureInput, folder: Path) -> Answer:  # noqa: ARG002 - pictures are read from memory
        """See `Subject.judge`."""
        (data,) = made.files.values()
        given = _opened(data) if made.mutation.endswith(_BY_PILLOW) else data
        if given is None:
            return Answer.REFUSED
        try:
            pixels = self.read(given, max_pixels=_MAX_PIXELS)
        except PictureError as error:
            if made.duty is Duty.AGREE:
                raise WrongAnswerError(f"a whole file is refused: {error}") from error
            return Answer.REFUSED
        if made.duty is Duty.REFUSE:
            raise WrongAnswerError(f"an impossible file is read as a picture {pixels.shape}")
        _require_form(pixels)
        if made.duty is not Duty.EITHER:
            _require_same(pixels, made.whole)
        return Answer.READ


def _opened(data: bytes) -> Image.Image | None:
    """Returns what Pillow opens without decoding it; None for what it does not open."""
    try:
        return Image.open(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - what Pillow raises here is between Pillow and whoever called it
        return None


def _require_form(pixels: NDArray[np.uint8]) -> None:
    is_right = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    if not is_right or not 0 < pixels.shape[0] * pixels.shape[1] <= _MAX_PIXELS:
        raise WrongAnswerError(f"read as {pixels.dtype} {pixels.shape}")


def _require_same(pixels: NDArray[np.uint8], whole: WholePicture) -> None:
    if pixels.shape != whole.shown.shape:
        raise WrongAnswerError(f"read as {pixels.shape}, but it shows {whole.shown.shape}")
    apart = int(np.abs(pixels.astype(np.int16) - whole.shown).max())
    if apart > whole.tolerance:
        raise WrongAnswerError(f"samples differ from what it shows by up to {apart}")
