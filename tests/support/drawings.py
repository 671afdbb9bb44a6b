"""Plain pictures, and blocks drawn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.draw import draw_instances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]


def ground(height: int = 300, width: int = 400, level: int = 90) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def block(size: tuple[int, int], box: Sequence[float]) -> NDArray[np.bool_]:
    x1, y1, x2, y2 = (int(edge) for edge in box)
    mask = np.zeros(size, np.bool_)
    mask[y1:y2, x1:x2] = True
    return mask


def drawn(
    image: NDArray[np.uint8], boxes: Sequence[Sequence[float]], labels: Sequence[str] = (), opacity: float = 0.45
) -> NDArray[np.uint8]:
    return draw_instances(
        image,
        masks=[block(image.shape[:2], box) for box in boxes],
        labels=labels or ["coin"] * len(boxes),
        scores=[0.9] * len(boxes),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        opacity=opacity,
    )
