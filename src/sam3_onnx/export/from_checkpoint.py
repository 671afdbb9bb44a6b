"""One step from a checkpoint to an export, as the command line takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sam3_onnx._support.keywords import known_keywords
from sam3_onnx.errors import OptionError
from sam3_onnx.export.checkpoint import load_model, load_tracker
from sam3_onnx.export.contracts.native import export_bundle
from sam3_onnx.export.contracts.six_file import export_six_file

if TYPE_CHECKING:
    from pathlib import Path

    from sam3_onnx.export.comparison.report import ExportReport
    from sam3_onnx.export.modules.attention import Attention
    from sam3_onnx.export.pipeline import Progress

__all__ = ["export_checkpoint"]


@known_keywords()
def export_checkpoint(  # noqa: PLR0913 - keyword-only options of one step
    checkpoint: str | Path,
    folder: str | Path,
    *,
    contract: Literal["native", "six-file"] = "native",
    tracker: bool = False,
    storage: Literal["float32", "float16"] = "float32",
    attention: Attention = "auto",
    split_masks: bool = True,
    size: tuple[int, int] | None = None,
    threshold: float | None = None,
    source: str | None = None,
    licence: str = "that of the source",
    progress: Progress | None = None,
) -> ExportReport:
    """Loads a checkpoint, exports it and compares the two.

    Args:
        checkpoint: A folder of transformers, or the id of one on its hub, such as "facebook/sam3".
        folder: Where the export goes; see `export_bundle` and `export_six_file`.
        contract: "native", or "six-file" for X-AnyLabeling.
        tracker: Adds clicks; for the native contract, and a checkpoint that holds a tracker.
        storage: "float16" rounds the weights and halves the files.
        attention: "plain" for providers other than CPU, CUDA and DirectML; see `export_bundle`.
        split_masks: The mask head is a graph of its own; False makes one decoder, and is for the native contract.
        size: (height, width) of the input, multiples of the patch size; None for the checkpoint's own.
        threshold: Of the six files, in 0..1; None for 0.5.
        source: Where the weights come from; None for the checkpoint's name.
        licence: Of the weights.
        progress: Is told what begins.

    Raises:
        OptionError: Options that do not go together, or a size or threshold out of range.
        CheckpointError: The checkpoint is not one of SAM 3, or lacks weights.
        ExportError: As `export_bundle` and `export_six_file`.
        OSError: A file cannot be written.
    """
    if contract == "six-file" and tracker:
        raise OptionError("tracker", expected="left out with the six-file contract", got=tracker)
    if contract == "native" and threshold is not None:
        raise OptionError("threshold", expected="left out with the native contract, which cuts nothing", got=threshold)
    if contract == "six-file" and not split_masks:
        raise OptionError("split_masks", expected="left out with the six-file contract", got=split_masks)
    name = str(checkpoint)
    if progress is not None:
        progress(f"load {name}")
    model = load_model(name, size=size)
    if contract == "six-file":
        cut = 0.5 if threshold is None else threshold
        return export_six_file(
            model,
            folder,
            source=source or name,
            licence=licence,
            threshold=cut,
            storage=storage,
            attention=attention,
            progress=progress,
        )
    return export_bundle(
        model,
        folder,
        source=source or name,
        licence=licence,
        tracker=load_tracker(name, size=size) if tracker else None,
        storage=storage,
        attention=attention,
        split_masks=split_masks,
        progress=progress,
    )
