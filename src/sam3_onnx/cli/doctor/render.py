"""Reports as text that can be pasted, or that a program can read."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.files import home_folder
from sam3_onnx._support.units import in_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sam3_onnx._support.distributions import Distribution
    from sam3_onnx.cli.doctor.machine import Machine
    from sam3_onnx.cli.doctor.report import DoctorReport, Problem
    from sam3_onnx.cli.doctor.store import Store
    from sam3_onnx.cli.doctor.trial import Trial

__all__ = ["as_json", "as_markdown", "without_home"]

_TRIAL_HEADS = ("Provider on the miniature", "Proof", "Load", "Encode", "Word", "Decode")


def as_json(report: DoctorReport, problems: Sequence[Problem]) -> str:
    """Every field of a report under its own name, and the problems under "problems"; sizes in bytes."""
    found = {**asdict(report), "problems": [asdict(problem) for problem in problems]}
    return json.dumps(_without_homes(found), indent=2)


def _without_homes(value: object) -> object:
    """A tree of what JSON can hold, in which no text names the home folder."""
    match value:
        case str():
            return without_home(value)
        case dict():
            return {key: _without_homes(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_homes(inner) for inner in value]
        case _:
            return value


def as_markdown(report: DoctorReport, problems: Sequence[Problem]) -> str:
    """Aligned tables and a line for each problem; sizes in powers of ten."""
    parts = [
        _table(("What", "Found"), _rows(report)),
        _table(_TRIAL_HEADS, map(_trial_row, report.trials)),
    ]
    if report.variables:
        parts.append(_table(("Variable", "Value"), report.variables.items()))
    parts.append("\n".join(_problem_line(problem) for problem in problems) or "Nothing is wrong.")
    return "\n\n".join(parts)


def _rows(report: DoctorReport) -> list[tuple[str, str]]:
    return [
        ("sam3-onnx", report.version),
        *_package_rows(report.packages),
        ("Providers offered", ", ".join(report.providers) or "none"),
        ('Left to "auto"', _parts(report.auto)),
        *_machine_rows(report.machine),
        *_store_rows(report.store),
    ]


def _parts(auto: Trial | None) -> str:
    """Which parts run on what, in which precision: "openvino, bfloat16: image_encoder"."""
    if auto is None or auto.error is not None:
        return "unknown"
    by_way: dict[str, list[str]] = {}
    for role, way in auto.parts.items():
        by_way.setdefault(way, []).append(role)
    return "; ".join(f"{way}: {' '.join(roles)}" for way, roles in by_way.items())


def _package_rows(packages: Sequence[Distribution]) -> list[tuple[str, str]]:
    return [(package.name, package.version) for package in packages] or [("packages", "unknown")]


def _machine_rows(machine: Machine) -> list[tuple[str, str]]:
    limits = [
        *([] if machine.usable_cores is None else [f"{machine.usable_cores} for this process"]),
        *([] if machine.core_limit is None else [f"limited to {machine.core_limit:g}"]),
    ]
    cores = [f"{_known(machine.physical_cores)} physical", f"{_known(machine.logical_cores)} logical", *limits]
    memory = [_size(machine.memory_total), f"{_size(machine.memory_available)} available"]
    if machine.memory_limit is not None:
        memory.append(f"limited to {_size(machine.memory_limit)}")
    return [
        ("Python", _known(machine.python)),
        ("System", _known(machine.system)),
        ("Processor", " ".join([_known(machine.processor), *(machine.instructions or ())])),
        ("Cores", ", ".join(cores)),
        ("Memory", ", ".join(memory)),
    ]


def _store_rows(store: Store | None) -> list[tuple[str, str]]:
    if store is None:
        return [("Cache folder", "unknown")]
    place = store.folder if store.exists else f"{store.folder} (not made yet)"
    models = ", ".join(f"{model.name} {in_bytes(model.size)} ({model.state})" for model in store.models)
    return [("Cache folder", f"{place}, {in_bytes(store.free)} free"), ("Models there", models or "none")]


def _trial_row(trial: Trial) -> tuple[str, ...]:
    proof = "no" if trial.difference is None else f"off CPU by {trial.difference:.1g}, {trial.allowed} allowed"
    times = (trial.load_ms, trial.encode_ms, trial.word_ms, trial.decode_ms)
    return (trial.provider, proof, *("-" if time is None else f"{time:.1f} ms" for time in times))


def _problem_line(problem: Problem) -> str:
    return f"- {'BROKEN' if problem.broken else 'Note'}: {_line(problem.what).rstrip('.')}. {_line(problem.remedy)}"


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)


def _size(count: int | None) -> str:
    return "unknown" if count is None else in_bytes(count)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned, so that it can be read as plain text too."""
    cells = [tuple(heads), *(tuple(map(_cell, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return _line(text).replace("|", "/")


def _line(text: str) -> str:
    return " ".join(without_home(text).split())


def without_home(text: str, home: Path | None = None) -> str:
    """A text in which the user's home folder is written `~`, because its name is the user's.

    Args:
        text: Anything.
        home: The home folder; None for this user's, who may have none.
    """
    folder = home_folder() if home is None else home
    if folder is None or folder == Path(folder.anchor):
        return text
    return re.sub(re.escape(str(folder)) + r"(?![\w.-])", "~", text)
