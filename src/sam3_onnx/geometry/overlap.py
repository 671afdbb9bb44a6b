"""The overlap of masks, and suppression of masks that repeat a better one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.checks import is_share
from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import MaskError, OptionError
from sam3_onnx.geometry._masks import as_mask, as_stack, foreground
from sam3_onnx.geometry.window import Window, window_iou

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@known_keywords()
def mask_iou(a: NDArray[np.generic], b: NDArray[np.generic], *, threshold: float = 0.0) -> float:
    """Intersection over union of two masks.

    Args:
        a: `(H, W)` or `(1, H, W)`, bool, integer or floating point.
        b: The same for the same H and W; the dtype may differ.
        threshold: Logits greater than this are foreground.

    Returns:
        A number in `[0, 1]`: pixels in both over pixels in either. Two empty
        masks have 0.0, since neither repeats the other.

    Raises:
        MaskError: An argument is not a mask, or their sizes differ.
        OptionError: `threshold` is NaN.

    Example:
        >>> a = np.array([[True, True, False]])
        >>> b = np.array([[False, True, True]])
        >>> round(mask_iou(a, b), 4)
        0.3333
        >>> mask_iou(np.zeros((2, 2)), np.zeros((2, 2)))
        0.0
    """
    first, second = as_mask(a, threshold), as_mask(b, threshold)
    _check_same_size(first.shape, second.shape)
    return window_iou(Window.of(first), Window.of(second))


@known_keywords()
def mask_iou_matrix(a: NDArray[np.generic], b: NDArray[np.generic], *, threshold: float = 0.0) -> NDArray[np.float64]:
    """Intersection over union of every mask of one stack with every mask of another.

    Args:
        a: `(N, H, W)`, bool, integer or floating point; N may be zero.
        b: `(M, H, W)` for the same H and W; the dtype may differ.
        threshold: Logits greater than this are foreground.

    Returns:
        `(N, M)`, each as `mask_iou` gives it.

    Raises:
        MaskError: An argument is not a stack of masks, or their sizes differ.
        OptionError: `threshold` is NaN.

    Example:
        >>> stack = np.array([[[True, True]], [[True, False]]])
        >>> mask_iou_matrix(stack, stack).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    first, second = as_stack(a), as_stack(b)
    _check_same_size(first.shape[1:], second.shape[1:])
    rows = [Window.of(foreground(mask, threshold)) for mask in first]
    columns = [Window.of(foreground(mask, threshold)) for mask in second]
    overlaps = [window_iou(row, column) for row in rows for column in columns]
    return np.array(overlaps, dtype=np.float64).reshape(len(rows), len(columns))


@known_keywords()
def non_max_suppression(
    masks: NDArray[np.generic],
    scores: ArrayLike,
    *,
    iou_threshold: float = 0.5,
    threshold: float = 0.0,
) -> NDArray[np.intp]:
    """Leave out masks that repeat one of a higher score.

    Args:
        masks: `(N, H, W)`, bool, integer or floating point; N may be zero.
        scores: `(N,)`.
        iou_threshold: In `[0, 1]`. A mask is left out if its intersection over
            union with a kept one is greater than this.
        threshold: Logits greater than this are foreground.

    Returns:
        Indices of the kept masks by falling score; of equal scores the earlier
        index comes first.

    Raises:
        MaskError: `masks` is not a stack of masks.
        OptionError: `scores` does not fit or has a NaN, or an option is
            outside its range.

    Example:
        >>> stack = np.array([[[1, 1, 0, 0]], [[1, 1, 1, 0]], [[0, 0, 0, 1]]])
        >>> non_max_suppression(stack, [0.8, 0.9, 0.7]).tolist()
        [1, 2]
    """
    return suppress_overlaps(mask_iou_matrix(masks, masks, threshold=threshold), scores, iou_threshold)


@known_keywords()
def suppress_overlaps(iou_matrix: ArrayLike, scores: ArrayLike, iou_threshold: float = 0.5) -> NDArray[np.intp]:
    """Do what `non_max_suppression` does, from overlaps that are known already.

    Greedy: the highest score is kept, what overlaps it too much is left out,
    and so on with what remains.

    Args:
        iou_matrix: `(N, N)`, symmetric, in `[0, 1]`; of masks or of boxes.
        scores: `(N,)`.
        iou_threshold: In `[0, 1]`; overlaps greater than this are too much.

    Returns:
        Indices of what is kept by falling score; of equal scores the earlier
        index comes first.

    Raises:
        OptionError: Shapes do not fit, a NaN, or a threshold outside `[0, 1]`.

    Example:
        >>> suppress_overlaps([[1.0, 0.6], [0.6, 1.0]], [0.4, 0.9]).tolist()
        [1]
        >>> suppress_overlaps([[1.0, 0.6], [0.6, 1.0]], [0.4, 0.9], 0.6).tolist()
        [1, 0]
    """
    overlaps, ranking = _numbers("iou_matrix", iou_matrix), _numbers("scores", scores)
    if not is_share(iou_threshold):
        raise OptionError("iou_threshold", expected="in [0, 1]", got=iou_threshold)
    if ranking.ndim != 1 or overlaps.shape != (len(ranking), len(ranking)):
        raise OptionError(
            "scores", expected=f"one number for each row of {overlaps.shape} overlaps", got=f"shape {ranking.shape}"
        )
    if np.isnan(ranking).any() or np.isnan(overlaps).any():
        raise OptionError("scores and overlaps", expected="numbers", got="NaN among them")
    kept: list[int] = []
    remaining = np.ones(len(ranking), dtype=np.bool_)
    for index in np.argsort(-ranking, kind="stable").tolist():
        if remaining[index]:
            kept.append(index)
            remaining &= overlaps[index] <= iou_threshold
    return np.array(kept, dtype=np.intp)


def _check_same_size(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    if first != second:
        raise MaskError(
            expected="two masks of the same height and width",
            got=f"{first} and {second}",
            remedy="Resize the logits, not the masks, to one size first.",
        )


def _numbers(name: str, given: object) -> NDArray[np.float64]:
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise OptionError(name, expected="an array of numbers", got=type(given).__name__) from error
