"""Checks of arrays that callers pass as masks, their conversion to bool, and the extent of their foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_number
from sam3_onnx.errors import MaskError, OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def foreground(array: NDArray[np.generic], threshold: float) -> NDArray[np.bool_]:
    """Converts an array to bool, where True is foreground.

    Args:
        array: Any shape. Bool: True is foreground. Integer: nonzero is
            foreground. Floating point: greater than `threshold` is foreground.
        threshold: Used for floating-point arrays only.

    Returns:
        Bool array of the same shape; `array` itself if it is bool.

    Raises:
        MaskError: `array` has another dtype, a NaN, or an integer below zero.
        OptionError: `threshold` is not a finite number.
    """
    if not is_number(threshold):
        raise OptionError("threshold", expected="a number", got=threshold)
    if np.issubdtype(array.dtype, np.bool_):
        return np.asarray(array, dtype=np.bool_)
    if np.issubdtype(array.dtype, np.integer):
        _reject_negative(array)
        return np.asarray(np.not_equal(array, 0))
    if np.issubdtype(array.dtype, np.floating):
        _reject_nan(array)
        return np.asarray(np.greater(array, threshold))
    raise MaskError(
        expected="a bool, integer or floating-point array",
        got=f"dtype {array.dtype}",
        remedy="Convert it, for example with mask.astype(bool).",
    )


def as_mask(mask: NDArray[np.generic], threshold: float) -> NDArray[np.bool_]:
    """Checks a mask from a caller and converts it to a bool array.

    Args:
        mask: `(H, W)` or `(1, H, W)`, neither H nor W zero.
        threshold: As for `foreground`.

    Returns:
        Bool array `(H, W)`; a view of `mask` if it is bool.

    Raises:
        MaskError: `mask` has another shape or dtype, or a NaN.
        OptionError: `threshold` is not a finite number.
    """
    array = _array_of(mask)
    plane = array[0] if array.ndim == 3 and array.shape[0] == 1 else array  # noqa: PLR2004 - (1, H, W)
    if plane.ndim != 2 or plane.size == 0:  # noqa: PLR2004 - (H, W)
        raise MaskError(
            expected="shape (H, W) or (1, H, W) with at least one pixel",
            got=f"shape {array.shape}",
            remedy="Pass one mask at a time, with a single channel.",
        )
    return foreground(plane, threshold)


def as_stack(masks: NDArray[np.generic]) -> NDArray[np.generic]:
    """Checks that an array has the shape of a stack of masks.

    Args:
        masks: `(N, H, W)`; N may be zero, H and W may not.

    Returns:
        The same array.

    Raises:
        MaskError: `masks` has another shape.
    """
    stack = _array_of(masks)
    if stack.ndim != 3 or 0 in stack.shape[1:]:  # noqa: PLR2004 - (N, H, W)
        raise MaskError(
            expected="a stack of shape (N, H, W) with at least one pixel per mask",
            got=f"shape {stack.shape}",
            remedy="Stack masks with np.stack; for a single mask, pass mask[np.newaxis].",
        )
    return stack


def extent(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Returns the rows and columns that contain all foreground.

    Args:
        mask: Bool array `(H, W)`.

    Returns:
        Slices of rows and of columns, so that `mask[extent(mask)]` is the
        smallest crop with all foreground; None if there is no foreground.

    Example:
        >>> extent(np.array([[False, False, False], [False, True, True]]))
        (slice(1, 2, None), slice(1, 3, None))
        >>> extent(np.zeros((2, 3), dtype=bool)) is None
        True
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    between = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero(mask[between].any(axis=0))
    return between, slice(int(columns[0]), int(columns[-1]) + 1)


def _array_of(mask: object) -> NDArray[np.generic]:
    try:
        return np.asarray(mask)
    except (TypeError, ValueError) as error:  # lists with rows of different lengths, or that contain themselves
        got = type(mask).__name__
        raise MaskError(
            expected="an array",
            got=f"{got} that cannot be converted to one ({error})",
            remedy="Pass a mask.",
        ) from error


def _reject_negative(array: NDArray[np.generic]) -> None:
    if np.issubdtype(array.dtype, np.signedinteger) and np.less(array, 0).any():
        raise MaskError(
            expected="integers of at least 0, where nonzero is foreground",
            got=f"{array.dtype} with values below 0",
            remedy="Convert it to bool, for example with mask > 0.",
        )


def _reject_nan(array: NDArray[np.generic]) -> None:
    if np.not_equal(array, array).any():
        raise MaskError(
            expected="values without NaN",
            got=f"NaN among its {array.dtype} values",
            remedy="Check where NaN comes from; np.nan_to_num(mask, nan=-1.0) turns it into background.",
        )
