"""An export that is rewritten graph by graph; what answers worse is taken back."""

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
from sam3_onnx.optimize.timing import paired_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.optimize.fidelity import Fidelity

__all__ = ["GraphPrecision", "Rewriting"]

GraphPrecision: TypeAlias = Literal["fp32", "int8", "fp16"]
"""What a graph is rewritten to: numbers as they are, matrices multiplied in 8 bits, or everything in half precision."""

_UNCHANGED = "unchanged"
_MANIFEST_KEY = "sam3_onnx.precision"
_WRITTEN_AS = {"int8": "int8", "fp16": "float16"}


@dataclass(frozen=True)
class _Change:
    """A graph on its way."""

    graph: GraphInfo
    place: Path
    """Where it goes."""
    why: str = ""
    precision: str = _UNCHANGED

    @property
    def rewritten(self) -> bool:
        """Whether it is another graph now."""
        return self.precision != _UNCHANGED


class Rewriting:
    """An export that is being rewritten."""

    def __init__(
        self,
        before: ExaminedModel,
        *,
        source: Path,
        draft: Path,
        precision: GraphPrecision,
        fuse: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Does nothing yet.

        Args:
            before: The export that is there.
            source: Its folder.
            draft: Where the new one grows.
            precision: What to rewrite it to.
            fuse: Make one operator of attention.
            tell: Told in a line what is being done.
        """
        self._before, self._after = before, before
        self._draft, self._precision, self._fuse, self._tell = draft, precision, fuse, tell
        self._changes = {
            role: _Change(model.graph, draft / model.graph.path.relative_to(source))
            for role, model in before.models.items()
        }

    def convert(self, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]) -> None:
        """Writes every graph, rewritten as far as it has something to rewrite.

        Args:
            pictures: (H, W, 3) uint8 RGB, by name; the first shows what overflows.
            words: What to look for.

        Raises:
            OptionError: None has.
        """
        if self._precision == "fp16":
            self._tell("running the graphs as they are")
            self._before.run(next(iter(pictures.values())), words)
        for role, change in self._changes.items():
            self._tell(f"rewriting {change.graph.path.name}")
            change.place.parent.mkdir(parents=True, exist_ok=True)
            self._changes[role] = self._converted(role, change)
        if not self._rewritten():
            raise OptionError(
                "precision",
                expected="one that changes this export",
                got=self._precision,
                remedy="Each graph is rewritten already, or has nothing that is worth it.",
            )

    def settle(self, pictures: Mapping[str, NDArray[np.uint8]], words: Sequence[str]) -> Mapping[str, Fidelity]:
        """Compares, and takes back what is beyond the limits, until nothing is.

        Args:
            pictures: (H, W, 3) uint8 RGB, by name.
            words: What to look for.

        Returns:
            By stage, and for the whole.

        Raises:
            FidelityError: Nothing is left.
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
        """What became of each graph, and its time where it was rewritten."""
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
        """Unloads everything."""
        for asked in (self._before, self._after):
            for model in asked.models.values():
                model.close()

    def _converted(self, role: str, change: _Change) -> _Change:
        """A graph after it was written in the new precision, or copied because it has nothing to rewrite."""
        return self._written(role, change, self._precision)

    def _written(self, role: str, change: _Change, wanted: GraphPrecision) -> _Change:
        model, folder = load_graph(change.graph.path), change.graph.path.parent
        notes = _exact_rewrites(model, folder, fuse=self._fuse)
        precision = "fp32" if notes else _UNCHANGED
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
        """Rewrites a graph in place; how much of it there was to rewrite, and that in words."""
        if is_quantized(model):
            return 0, "quantised already"
        if self._precision == "int8":
            apart = split_projections(model, folder)
            count, layers = to_int8(model, folder)
            return count, f"{count} of {layers} linear layers" + (f", {apart} projections taken apart" if apart else "")
        _, feeds = first_call(self._before.models[role])
        count, nodes = to_half(model, folder, large=overflowing(model, folder, feeds))
        return count, f"{count} of {nodes} nodes"

    def _rewritten(self) -> list[str]:
        """The stages that have a graph in the new precision."""
        stages = {stage_of(role) for role, change in self._changes.items() if change.rewritten}
        return [stage for stage in STAGES if stage in stages]

    def _take_back(self, stage: str, why: str) -> None:
        self._tell(f"{stage} stays in the precision that it had: {why}")
        for role, change in self._changes.items():
            if stage_of(role) == stage and change.rewritten:
                self._after.models[role].close()
                remove_graph(change.place)
                if change.precision == "fp32":  # exact rewrites alone did it
                    copy_graph(change.graph, change.place)
                    self._changes[role] = replace(change, precision=_UNCHANGED, why=why)
                else:
                    again = self._written(role, change, "fp32")
                    self._changes[role] = replace(again, why=f"{why}; {again.why}" if again.why else why)


def _exact_rewrites(model: onnx.ModelProto, folder: Path, *, fuse: bool) -> list[str]:
    """Rewrites in place what gives the same numbers with less work; what was done, in words."""
    counts = {
        "attentions fused": fuse_attention(model) if fuse else 0,
        "convolutions folded": fold_pointwise(model, folder),
    }
    return [f"{count} {what}" for what, count in counts.items() if count]
