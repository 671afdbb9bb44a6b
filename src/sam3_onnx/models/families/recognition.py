"""Which exports do some graphs make up? Told from their inputs and outputs alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sam3_onnx.errors import AmbiguousFolderError, UnknownFamilyError
from sam3_onnx.models.families.batched import BatchedFamily, BatchedGeometryFamily
from sam3_onnx.models.families.native import NativeFamily
from sam3_onnx.models.families.osam import OsamFamily
from sam3_onnx.models.families.raw_heads import RawHeadsFamily
from sam3_onnx.models.families.six_file import SixFileFamily
from sam3_onnx.models.families.text_only import TextOnlyFamily
from sam3_onnx.models.families.tracker import TrackerFamily
from sam3_onnx.models.families.unsupported import reason_against
from sam3_onnx.models.runtime.graphs.reading import read_graph
from sam3_onnx.models.runtime.model import OnnxModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sam3_onnx.models.families.protocol import Family, Tracker
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.settings import RuntimeSettings

__all__ = ["FAMILY_NAMES", "ConceptExport", "Exports", "TrackerExport", "exports_among", "exports_of_files", "unknown"]

_ConceptFamily: TypeAlias = (
    "type[NativeFamily | SixFileFamily | OsamFamily | RawHeadsFamily | BatchedFamily | BatchedGeometryFamily | "
    "TextOnlyFamily]"
)
_AnyFamily: TypeAlias = "_ConceptFamily | type[TrackerFamily]"
_CONCEPTS: tuple[_ConceptFamily, ...] = (
    NativeFamily,
    SixFileFamily,
    OsamFamily,
    RawHeadsFamily,
    BatchedFamily,
    BatchedGeometryFamily,
    TextOnlyFamily,
)
FAMILY_NAMES = tuple(family.name for family in (*_CONCEPTS, TrackerFamily))
"""What `Capabilities.family` may say."""


@dataclass(frozen=True, eq=False)
class ConceptExport:
    """The graphs of one export that finds concepts."""

    graphs: Mapping[str, GraphInfo]
    _family: _ConceptFamily = field(repr=False)

    @property
    def name(self) -> str:
        """The family's name."""
        return self._family.name

    def open(self, settings: RuntimeSettings | None = None, *, make: type[OnnxModel] = OnnxModel) -> Family:
        """Makes the family; loads no weights yet.

        Args:
            settings: Providers, threads and precision; None for the defaults.
            make: What runs a graph.

        Raises:
            UnknownFamilyError: The graphs contradict each other.
            ProviderError: A provider asked for by name is not installed.
        """
        return self._family(_models(self.graphs, settings, make))


@dataclass(frozen=True, eq=False)
class TrackerExport:
    """The graphs of one export that cuts out an object by clicks."""

    graphs: Mapping[str, GraphInfo]
    name = TrackerFamily.name

    def open(self, settings: RuntimeSettings | None = None, *, make: type[OnnxModel] = OnnxModel) -> Tracker:
        """As `ConceptExport.open`."""
        return TrackerFamily(_models(self.graphs, settings, make))


@dataclass(frozen=True)
class Exports:
    """What a session is made from: one of the two, or both."""

    concepts: ConceptExport | None
    tracker: TrackerExport | None

    @property
    def graphs(self) -> list[GraphInfo]:
        """Those of both."""
        return [graph for export in (self.concepts, self.tracker) if export for graph in export.graphs.values()]

    def open(
        self, settings: RuntimeSettings | None = None, *, make: type[OnnxModel] = OnnxModel
    ) -> tuple[Family | None, Tracker | None]:
        """Makes what finds concepts and what takes clicks, which may be one; loads no weights yet.

        A bundle's own click head goes before a tracker beside it: it needs no second encoding.
        """
        family = self.concepts.open(settings, make=make) if self.concepts else None
        if isinstance(family, NativeFamily) and family.capabilities.points:
            return family, family
        return family, self.tracker.open(settings, make=make) if self.tracker else None


def exports_among(
    graphs: Sequence[GraphInfo], *, where: Path | str, family: str | None = None, spare: Sequence[GraphInfo] = ()
) -> Exports:
    """Finds the export that finds concepts, and the one that takes clicks, among some graphs.

    Args:
        graphs: In any order.
        where: What they are, for messages.
        family: Looks for this one alone, one of FAMILY_NAMES.
        spare: Graphs that stand in for parts that `graphs` lacks.

    Returns:
        Either may be None, or both.

    Raises:
        AmbiguousFolderError: There are several families, or several graphs for one part.
    """
    concepts = [
        ConceptExport(chosen, known)
        for known in _CONCEPTS
        if family in {None, known.name} and (chosen := _complete(known, graphs, spare, where))
    ]
    clicks = _complete(TrackerFamily, graphs, spare, where) if family in {None, TrackerFamily.name} else None
    if len(concepts) > 1:
        choices = {export.name: [graph.path.name for graph in export.graphs.values()] for export in concepts}
        raise AmbiguousFolderError(where, kind="family", choices=choices)
    return Exports(concepts[0] if concepts else None, TrackerExport(clicks) if clicks else None)


def exports_of_files(paths: Mapping[str, Path]) -> Exports:
    """Finds what files named by role make up.

    Args:
        paths: By role: image_encoder, text_encoder, decoder, ...

    Raises:
        ModelFileMissingError: A file or its external data is missing.
        ModelFileDamagedError: A file is cut off.
        UnknownFamilyError: They do not fit together, or one is not what it was named as.
    """
    graphs = {role: read_graph(path, role=_spoken(role)) for role, path in paths.items()}
    listed, where = list(graphs.values()), "The list of files"
    wrong = [
        f"{graph.path.name} was given as {_spoken(role)} and looks like {_a(_spoken(possible[0]))}."
        for role, graph in graphs.items()
        if (possible := _possible_roles(graph)) and role not in possible
    ]
    exports = Exports(None, None) if wrong else exports_among(listed, where=where)
    if exports == Exports(None, None):
        raise unknown(listed, where=where, remark=" ".join(wrong))
    return exports


def unknown(
    graphs: Sequence[GraphInfo], *, where: Path | str, family: str | None = None, remark: str = ""
) -> UnknownFamilyError:
    """The error for graphs that make up no export: lists each, and what is missing of the nearest family."""
    what = f"{where} holds no known SAM 3 export" if family is None else f"{where} holds no {family} export"
    names = [graph.path.name for graph in graphs]
    listing = {
        (name if names.count(name) == 1 else f"{graph.path.parent.name}/{name}"): graph.signature()
        for name, graph in zip(names, graphs, strict=True)
    }
    reason = remark or reason_against(graphs) or _nearest(graphs, family)
    return UnknownFamilyError(what, graphs=listing, missing=reason)


def _possible_roles(graph: GraphInfo) -> list[str]:
    return [role for known in (*_CONCEPTS, TrackerFamily) if (role := known.role_of(graph))]


def _spoken(role: str) -> str:
    return role.replace("_", " ")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _fits(known: _AnyFamily, graphs: Iterable[GraphInfo]) -> dict[str, list[GraphInfo]]:
    """The graphs that fit each part of a family."""
    found: dict[str, list[GraphInfo]] = {}
    for graph in graphs:
        role = known.role_of(graph)
        if role:
            found.setdefault(role, []).append(graph)
    return found


def _complete(
    known: _AnyFamily, graphs: Sequence[GraphInfo], spare: Sequence[GraphInfo], where: Path | str
) -> dict[str, GraphInfo] | None:
    """A graph for each part of a family; None if one is missing, or none is of `graphs` itself."""
    own = _fits(known, graphs)
    found = {**_fits(known, spare), **own}
    if not own or not set(known.roles) <= set(found):
        return None
    several = {role: [graph.path.name for graph in fits] for role, fits in found.items() if len(fits) > 1}
    if several:
        raise AmbiguousFolderError(where, kind="part", choices=several)
    chosen = {role: found[role][0] for role in (*known.roles, *known.optional_roles) if role in found}
    return None if reason_against(chosen.values()) else chosen


def _nearest(graphs: Sequence[GraphInfo], family: str | None) -> str:
    """Which part of which family is missing: of the one that most graphs fit."""
    candidates = [known for known in (*_CONCEPTS, TrackerFamily) if family in {None, known.name}]
    known = max(candidates, key=lambda each: len(_fits(each, graphs)) / len(each.roles))
    missing = [_spoken(role) for role in known.roles if role not in _fits(known, graphs)]
    if len(missing) == len(known.roles):
        return ""
    return f"Nearest is the {known.name} family: no graph there is its {' or its '.join(missing)}."


def _models(
    graphs: Mapping[str, GraphInfo], settings: RuntimeSettings | None, make: type[OnnxModel]
) -> dict[str, OnnxModel]:
    return {role: make(graph, role=_spoken(role), settings=settings) for role, graph in graphs.items()}
