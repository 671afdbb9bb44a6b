"""JSON that is read strictly and written so that other programs read the same, and masks as text in it."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx.errors import LabelFileDamagedError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["dump_json", "mask_from_text", "mask_to_text", "parse_json"]


def parse_json(content: bytes, path: str | os.PathLike[str]) -> object:
    """Returns what JSON in UTF-8 says, with or without a byte order mark.

    Args:
        content: The bytes of a file.
        path: What the file is called, for messages.

    Raises:
        LabelFileDamagedError: It is not JSON. NaN and infinities are none, though Python's own parser takes them.
    """
    try:
        parsed: object = json.loads(content.decode("utf-8-sig"), parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        reason = "an empty file" if not content.strip() else str(error)
        raise LabelFileDamagedError(Path(path), expected="JSON in UTF-8", reason=reason) from error
    return parsed


def dump_json(content: object, *, indent: int | None = 2) -> bytes:
    """Returns JSON in UTF-8, letters of every script as they are, with a line's end at the end.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    try:
        return f"{json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False)}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair: UTF-8 has no form for it, an escape sequence is one
        return f"{json.dumps(content, indent=indent, allow_nan=False)}\n".encode()


def mask_to_text(mask: NDArray[np.bool_]) -> str:
    """Returns a bool mask (h, w) as a grey PNG of 0 and 1 in base64, as labelme writes it."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8))
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def mask_from_text(text: str) -> NDArray[np.bool_]:
    """Returns the pixels that are not 0 of a grey picture in base64.

    Raises:
        ValueError: It is no base64, or no picture.
    """
    data = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if decoded is None:
        raise ValueError("no picture")
    return np.asarray(decoded) > 0


def _refused(constant: str) -> float:
    raise ValueError(f"{constant}, which is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits}, which is too large")
    return number
