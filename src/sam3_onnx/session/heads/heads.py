"""Which heads does a session have, and which graphs stand behind them?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from sam3_onnx.errors import OptionError
from sam3_onnx.session.heads.checking import no_clicks, no_concepts
from sam3_onnx.session.heads.clicks import ObjectFinder
from sam3_onnx.session.heads.concepts import ConceptFinder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sam3_onnx.models.families.protocol import Capabilities, Encoder, Family, Tracker
    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.results.embedding import TextEmbedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier

__all__ = ["Heads", "Purpose", "heads_of"]

Purpose: TypeAlias = Literal["concepts", "clicks"]


@dataclass(frozen=True, eq=False)
class Heads:
    """What answers about concepts, what answers clicks: one of them, or both."""

    concepts: ConceptFinder | None
    objects: ObjectFinder | None

    @property
    def capabilities(self) -> Capabilities:
        """What can be asked; `points` also where a tracker lies beside the export of concepts."""
        if self.concepts is None:
            return self.for_clicks().tracker.capabilities
        return replace(self.concepts.family.capabilities, points=self.objects is not None)

    def for_concepts(self) -> ConceptFinder:
        """The head that answers about concepts.

        Raises:
            UnsupportedPromptError: There is none.
        """
        if self.concepts is None:
            raise no_concepts(self.capabilities)
        return self.concepts

    def for_clicks(self) -> ObjectFinder:
        """The head that answers clicks.

        Raises:
            UnsupportedPromptError: There is none.
        """
        if self.objects is None:
            raise no_clicks(self.capabilities)
        return self.objects

    def embedder(self, purpose: Purpose | None) -> Embedder:
        """The image encoder for a purpose; None for that of concepts if there is one.

        Raises:
            OptionError: There is no such purpose.
            UnsupportedPromptError: There is no encoder for it.
        """
        if purpose not in {None, "concepts", "clicks"}:
            raise OptionError("purpose", expected='"concepts", "clicks" or None', got=purpose)
        if purpose == "clicks" or (purpose is None and self.concepts is None):
            return self.for_clicks().embedder
        return self.for_concepts().embedder

    def graphs(self) -> dict[str, OnnxModel]:
        """All graphs by role; those of a tracker beside concepts are called so."""
        graphs = dict(self.concepts.family.models) if self.concepts else {}
        if self.objects and not (self.concepts and _are_one(self.objects.tracker, self.concepts.family)):
            prefix = "tracker_" if self.concepts else ""
            graphs |= {f"{prefix}{role}": model for role, model in self.objects.tracker.models.items()}
        return graphs

    def chosen(self, roles: Iterable[str]) -> list[OnnxModel]:
        """The graphs of some roles; all if none is named.

        Raises:
            OptionError: There is no such graph.
        """
        graphs = self.graphs()
        unknown = [role for role in roles if role not in graphs]
        if unknown:
            raise OptionError("role", expected=f"one of {', '.join(graphs)}", got=unknown[0])
        return [graphs[role] for role in roles] or list(graphs.values())


class _EmbedderMaker(Protocol):
    def __call__(self, encoder: Encoder, *, model: str) -> Embedder: ...


def heads_of(
    family: Family | None,
    tracker: Tracker | None,
    *,
    model: str,
    embedder: _EmbedderMaker,
    texts: CacheTier[TextEmbedding],
    conf_threshold: float | None,
    epsilon: float,
) -> Heads:
    """Puts the heads together; where one model is both, they share its image encoder.

    Args:
        family: The graphs that find concepts, if there are any.
        tracker: The graphs that take clicks, if there are any.
        model: A name that tells this model from others.
        embedder: Makes what turns pictures into embeddings of an encoder.
        texts: Where embeddings of words are kept.
        conf_threshold: Default threshold in 0..1; None for what the bundle recommends.
        epsilon: Default simplification of polygons.

    Raises:
        OptionError: There is neither, or the family cannot offer the threshold.
    """
    if family is None and tracker is None:
        raise OptionError("family", expected="given unless there is a tracker", got=family)
    concepts: ConceptFinder | None = None
    objects: ObjectFinder | None = None
    if family is not None:
        mine = embedder(family, model=model)
        concepts = ConceptFinder(family, mine, texts, conf_threshold=conf_threshold, epsilon=epsilon)
    if tracker is not None:
        one = concepts if _are_one(tracker, family) else None
        mine = one.embedder if one else embedder(tracker, model=f"{model}/clicks")
        objects = ObjectFinder(tracker, mine, epsilon=epsilon)
    return Heads(concepts, objects)


def _are_one(first: object, second: object) -> bool:
    return first is second
