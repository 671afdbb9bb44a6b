"""The exports in a folder. File names only propose which graphs belong together: what a graph is, its contents tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_choice
from sam3_onnx.errors import AmbiguousFolderError, ModelFileMissingError, OptionError
from sam3_onnx.models.families.recognition import (
    FAMILY_NAMES,
    HEAD_NAMES,
    Export,
    Exports,
    exports_among,
    unknown,
)
from sam3_onnx.models.runtime.graphs.reading import read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["PLAIN", "exports_in_folder"]

PLAIN = "plain"
"""The variant of files whose names say nothing of one."""
_PRECISION = re.compile(r"[-_.](fp32|fp16|f16|bf16|half|int8|uint8|int4|q8|q4f16|q4|bnb4|quantized)$", re.IGNORECASE)
_LAYOUT = "onnx"
"""Subfolder that Hugging Face repositories keep their graphs in; it makes no variant."""


def exports_in_folder(folder: Path, *, family: str | None = None, variant: str | None = None) -> Exports:
    """Finds an export for each head in a folder: what finds concepts, what takes clicks.

    The folder and the folders directly in it are looked at. Files of one subfolder, or with one
    precision at the end of their names (`decoder_fp16.onnx`), are a variant; what a variant lacks
    is taken from the plain files beside it.

    Args:
        folder: Holds `.onnx` files and their external data.
        family: Takes only this family, one of FAMILY_NAMES.
        variant: Takes this variant: "plain", "fp16", "compact-448", "compact-448/fp16", ...

    Raises:
        ModelFileMissingError: There is no such folder, or external data is missing.
        ModelFileDamagedError: A file is cut off or no ONNX model.
        UnknownFamilyError: There is no known export; the message lists each graph.
        AmbiguousFolderError: There are several; `family` and `variant` pick one.
        OptionError: `family` is none that is known.
    """
    require_choice("family", family, FAMILY_NAMES, none="for any")
    if folder.is_file():
        remedy = "Name the folder that holds it, or name files with from_files(...)."
        raise ModelFileMissingError(folder, role="model folder", found=f"{folder} is a file", remedy=remedy)
    if not folder.is_dir():
        raise ModelFileMissingError(
            folder, role="model folder", remedy="Check the path; expected a folder of .onnx files."
        )
    groups = {name: [read_graph(path) for path in paths] for name, paths in _groups(folder).items()}
    found = {
        name: exports_among(graphs, where=folder, family=family, spare=groups.get(_beside(name), ()))
        for name, graphs in groups.items()
    }
    variants = [name for head in HEAD_NAMES for name, exports in found.items() if head in exports.heads]
    if not variants:
        raise unknown([graph for graphs in groups.values() for graph in graphs], where=folder, family=family)
    if variant is not None and variant not in variants:
        known = ", ".join(dict.fromkeys(variants))
        raise OptionError("variant", expected=f"one of those in {folder}: {known}", got=variant)
    heads: dict[str, Export] = {}
    for head in HEAD_NAMES:
        options = {name: exports.heads[head] for name, exports in found.items() if head in exports.heads}
        shared = next((export for export in heads.values() if head in export.provides), None)
        if options:
            heads[head] = shared or _chosen(folder, options, variant)
    return Exports(heads)


def _groups(folder: Path) -> dict[str, list[Path]]:
    """The `.onnx` files of a folder and of those directly in it, by variant, the plain ones first."""
    groups: dict[str, list[Path]] = {}
    for path in sorted((*folder.glob("*.onnx"), *folder.glob("*/*.onnx"))):
        below = path.parent.relative_to(folder).as_posix()
        precision = _PRECISION.search(path.stem)
        parts = [below] if below not in {".", _LAYOUT} else []
        parts += [precision[1].lower()] if precision else []
        groups.setdefault("/".join(parts) or PLAIN, []).append(path)
    return dict(sorted(groups.items(), key=lambda group: group[0] != PLAIN))


def _beside(variant: str) -> str:
    """The variant whose files stand in for what a precision lacks: the same folder's without one."""
    below, _, precision = variant.rpartition("/")
    return (below or PLAIN) if _PRECISION.fullmatch(f"_{precision}") else ""


def _chosen(folder: Path, options: Mapping[str, Export], variant: str | None) -> Export:
    if variant is not None and variant in options:
        return options[variant]
    if len(options) > 1:
        choices = {
            f"{name} ({export.name})": [graph.path.name for graph in export.graphs.values()]
            for name, export in options.items()
        }
        raise AmbiguousFolderError(folder, kind="variant", choices=choices)
    return next(iter(options.values()))
