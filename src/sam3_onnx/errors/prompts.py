"""Errors of prompts: text, boxes, marks and clicks."""

from __future__ import annotations

from sam3_onnx.errors.base import Sam3Error

__all__ = [
    "BoxError",
    "EmptyPromptError",
    "MarkError",
    "PointError",
    "PromptError",
    "PromptTooLongError",
    "UnsupportedPromptError",
]

_SHOWN = 60  # characters of a prompt that a message repeats


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class PromptError(Sam3Error):
    """A prompt cannot be used."""


class EmptyPromptError(PromptError, ValueError):
    """A prompt contains nothing to look for."""

    def __init__(
        self,
        *,
        got: str,
        expected: str = "at least one word or one positive box",
        remedy: str = 'Pass text such as "person, car", or boxes=[Box(x1, y1, x2, y2)].',
    ) -> None:
        super().__init__(f"The prompt is empty: expected {expected}, got {got}. {remedy}")


class PromptTooLongError(PromptError, ValueError):
    """A prompt has more tokens than the context of the text encoder."""

    def __init__(self, text: str, *, count: int, limit: int) -> None:
        self.count = count
        super().__init__(
            f"The prompt {_shortened(text)!r} is too long: expected at most {limit} tokens with start and end, "
            f"got {count}. Shorten it, or pass truncate=True to cut it at the limit."
        )


class BoxError(PromptError, ValueError):
    """A box prompt is not a box, or has no area inside the picture."""

    def __init__(self, box: str, *, reason: str, expected: str) -> None:
        super().__init__(f"The box {box} cannot be used: {reason}. Expected {expected}.")


class PointError(PromptError, ValueError):
    """A click is not a point in the picture, or the numbers of clicks and labels differ."""

    def __init__(self, point: str, *, reason: str, expected: str, what: str = "click") -> None:
        super().__init__(f"The {what} {point} cannot be used: {reason}. Expected {expected}.")


class MarkError(PromptError, ValueError):
    """A mark does not have the form that X-AnyLabeling uses."""

    def __init__(self, mark: str, *, reason: str) -> None:
        super().__init__(
            f"The mark {mark} cannot be used: {reason}. Expected "
            '{"type": "rectangle", "data": [x1, y1, x2, y2], "label": 1} with label 1 (positive) or 0 (negative).'
        )


class UnsupportedPromptError(PromptError, ValueError):
    """The export family of the model does not support this kind of prompt."""

    def __init__(self, *, family: str, wanted: str, allowed: str, remedy: str) -> None:
        super().__init__(f"The {family} model does not support {wanted}; it supports {allowed}. {remedy}")
