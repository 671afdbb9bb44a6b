"""Writes tests/data/miniature/coins_truth.json: the 24 coins of examples/pictures/coins.png, by watershed.

Needs scikit-image and SciPy. The classical segmentation of scikit-image's gallery (sobel, markers
by grey level, watershed, filled holes) is right on this picture but for specks, which are dropped.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
from evaluate import COINS, COINS_TRUTH
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed

from sam3_onnx.geometry import mask_to_rle

SMALLEST = 500


def main() -> None:
    """Segments and writes."""
    picture = cv2.imread(str(COINS), cv2.IMREAD_GRAYSCALE)
    markers = np.zeros(picture.shape, int)
    markers[picture < 30] = 1
    markers[picture > 150] = 2
    labels, count = ndimage.label(ndimage.binary_fill_holes(watershed(sobel(picture), markers) - 1))
    masks = [labels == index for index in range(1, count + 1)]
    coins = [mask_to_rle(mask) for mask in masks if mask.sum() > SMALLEST]
    COINS_TRUTH.write_text(json.dumps({"picture": COINS.name, "coins": coins}) + "\n")
    print(len(coins), "coins")


if __name__ == "__main__":
    main()
