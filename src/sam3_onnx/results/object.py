"""What clicks answer: one object, with every mask that the model thinks it may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn

from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import ObjectIterationError
from sam3_onnx.results.segmentation import Segmentation

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.draw.style import DrawOptions
    from sam3_onnx.images.loading import Picture
    from sam3_onnx.prompts.clicks import ObjectPrompt
    from sam3_onnx.results.embedding import Embedding
    from sam3_onnx.results.instance import Instance
    from sam3_onnx.results.shape import Shape, ShapeType

__all__ = ["ObjectSegmentation"]


@known_methods
@dataclass(frozen=True, eq=False)
class ObjectSegmentation:
    """One object that was pointed at.

    `candidates` are readings of the same object, not several objects, so it cannot be iterated as a `Segmentation` can;
    `segmentation()` is the best of them as one. Hand it to `Sam3Session.predict_object` in place of the picture to
    refine it by more clicks.
    """

    candidates: tuple[Instance, ...]
    """The masks that the object may be, by falling score; `score` is the IoU that the model expects."""
    object_score: float
    """In 0..1: how sure the model is that there is an object at all."""
    prompt: ObjectPrompt
    """All clicks and the box that led here, in pixels of the picture."""
    embedding: Embedding = field(repr=False)
    """The picture's features, so that a refinement encodes nothing."""
    timings: Mapping[str, float] = field(default_factory=dict, repr=False)
    """Seconds spent by stage: read, image, decode, select."""

    @property
    def best(self) -> Instance:
        """The candidate with the highest score."""
        return self.candidates[0]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.embedding.size

    def __iter__(self) -> NoReturn:
        """Refuses: what is one object is not gone through as many are.

        Raises:
            ObjectIterationError: Always; take `candidates`, or `segmentation()`.
        """
        raise ObjectIterationError(candidates=len(self.candidates))

    def __len__(self) -> NoReturn:
        raise ObjectIterationError(candidates=len(self.candidates))

    def __getitem__(self, index: object) -> NoReturn:
        raise ObjectIterationError(candidates=len(self.candidates))

    def __contains__(self, candidate: object) -> NoReturn:
        raise ObjectIterationError(candidates=len(self.candidates))

    def __bool__(self) -> bool:
        return True

    def shapes(
        self, mode: ShapeType = "polygon", *, epsilon: float | None = None, parts: Literal["largest", "all"] = "largest"
    ) -> list[Shape]:
        """What a label file holds of the best candidate; see `Segmentation.shapes`."""
        return self.segmentation().shapes(mode, epsilon=epsilon, parts=parts)

    def draw(
        self, image: Picture | None = None, *, color: Literal["rgb", "bgr"] = "rgb", **options: Unpack[DrawOptions]
    ) -> NDArray[np.uint8]:
        """Draws the best candidate onto a copy of its picture; see `Segmentation.draw`."""
        return self.segmentation().draw(image, color=color, **options)

    def save(
        self,
        path: str | os.PathLike[str],
        image: Picture | None = None,
        *,
        overwrite: bool = False,
        color: Literal["rgb", "bgr"] = "rgb",
        **options: Unpack[DrawOptions],
    ) -> Path:
        """Writes the picture with the best candidate on it; see `Segmentation.save`."""
        return self.segmentation().save(path, image, overwrite=overwrite, color=color, **options)

    def show(
        self, image: Picture | None = None, *, color: Literal["rgb", "bgr"] = "rgb", **options: Unpack[DrawOptions]
    ) -> None:
        """Shows the picture with the best candidate on it; see `Segmentation.show`."""
        self.segmentation().show(image, color=color, **options)

    def _repr_png_(self) -> bytes | None:
        return self.segmentation()._repr_png_()

    def _repr_html_(self) -> str:
        return self.segmentation()._repr_html_()

    def segmentation(self) -> Segmentation:
        """The best candidate alone, in the form in which concepts are answered, for drawing and writing."""
        return Segmentation((self.best,), self.size, self.timings, self.embedding.picture)
