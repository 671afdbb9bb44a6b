"""How far an export and its model differ, and how far they may."""

from __future__ import annotations

from dataclasses import dataclass

from sam3_onnx.errors import ExportMismatchError

__all__ = ["ExportReport"]

_SCORE_TOLERANCE = 1e-4
_IOU_TOLERANCE = 0.99
_EDGE_TOLERANCE = 5e-4  # half a pixel of a picture of 1008 pixels
_MEMORY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class ExportReport:
    """How far an export and its model differ, at worst over all cases."""

    score: float
    """Largest difference of a score, in 0..1."""
    box: float
    """Largest difference of a box edge, as a share of the picture."""
    mask_iou: float
    """Smallest IoU of a query's mask with the model's."""
    cases: int
    """How many questions were asked, clicks and steps of a video among them."""
    memory: float | None = None
    """Largest mean difference of what is remembered in a video, in standard deviations; None without video."""

    def __str__(self) -> str:
        told = f"{self.cases} cases: scores within {self.score:.1e}, boxes {self.box:.1e}, mask IoU {self.mask_iou:.4f}"
        return told if self.memory is None else f"{told}, memories {self.memory:.1e}"

    def require_agreement(self) -> ExportReport:
        """Itself, if the differences are within what is allowed.

        Raises:
            ExportMismatchError: They are not, or one is NaN.
        """
        remembers = self.memory is None or self.memory <= _MEMORY_TOLERANCE
        agrees = self.score <= _SCORE_TOLERANCE and self.box <= _EDGE_TOLERANCE and self.mask_iou >= _IOU_TOLERANCE
        if agrees and remembers:
            return self
        expected = (
            f"scores within {_SCORE_TOLERANCE}, boxes within {_EDGE_TOLERANCE} and mask IoU of at least "
            f"{_IOU_TOLERANCE}{'' if self.memory is None else f', memories within {_MEMORY_TOLERANCE}'}"
        )
        raise ExportMismatchError(expected=expected, got=str(self))
