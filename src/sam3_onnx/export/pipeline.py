"""What every export does, whatever its contract: write the graphs, compare them, report, deliver."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx._support.version import __version__
from sam3_onnx.errors import OptionError
from sam3_onnx.export.capacity import parameters_of, require_disk
from sam3_onnx.export.delivery import REPORT, delivery
from sam3_onnx.export.graphs import write_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sam3_onnx.export.comparison.report import ExportReport
    from sam3_onnx.export.graphs import Graph

__all__ = ["Progress", "make"]

Progress: TypeAlias = "Callable[[str], None]"
"""Is told what begins."""
_PACKAGES = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")


def make(
    folder: str | Path,
    graphs: Sequence[Graph],
    manifest: Mapping[str, str],
    compare: Callable[[Path], ExportReport],
    *,
    contract: str,
    progress: Progress | None,
) -> ExportReport:
    """Writes graphs beside a folder, compares them with their model, and puts them in with a report of it.

    Args:
        folder: Where they belong.
        graphs: In the order in which they are made.
        manifest: For every graph; its role is added.
        compare: Holds the files in a folder against the model.
        contract: For the report.
        progress: Is told what begins.

    Raises:
        OptionError: There is a file in the folder's place.
        ExportDiskError: There is too little room on the disk.
        ExportMismatchError: `compare` found it; nothing was put in place.
        OSError: A file cannot be written; nothing was put in place.
    """
    stages = _Stages(progress)
    target = Path(folder).absolute()
    if target.exists() and not target.is_dir():
        raise OptionError("folder", expected="a folder", got=str(folder))
    parameters = parameters_of(*(graph.module for graph in graphs))
    require_disk(target, parameters, storage=manifest["sam3_onnx.storage"])
    with delivery(target) as draft:
        for graph in graphs:
            stages.begin(f"export {graph.file}")
            write_graph(graph, draft, {**manifest, "sam3_onnx.role": graph.role}, storage=manifest["sam3_onnx.storage"])
        stages.begin("compare with PyTorch")
        report = compare(draft)
        stages.end()
        told = {
            "contract": contract,
            "manifest": dict(manifest),
            "parameters": parameters,
            "differences": asdict(report),
            "versions": _versions(),
            "seconds": stages.seconds,
            "files": {path.name: path.stat().st_size for path in sorted(draft.iterdir())},
        }
        (draft / REPORT).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return report


def _versions() -> dict[str, str]:
    here = {"sam3-onnx": __version__, "python": platform.python_version()}
    return here | {name: version(name) for name in _PACKAGES}


class _Stages:
    """Says which stage begins, and takes its time."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._name, self._began = progress, "", 0.0

    def begin(self, name: str) -> None:
        self.end()
        if self._progress is not None:
            self._progress(name)
        self._name, self._began = name, time.perf_counter()

    def end(self) -> None:
        if self._name:
            self.seconds[self._name] = round(time.perf_counter() - self._began, 1)
        self._name = ""
