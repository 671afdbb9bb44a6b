"""What can be wrong with models that are had by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx.errors.models import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["UnknownModelError"]


class UnknownModelError(ModelError, LookupError):
    """`from_pretrained` was given a name that stands for no model."""

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        super().__init__(
            f"No model is called {name!r}. Known names: {', '.join(known)}. "
            "For model files that you already have, use Sam3Session.from_folder(FOLDER) or Sam3Session.from_files(...)."
        )
