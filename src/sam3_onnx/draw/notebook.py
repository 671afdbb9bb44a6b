"""Results as a notebook shows them.

Everything that is shown lands in the notebook's file, so pictures are bounded in size, and a table in rows. Colours are
the page's own, so that the table can be read on dark and on light.
"""

from __future__ import annotations

import base64
import html
from itertools import islice
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sam3_onnx._support.forking import undivided
from sam3_onnx.draw.overlay import draw_result
from sam3_onnx.draw.style import instance_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sam3_onnx.draw.overlay import Drawable, DrawableInstance

__all__ = ["NOTEBOOK_ROWS", "NOTEBOOK_SIDE", "encoded_for_notebook", "html_of", "png_of"]

NOTEBOOK_SIDE = 1024
"""Pixels of the longer side of the picture in a notebook, at most."""
NOTEBOOK_ROWS = 50
"""Instances in the table in a notebook, at most; the rest is counted."""
_JPEG_QUALITY = 90


def png_of(image: NDArray[np.uint8], result: Drawable) -> bytes:
    """A result on its picture as a PNG, NOTEBOOK_SIDE pixels long at most.

    Args:
        image: (H, W, 3) uint8 RGB, the picture of this result.
        result: What was found.
    """
    return encoded_for_notebook(draw_result(image, result))


def encoded_for_notebook(image: NDArray[np.uint8]) -> bytes:
    """A picture (H, W, 3) uint8 RGB as a PNG, NOTEBOOK_SIDE pixels long at most."""
    return _encoded(".png", _bounded(image), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def html_of(image: NDArray[np.uint8] | None, result: Drawable, *, title: str, absence: str = "") -> str:
    """A result as HTML: a title, the picture with the instances on it, and a table of them.

    Args:
        image: (H, W, 3) uint8 RGB, the picture of this result; None where it is not at hand.
        result: What was found.
        title: Line of text above.
        absence: Line of text in place of a picture that is not at hand.

    Returns:
        HTML that loads nothing from elsewhere. The picture is a JPEG, which is smaller than `png_of`.
    """
    found = list(result)
    if image is None:
        picture = f'<p style="opacity:.75">{html.escape(absence)}</p>'
    else:
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        data = base64.b64encode(_encoded(".jpg", _bounded(draw_result(image, result)), options)).decode()
        picture = (
            f'<img alt="{html.escape(title)}" src="data:image/jpeg;base64,{data}" style="max-width:100%;height:auto">'
        )
    return f"<div><p><strong>{html.escape(title)}</strong></p>{picture}{_table(found)}</div>"


@undivided()
def _bounded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    share = NOTEBOOK_SIDE / max(height, width)
    if share >= 1:
        return image
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(kind: str, image: NDArray[np.uint8], options: list[int]) -> bytes:
    _, data = cv2.imencode(kind, image[..., ::-1], options)
    return data.tobytes()


_CELL = "padding:.2em .8em .2em 0;text-align:{side};border:0;color:inherit;background:transparent"
_COLUMNS = (("", "left"), ("label", "left"), ("score", "right"), ("x1, y1, x2, y2", "right"), ("pixels", "right"))


def _table(found: Sequence[DrawableInstance]) -> str:
    if not found:
        return ""
    rows = [_row("th", [name for name, _ in _COLUMNS])]
    for index, instance in enumerate(islice(found, NOTEBOOK_ROWS)):
        red, green, blue = instance_colour(index)
        swatch = (
            f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:50%;'
            f'background:rgb({red},{green},{blue})"></span> {index + 1}'
        )
        box = ", ".join(f"{edge:.0f}" for edge in instance.box.tolist())
        cells = [swatch, html.escape(instance.label), f"{instance.score:.2f}", box, str(instance.area)]
        rows.append(_row("td", cells))
    style = "border-collapse:collapse;margin:.5em 0;color:inherit;background:transparent"
    table = f'<table style="{style}">{"".join(rows)}</table>'
    left = len(found) - NOTEBOOK_ROWS
    return f"{table}<p>and {left} more</p>" if left > 0 else table


def _row(tag: str, cells: Sequence[str]) -> str:
    pairs = zip(cells, _COLUMNS, strict=True)
    inner = "".join(f'<{tag} style="{_CELL.format(side=side)}">{cell}</{tag}>' for cell, (_, side) in pairs)
    return f'<tr style="background:transparent;color:inherit">{inner}</tr>'
