"""What a person draws in Label Studio, as it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Ask = Callable[..., Mapping[str, Any]]

SCRIPT = Path(__file__).parents[2] / "examples" / "label-studio" / "sam3_backend.py"
ONE_COIN = {"x": 100 * 21 / 384, "y": 100 * 34 / 303, "width": 100 * 44 / 384, "height": 100 * 38 / 303, "rotation": 0}
"""The first coin of the photograph, 21, 34, 65, 72 in pixels, as Label Studio sends a smart rectangle."""


def rectangle(label: str = "coin", **more: object) -> dict[str, object]:
    value = {**ONE_COIN, "rectanglelabels": [label], **more}
    return {"type": "rectanglelabels", "from_name": "example", "to_name": "image", "value": value}


def words(text: str | list[str]) -> dict[str, object]:
    return {"type": "textarea", "from_name": "words", "to_name": "image", "value": {"text": text}}
