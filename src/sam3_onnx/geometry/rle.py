"""Masks as COCO's run lengths, and back.

The format is that of the COCO API (`maskApi.c` of pycocotools): pixels are
taken column by column, and runs of background and foreground alternate,
beginning with a background run that may be of length 0. The compressed form
writes each run as a variable-length number in printable characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from sam3_onnx._support.checks import is_whole, require_flag, require_whole
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import MaskError
from sam3_onnx.geometry._masks import as_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A character of the compressed form is 48 plus six bits: the upper says that
# more follow, the others are five bits of the number, lowest first, in two's
# complement, so that the upper bit of the last five is the sign.
_FIRST_CHARACTER = 48
_MORE = 0x20
_DIGIT = 0x1F
_SIGN = 0x10
_DIGIT_BITS = 5
_MAX_DIGITS = 12  # sixty bits, which fit an int64
_LONGEST_RUN = (1 << 32) - 1  # pycocotools keeps runs as 32-bit unsigned numbers
DEFAULT_MAX_PIXELS = 178_956_970  # as of a picture: `sam3_onnx.images.DEFAULT_MAX_PIXELS`
_FIRST_DIFFERENCE = 3  # from the fourth run on, the difference to the run two before is written


class Rle(TypedDict):
    """A mask as run lengths, as in the `segmentation` field of COCO files."""

    size: list[int]
    """Height and width in pixels."""
    counts: str | list[int]
    """Compressed as text, or one length in pixels for each run."""


@known_keywords()
def mask_to_rle(mask: NDArray[np.generic], *, compressed: bool = True, threshold: float = 0.0) -> Rle:
    """Write a mask as COCO run lengths.

    Args:
        mask: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        compressed: Counts as text, as in COCO's result files; otherwise as a
            list of lengths, as for its crowd regions.
        threshold: Logits greater than this are foreground.

    Returns:
        A mapping that `json.dump` writes as it is. `pycocotools` takes the
        compressed form, and gives the same text as bytes.

    Raises:
        MaskError: `mask` is not a mask.
        OptionError: `threshold` is no finite number, or `compressed` neither True nor False.

    Example:
        >>> mask = np.array([[False, True], [False, True], [True, True]])
        >>> mask_to_rle(mask)
        {'size': [3, 2], 'counts': '24'}
        >>> mask_to_rle(mask, compressed=False)
        {'size': [3, 2], 'counts': [2, 4]}
    """
    require_flag("compressed", compressed)
    array = as_mask(mask, threshold)
    height, width = array.shape
    counts = _run_lengths(array.T.reshape(-1))
    return {"size": [height, width], "counts": _compress(counts) if compressed else counts.tolist()}


@known_keywords()
def rle_to_mask(rle: Mapping[str, object], *, max_pixels: int | None = DEFAULT_MAX_PIXELS) -> NDArray[np.bool_]:
    """Read a mask from COCO run lengths.

    Args:
        rle: `size` as height and width; `counts` compressed as str or bytes,
            or a sequence of lengths. Other keys are not looked at.
        max_pixels: A mask of more pixels is refused before any memory is taken
            for it, as a few bytes can claim any size; None refuses none.

    Returns:
        Bool array `(H, W)`.

    Raises:
        MaskError: A key is missing, the text is no compressed run lengths, the
            runs do not fill the picture exactly, or it is too large.
        OptionError: `max_pixels` is out of range.

    Example:
        >>> rle_to_mask({"size": [2, 3], "counts": [2, 1, 3]}).astype(int).tolist()
        [[0, 1, 0], [0, 0, 0]]
    """
    require_whole("max_pixels", max_pixels, least=1, none="for no limit")
    height, width = _size_of(rle)
    pixels = height * width
    if max_pixels is not None and pixels > max_pixels:
        raise MaskError(
            expected=f"a mask of at most {max_pixels} pixels",
            got=f"run lengths that claim {height} x {width}",
            remedy="Check size; if it is right, pass a higher max_pixels.",
        )
    counts = _counts_of(rle)
    if (counts < 0).any() or (counts > pixels).any() or counts.sum() != pixels:
        raise MaskError(
            expected=f"runs of at least 0 that sum to {height} x {width} = {pixels} pixels",
            got=f"{counts.size} runs that sum to {counts.sum()}, the smallest {counts.min(initial=0)}",
            remedy="Check that size is [height, width] and that counts is whole.",
        )
    is_foreground = np.arange(counts.size) % 2 == 1
    return np.ascontiguousarray(np.repeat(is_foreground, counts).reshape(width, height).T)


def _run_lengths(pixels: NDArray[np.bool_]) -> NDArray[np.int64]:
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = np.concatenate([[0] * (1 + int(pixels[0])), changes, [pixels.size]])
    return np.diff(edges)


def _compress(counts: NDArray[np.int64]) -> str:
    numbers = counts.copy()
    numbers[_FIRST_DIFFERENCE:] -= counts[1:-2]
    columns = []
    unfinished = np.ones(numbers.size, dtype=np.bool_)
    while unfinished.any():
        digit = numbers & _DIGIT
        numbers >>= _DIGIT_BITS
        more = numbers != np.where(digit & _SIGN, -1, 0)
        character = _FIRST_CHARACTER + digit + np.where(more, _MORE, 0)
        columns.append(np.where(unfinished, character, 0).astype(np.uint8))
        unfinished &= more
    table = np.stack(columns, axis=1)
    return table[table > 0].tobytes().decode("ascii")


def _decompress(text: bytes) -> NDArray[np.int64]:
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.int64) - _FIRST_CHARACTER
    is_last = codes & _MORE == 0
    if codes.size == 0 or not is_last[-1] or codes.min() < 0 or codes.max() > (_MORE | _DIGIT):
        raise _malformed("text that is empty, cut off, or has characters outside '0' to 'o'")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MAX_DIGITS:
        raise _malformed(f"a number of {lengths.max()} characters")
    places = _DIGIT_BITS * (np.arange(codes.size) - np.repeat(starts, lengths))
    numbers = np.add.reduceat((codes & _DIGIT) << places, starts)
    numbers -= np.where(codes[ends] & _SIGN, 1 << (_DIGIT_BITS * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _size_of(rle: object) -> tuple[int, int]:
    match _field(rle, "size"):
        case [height, width] if is_whole(height) and is_whole(width) and height > 0 and width > 0:
            return int(height), int(width)
        case other:
            raise MaskError(expected="run lengths with size [height, width], both above 0", got=f"size {other!r}")


def _field(rle: object, name: str) -> object:
    if not isinstance(rle, Mapping):
        raise MaskError(expected="run lengths: a mapping with size and counts", got=type(rle).__name__)
    return rle.get(name)


def _counts_of(rle: object) -> NDArray[np.int64]:
    match _field(rle, "counts"):
        case str(text) if text.isascii():
            return _decompress(text.encode())
        case bytes(text):
            return _decompress(text)
        case [*runs] if all(is_whole(run) and 0 <= run <= _LONGEST_RUN for run in runs):
            return np.array(runs, dtype=np.int64)
        case str():
            raise _malformed("text with characters outside '0' to 'o'")
        case [*_]:
            raise _malformed("a list with an item that is no such number")
        case other:
            raise _malformed(f"counts of type {type(other).__name__}")


def _malformed(got: str) -> MaskError:
    return MaskError(
        expected="COCO run lengths: counts as compressed text, or as a list of whole numbers of at least 0",
        got=got,
        remedy="Read the file again, or encode the mask again with mask_to_rle.",
    )
