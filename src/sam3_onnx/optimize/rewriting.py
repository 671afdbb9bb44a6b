"""Conversion of an export graph by graph; stages with results outside the limits are reverted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from sam3_onnx.errors import FidelityError, OptionError
from sam3_onnx.models.families.folder import exports_in_folder
from sam3_onnx.optimize.attention import fuse_attention
from sam3_onnx.optimize.convolutions import fold_pointwise
from sam3_onnx.optimize.examined_model import ExaminedModel, first_call
from sam3_onnx.optimize.fidelity import STAGES, WHOLE, compare, stage_of
from sam3_onnx.optimize.graph_files import bytes_of, copy_graph, remove_graph
from sam3_onnx.optimize.graphs import is_quantized, load_graph, set_metadata, write_graph
from sam3_onnx.optimize.half import overflowing, to_half
from sam3_onnx.optimize.int8 import to_int8
from sam3_onnx.optimize.projections import split_projections
from sam3_onnx.optimize.report import GraphChange
from sam3_onnx.optimize.static_int8 import to_static_int8
from sam3_onnx.optimize.timing import paired_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.optimize.fidelity import Fidelity
    from sam3_onnx.optimize.splitting import Split

__all__ = ["GraphPrecision", "Rewriting"]

GraphPrecision: TypeAlias = Literal["fp32", "int8", "int8-static", "fp16"]
"""Precision of the converted graphs: "fp32" is unchanged, "int8" has linear layers in 8 bits, "int8-static" has only
those of the image encoder in 8 bits, with fixed ranges, and "fp16" is half precision."""

_UNCHANGED = "unchanged"
_MANIFEST_KEY = "sam3_onnx.precision"
_WRITTEN_AS = {"int8": "int8", "int8-static": "int8-static", "fp16": "float16"}


@dataclass(frozen=True)
class _Change:
    """A graph during its conversion."""

    graph: GraphInfo
    place: Path
    """Path of the new graph."""
    why: str = ""
    precision: str = _UNCHANGED

    @property
    def rewritten(self) -> bool:
        """Whether the graph was changed."""
        return self.precision != _UNCHANGED


class Rewriting:
    """The conversion of an export."""

    def __init__(
        self,
        split: Split,
        *,
        roots: Sequence[Path],
        draft: Path,
        precision: GraphPrecision,
        fuse: bool,
        calibration: Mapping[str, NDArray[np.uint8]],
        tell: Callable[[str], None],
    ) -> None:
        """Prepares the conversion, without running it.

        Args:
            split: The original export.
            roots: Its folder, and the folder of its decoder's parts.
            draft: Temporary folder of the new export.
            precision: New precision.
            fuse: Whether to fuse attention into one operator.
            calibration: Pictures (H, W, 3) uint8 RGB by name, from which "int8-static" computes ranges.
            tell: Function that is called with a line for each step.
        """
        self._before = self._after = split.model
        self._split, self._calibration = split, calibration
        self._draft, self._precision, self._fuse, self._tell = draft, precision, fuse, tell
        self._changes = {
            role: _Change(model.graph, draft / _below(model.graph.path, roots))
            for role, model in split.model.models.items()
        }

    def convert(self, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]) -> None:
        """Writes every graph, converted if possible.

        Args:
            pictures: Pictures (H, W, 3) uint8 RGB, by name; the first one shows which values overflow.
            words: Words to look for.

        Raises:
            OptionError: No graph can be converted.
        """
        if self._precision == "fp16":
            self._tell("running the original graphs")
            self._before.run(next(iter(pictures.values())), words)
        for role, change in self._changes.items():
            self._tell(f"converting {change.graph.path.name}")
            change.place.parent.mkdir(parents=True, exist_ok=True)
            self._changes[role] = self._converted(role, change)
        if not self._rewritten():
            raise OptionError(
                "precision",
                expected="one that changes this export",
                got=self._precision,
                remedy="Each graph is already converted, or has no layers that are large enough.",
            )

    def settle(self, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]) -> Mapping[str, Fidelity]:
        """Compares the results, and reverts stages outside the limits, until all results are within the limits.

        Args:
            pictures: Pictures (H, W, 3) uint8 RGB, by name.
            words: Words to look for.

        Returns:
            The differences for each stage, and for the complete model.

        Raises:
            FidelityError: All stages were reverted.
        """
        reasons: list[str] = []
        while stages := self._rewritten():
            self._tell(f"comparing on {', '.join(pictures)}")
            self._after = ExaminedModel(exports_in_folder(self._draft))
            fidelity = compare(self._before, self._after, pictures, words)
            faulty = {stage: fidelity[stage].faults for stage in stages if fidelity[stage].faults}
            if not faulty and not fidelity[WHOLE].faults:
                if reasons and all(change.precision != self._precision for change in self._changes.values()):
                    break
                return fidelity
            worst = max(stages, key=lambda stage: 1 - fidelity[stage].mean_iou + fidelity[stage].score)
            for stage, faults in (faulty or {worst: fidelity[WHOLE].faults}).items():
                reasons.append(f"{stage}: {'; '.join(faults)}")
                self._take_back(stage, "; ".join(faults))
        raise FidelityError(self._precision, reasons=reasons)

    def changes(self, pairs: int) -> list[GraphChange]:
        """Returns the change of each graph, with times for converted graphs."""
        rows = []
        for role, change in self._changes.items():
            before, after = self._before.models[role], self._after.models[role]
            time = None
            if change.rewritten:
                self._tell(f"timing {change.graph.path.name}")
                outputs, feeds = first_call(before)
                time = paired_time(before, after, outputs, feeds, pairs=pairs)
            file = change.place.relative_to(self._draft).as_posix()
            sizes = bytes_of(before.graph), bytes_of(after.graph)
            rows.append(GraphChange(role, file, change.precision, change.why, *sizes, time))
        return rows

    def close(self) -> None:
        """Unloads all models."""
        for asked in (self._before, self._after):
            for model in asked.models.values():
                model.close()

    def _converted(self, role: str, change: _Change) -> _Change:
        """Writes a graph in the new precision, or copies it if there is nothing to convert."""
        return self._written(role, change, self._precision)

    def _written(self, role: str, change: _Change, wanted: GraphPrecision) -> _Change:
        model, folder = load_graph(change.graph.path), change.graph.path.parent
        notes = _exact_rewrites(model, folder, fuse=self._fuse)
        precision = "fp32" if notes or role in self._split.parts else _UNCHANGED
        notes += [self._split.remarks[role]] if role in self._split.remarks else []
        if wanted != "fp32":
            count, what = self._rounded(role, model, folder)
            notes.insert(0, what)
            if count:
                precision = wanted
                set_metadata(model, _MANIFEST_KEY, _WRITTEN_AS[precision])
        if precision == _UNCHANGED:
            copy_graph(change.graph, change.place)
        else:
            write_graph(model, change.place, weights_from=folder)
        return replace(change, precision=precision, why=", ".join(notes))

    def _rounded(self, role: str, model: onnx.ModelProto, folder: Path) -> tuple[int, str]:
        """Converts a graph in place; returns the number of converted nodes or layers, and a text about it."""
        if is_quantized(model):
            return 0, "already quantised"
        if self._precision in {"int8", "int8-static"}:
            return self._in_eight_bits(role, model, folder)
        _, feeds = first_call(self._before.models[role])
        count, nodes = to_half(model, folder, large=overflowing(model, folder, feeds))
        return count, f"{count} of {nodes} nodes"

    def _in_eight_bits(self, role: str, model: onnx.ModelProto, folder: Path) -> tuple[int, str]:
        if self._precision == "int8-static" and stage_of(role) != "image_encoder":
            return 0, "only image encoders are converted"
        apart = split_projections(model, folder)
        if self._precision == "int8":
            count, layers = to_int8(model, folder)
        else:
            self._tell(f"calibrating on {len(self._calibration)} pictures")
            feeds = (self._before.image_feeds(role, picture) for picture in self._calibration.values())
            count, layers = to_static_int8(model, folder, feeds)
        return count, f"{count} of {layers} linear layers" + (f", {apart} projections split" if apart else "")

    def _rewritten(self) -> list[str]:
        """Returns the stages that have a graph in the new precision."""
        stages = {stage_of(role) for role, change in self._changes.items() if change.rewritten}
        return [stage for stage in STAGES if stage in stages]

    def _take_back(self, stage: str, why: str) -> None:
        self._tell(f"{stage} keeps its precision: {why}")
        for role, change in self._changes.items():
            if stage_of(role) == stage and change.rewritten:
                self._after.models[role].close()
                remove_graph(change.place)
                if change.precision == "fp32":  # the exact changes were the cause
                    copy_graph(change.graph, change.place)
                    self._changes[role] = replace(change, precision=_UNCHANGED, why=why)
                else:
                    again = self._written(role, change, "fp32")
                    self._changes[role] = replace(again, why=f"{why}; {again.why}" if again.why else why)


def _below(path: Path, roots: Sequence[Path]) -> Path:
    """Returns a path relative to the one of several folders that contains it."""
    return path.relative_to(next(root for root in roots if path.is_relative_to(root)))


def _exact_rewrites(model: onnx.ModelProto, folder: Path, *, fuse: bool) -> list[str]:
    """Applies changes in place that give the same numbers with fewer operations; returns texts about them."""
    counts = {
        "attentions fused": fuse_attention(model) if fuse else 0,
        "convolutions folded": fold_pointwise(model, folder),
    }
    return [f"{count} {what}" for what, count in counts.items() if count]
