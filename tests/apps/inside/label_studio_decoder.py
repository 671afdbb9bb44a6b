"""Reads brush regions with Label Studio's own decoder; run by test_label_studio.py.

Standard input: JSON, a list of Label Studio's run lengths of pictures of 384 x 303 pixels. Prints COCO's run lengths.
"""

from __future__ import annotations

import json
import sys

from label_studio_sdk.converter.brush import decode_rle

from sam3_onnx.geometry import mask_to_rle

masks = [decode_rle(rle).reshape(303, 384, 4)[..., 3] > 0 for rle in json.load(sys.stdin)]
print(json.dumps([mask_to_rle(mask) for mask in masks]))
