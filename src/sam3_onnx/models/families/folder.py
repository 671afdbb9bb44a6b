"""The exports in a folder. File names only propose which graphs belong together: what a graph is, its contents tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sam3_onnx._support.checks import require_choice
from sam3_onnx.errors import AmbiguousFolderError, ModelFileMissingError, ModelFileUnreadableError, OptionError
from sam3_onnx.models.families.listing import list_graphs, stand_in
from sam3_onnx.models.families.recognition import (
    FAMILY_NAMES,
    HEAD_NAMES,
    Export,
    Exports,
    exports_among,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["exports_in_folder"]


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
        ModelFileMissingError: There is no such folder, or nothing can be opened and external data is missing.
        ModelFileDamagedError: Nothing can be opened, and a file is cut off or no ONNX model.
        ModelFileUnreadableError: The folder cannot be read, or nothing can be opened and a file cannot.
        UnknownFamilyError: There is no known export; the message lists each graph, and each file that is none.
        AmbiguousFolderError: There are several; `family` and `variant` pick one.
        OptionError: `family` is none that is known.
    """
    require_choice("family", family, FAMILY_NAMES, none="for any")
    try:
        is_file, is_folder = folder.is_file(), folder.is_dir()
    except OSError as error:
        raise ModelFileUnreadableError(folder, role="model folder", reason=error.strerror or str(error)) from error
    if is_file:
        remedy = "Name the folder that holds it, or name files with from_files(...)."
        raise ModelFileMissingError(folder, role="model folder", found=f"{folder} is a file", remedy=remedy)
    if not is_folder:
        raise ModelFileMissingError(
            folder, role="model folder", remedy="Check the path; expected a folder of .onnx files."
        )
    listing = list_graphs(folder)
    groups = listing.groups
    found = {
        name: exports_among(graphs, where=folder, family=family, spare=groups.get(stand_in(name), ()))
        for name, graphs in groups.items()
    }
    variants = [name for head in HEAD_NAMES for name, exports in found.items() if head in exports.heads]
    passed_over = listing.passed_over
    if not variants:
        if len(passed_over) == 1:  # it is the likely cause, and has a remedy of its own
            raise next(iter(passed_over.values()))
        graphs = [graph for graphs in groups.values() for graph in graphs]
        raise unknown(graphs, where=folder, family=family, passed_over=passed_over)
    if variant is not None and variant not in variants:
        known = ", ".join(dict.fromkeys(variants))
        remedy = f"Passed over there: {', '.join(passed_over)}." if passed_over else ""
        raise OptionError("variant", expected=f"one of those in {folder}: {known}", got=variant, remedy=remedy)
    listing.tell()
    heads: dict[str, Export] = {}
    for head in HEAD_NAMES:
        options = {name: exports.heads[head] for name, exports in found.items() if head in exports.heads}
        shared = next((export for export in heads.values() if head in export.provides), None)
        if options:
            heads[head] = shared or _chosen(folder, options, variant)
    return Exports(heads)


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
