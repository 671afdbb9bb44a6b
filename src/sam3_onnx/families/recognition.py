"""Which family some ONNX files belong to, told from their inputs and outputs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx.errors import AmbiguousFolderError, ModelFileMissingError, UnknownFamilyError
from sam3_onnx.families.native import NativeFamily
from sam3_onnx.families.six_file import SixFileFamily
from sam3_onnx.runtime import GraphInfo, OnnxModel, RuntimeSettings, read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sam3_onnx.families.base import Family

__all__ = ["ROLES", "graphs_of_files", "graphs_of_folder", "open_family"]

ROLES = ("image_encoder", "text_encoder", "decoder")
_FAMILIES = (NativeFamily, SixFileFamily)
_AnyFamily: TypeAlias = "type[NativeFamily | SixFileFamily]"


def graphs_of_folder(folder: Path) -> dict[str, GraphInfo]:
    """Finds the three graphs of one family among a folder's `.onnx` files.

    Raises:
        ModelFileMissingError: There is no such folder.
        UnknownFamilyError: The graphs there do not make up a known family; the message lists
            each with its inputs and outputs, and what is missing.
        AmbiguousFolderError: Several files fit one part.
    """
    if not folder.is_dir():
        raise ModelFileMissingError(
            folder, role="model folder", remedy="Check the path; expected a folder of .onnx files."
        )
    graphs = [read_graph(path) for path in sorted(folder.glob("*.onnx"))]
    listing = {graph.path.name: graph.signature() for graph in graphs}
    nearest = ""
    found: dict[str, list[GraphInfo]] = {}
    for family in _FAMILIES:
        candidates: dict[str, list[GraphInfo]] = {}
        for graph in graphs:
            role = family.role_of(graph)
            if role:
                candidates.setdefault(role, []).append(graph)
        if set(candidates) == set(ROLES):
            for role in ROLES:
                found.setdefault(role, []).extend(candidates[role])
        elif len(candidates) > 1:
            missing = ", ".join(role for role in ROLES if role not in candidates)
            nearest = f"Nearest is the {family.name} family: no graph there is its {missing}."
    if not found:
        raise UnknownFamilyError(f"{folder} holds no known SAM 3 export", graphs=listing, missing=nearest)
    several = {role: [graph.path.name for graph in fits] for role, fits in found.items() if len(fits) > 1}
    if several:
        raise AmbiguousFolderError(folder, choices=several)
    return {role: found[role][0] for role in ROLES}


def graphs_of_files(paths: Mapping[str, Path]) -> dict[str, GraphInfo]:
    """Reads the graphs of files named by role.

    Args:
        paths: A path for each of ROLES.

    Raises:
        ModelFileMissingError: A file or its external data is missing.
        ModelFileDamagedError: A file is cut off.
    """
    return {role: read_graph(paths[role], role=role.replace("_", " ")) for role in ROLES}


def _family_of(graphs: Mapping[str, GraphInfo]) -> _AnyFamily:
    for family in _FAMILIES:
        if all(family.role_of(graph) == role for role, graph in graphs.items()):
            return family
    listing = {f"{role} {graph.path.name}": graph.signature() for role, graph in graphs.items()}
    wrong = [
        f"{graphs[role].path.name} was given as {role} and looks like a {found}"
        for role in graphs
        for family in _FAMILIES
        if (found := family.role_of(graphs[role])) not in {None, role}
    ]
    missing = "; ".join(dict.fromkeys(wrong))
    raise UnknownFamilyError("The files make up no known SAM 3 export", graphs=listing, missing=missing)


def open_family(graphs: Mapping[str, GraphInfo], settings: RuntimeSettings | None = None) -> Family:
    """Makes the family that three graphs belong to; loads no weights yet.

    Args:
        graphs: A graph for each of ROLES.
        settings: Providers and threads; None for the defaults.

    Raises:
        UnknownFamilyError: The graphs do not fit together as any known family.
        ProviderError: A provider asked for by name is not installed.
    """
    family = _family_of(graphs)
    models = {role: OnnxModel(graph, role=role.replace("_", " "), settings=settings) for role, graph in graphs.items()}
    return family(models)
