"""Recognition of exports by the inputs and outputs of their graphs alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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
from sam3_onnx.models.runtime.providers.precision import require_roles, word_for
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sam3_onnx.models.families.protocol import KnownFamily
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = [
    "FAMILIES",
    "FAMILY_NAMES",
    "HEAD_NAMES",
    "Export",
    "Exports",
    "exports_among",
    "exports_of_files",
    "unknown",
]

FAMILIES: tuple[type[KnownFamily], ...] = (
    NativeFamily,
    SixFileFamily,
    OsamFamily,
    RawHeadsFamily,
    BatchedFamily,
    BatchedGeometryFamily,
    TextOnlyFamily,
    TrackerFamily,
)
"""Every kind of export that is known: a new one is a file beside these, and an entry here."""
FAMILY_NAMES = tuple(family.name for family in FAMILIES)
"""What `Capabilities.family` may say."""
HEAD_NAMES = tuple(dict.fromkeys(head for family in FAMILIES for head in family.provides))
"""What the families together provide, the head first that the others are added to."""


@dataclass(frozen=True, eq=False)
class Export:
    """The graphs of one export."""

    graphs: Mapping[str, GraphInfo]
    _family: type[KnownFamily] = field(repr=False)

    @property
    def name(self) -> str:
        """The family's name."""
        return self._family.name

    @property
    def provides(self) -> tuple[str, ...]:
        """The heads that its graphs can be."""
        return tuple(head for head, role in self._family.provides.items() if role in self.graphs)

    def open(self, settings: RuntimeSettings | None = None, *, make: type[OnnxModel] = OnnxModel) -> KnownFamily:
        """Makes the family; loads no weights yet.

        Args:
            settings: Providers, threads and precision; None for the defaults.
            make: What runs a graph.

        Raises:
            UnknownFamilyError: The graphs contradict each other.
            ProviderError: A provider asked for by name is not installed.
        """
        models = {role: make(graph, role=role, settings=settings) for role, graph in self.graphs.items()}
        return self._family(models)


@dataclass(frozen=True)
class Exports:
    """What a session is made from: an export for each of its heads; several heads may be one export."""

    heads: Mapping[str, Export]
    """By the name of the head, in the order of HEAD_NAMES: "concepts", "clicks"."""

    @property
    def graphs(self) -> list[GraphInfo]:
        """The graphs of all exports."""
        return [graph for export in self._exports() for graph in export.graphs.values()]

    def open(self, settings: RuntimeSettings | None = None, *, make: type[OnnxModel] = OnnxModel) -> dict[str, Any]:
        """Makes what answers each head, by its name; loads no weights yet. Heads of one export share one family.

        Each speaks the protocol of its head: `Family` for "concepts", `Tracker` for "clicks". A choice of precision
        names parts as a session does: those of a second export have its name before theirs.

        Args:
            settings: Providers, threads and precision; None for the defaults.
            make: What runs a graph.

        Raises:
            OptionError: A precision is chosen for a part that there is not, or one that a provider lacks for it.
            UnknownFamilyError: The graphs of an export contradict each other.
            ProviderError: A provider asked for by name is not installed.
        """
        chosen = settings or RuntimeSettings()
        prefixed = [(f"{export.name}_" if place else "", export) for place, export in enumerate(self._exports())]
        require_roles(chosen.precision, [f"{prefix}{role}" for prefix, export in prefixed for role in export.graphs])
        opened = {}
        for prefix, export in prefixed:
            own = {role: word_for(chosen.precision, prefix + role) for role in export.graphs}
            precision = chosen.precision if isinstance(chosen.precision, str) else own
            opened[id(export)] = export.open(replace(chosen, precision=precision), make=make)
        return {head: opened[id(export)] for head, export in self.heads.items()}

    def _exports(self) -> list[Export]:
        return list({id(export): export for export in self.heads.values()}.values())


def exports_among(
    graphs: Sequence[GraphInfo], *, where: Path | str, family: str | None = None, spare: Sequence[GraphInfo] = ()
) -> Exports:
    """Finds an export for each head among some graphs.

    An export that is another head already goes first: pictures are then encoded once for both.

    Args:
        graphs: In any order.
        where: What they are, for messages.
        family: Looks for this one alone, one of FAMILY_NAMES.
        spare: Graphs that stand in for parts that `graphs` lacks.

    Returns:
        The heads that there are; none if no export is known.

    Raises:
        AmbiguousFolderError: There are several families for one head, or several graphs for one part.
    """
    found = [
        Export(chosen, known)
        for known in FAMILIES
        if family in {None, known.name} and (chosen := _complete(known, graphs, spare, where))
    ]
    heads: dict[str, Export] = {}
    for head in HEAD_NAMES:
        options = [export for export in found if head in export.provides]
        fitting = [export for export in options if export in heads.values()] or options
        if len(fitting) > 1:
            choices = {export.name: [graph.path.name for graph in export.graphs.values()] for export in options}
            raise AmbiguousFolderError(where, kind="family", choices=choices)
        if fitting:
            heads[head] = fitting[0]
    return Exports(heads)


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
    exports = Exports({}) if wrong else exports_among(listed, where=where)
    if not exports.heads:
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
    return [role for known in FAMILIES if (role := known.role_of(graph))]


def _spoken(role: str) -> str:
    return role.replace("_", " ")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _fits(known: type[KnownFamily], graphs: Iterable[GraphInfo]) -> dict[str, list[GraphInfo]]:
    """The graphs that fit each part of a family."""
    found: dict[str, list[GraphInfo]] = {}
    for graph in graphs:
        role = known.role_of(graph)
        if role:
            found.setdefault(role, []).append(graph)
    return found


def _complete(
    known: type[KnownFamily], graphs: Sequence[GraphInfo], spare: Sequence[GraphInfo], where: Path | str
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
    candidates = [known for known in FAMILIES if family in {None, known.name}]
    known = max(candidates, key=lambda each: len(_fits(each, graphs)) / len(each.roles))
    missing = [_spoken(role) for role in known.roles if role not in _fits(known, graphs)]
    if len(missing) == len(known.roles):
        return ""
    return f"Nearest is the {known.name} family: no graph there is its {' or its '.join(missing)}."
