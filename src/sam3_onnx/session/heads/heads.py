"""The heads of a session: which there are, and which graphs stand behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from sam3_onnx.errors import OptionError
from sam3_onnx.session.heads.clicks import ClickHead
from sam3_onnx.session.heads.concepts import ConceptHead
from sam3_onnx.session.heads.video import VideoHead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sam3_onnx.errors import UnsupportedPromptError
    from sam3_onnx.models.families.protocol import Capabilities, Encoder
    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.results.embedding import TextEmbedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.options import SessionSettings

__all__ = ["Head", "Heads", "Purpose"]

Purpose: TypeAlias = Literal["concepts", "clicks", "video"]
"""Names of the heads that a picture can be encoded for."""


class Head(Protocol):
    """Answers one kind of question with one export."""

    adds: ClassVar[tuple[str, ...]]
    """Fields of `Capabilities` that say what this head can be asked."""
    encoder: Encoder
    """The export behind it."""
    embedder: Embedder
    """Turns pictures into what this head takes."""

    def __init__(
        self,
        export: Any,  # noqa: ANN401 - each head has a protocol of its own
        embedder: Embedder,
        texts: CacheTier[TextEmbedding],
        settings: SessionSettings,
    ) -> None:
        """Runs nothing yet.

        Args:
            export: What answers; an export that provides this head speaks the head's protocol.
            embedder: Turns pictures into embeddings of this export.
            texts: Where embeddings of words are kept.
            settings: The session's options.

        Raises:
            OptionError: The export cannot offer one of them.
        """
        ...

    @staticmethod
    def looking(export: Any) -> Encoder:  # noqa: ANN401 - each head has a protocol of its own
        """Returns what encodes pictures for this head: the export itself, unless it needs fewer features."""
        ...

    @staticmethod
    def absent(capabilities: Capabilities) -> UnsupportedPromptError:
        """Returns the error for a question to a session that lacks this head.

        Args:
            capabilities: What the session can be asked.
        """
        ...


_HEADS: Mapping[str, type[Head]] = {"concepts": ConceptHead, "clicks": ClickHead, "video": VideoHead}
"""Every head that there is, by name. The first that a session has gives its capabilities, the others add theirs."""
_Kind = TypeVar("_Kind", bound=Head)


class Heads(Mapping[str, Head]):
    """What answers the questions of a session, by the name of each head."""

    def __init__(
        self,
        answering: Mapping[str, Encoder],
        *,
        model: object,
        embedder: Callable[[Encoder, object, str], Embedder],
        texts: CacheTier[TextEmbedding],
        settings: SessionSettings,
    ) -> None:
        """Puts the heads together; where one export answers several, they share its image encoder.

        Args:
            answering: What answers each head, by its name: one at least.
            model: A name that tells this model from others.
            embedder: Makes what turns pictures into embeddings: of an export, the model's name, and the name of its
                image encoder among several, "" for the first.
            texts: Where embeddings of words are kept.
            settings: The session's options.

        Raises:
            OptionError: There is no head, or none of such a name, or an export cannot offer the threshold.
        """
        unknown = [name for name in answering if name not in _HEADS]
        if unknown:
            raise OptionError("heads", expected=f"made of {', '.join(_HEADS)}", got=unknown[0])
        embedders: dict[int, Embedder] = {}
        self._heads: dict[str, Head] = {}
        for name in (name for name in _HEADS if name in answering):
            looking = _HEADS[name].looking(answering[name])
            if id(looking) not in embedders:
                embedders[id(looking)] = embedder(looking, model, "" if name == "concepts" else name)
            self._heads[name] = _HEADS[name](answering[name], embedders[id(looking)], texts, settings)
        if not self._heads:
            raise OptionError("family", expected="given unless there is a tracker", got=None)

    def __getitem__(self, name: str) -> Head:
        return self._heads[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._heads)

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def capabilities(self) -> Capabilities:
        """What can be asked of all heads together."""
        first, *others = self._heads.values()
        added = {name: getattr(head.encoder.capabilities, name) for head in others for name in head.adds}
        return replace(first.encoder.capabilities, **added)

    def require(self, kind: type[_Kind]) -> _Kind:
        """Returns the head of a kind.

        Raises:
            UnsupportedPromptError: There is none.
        """
        found = next((head for head in self._heads.values() if isinstance(head, kind)), None)
        if found is None:
            raise kind.absent(self.capabilities)
        return found

    def embedder(self, purpose: Purpose | None) -> Embedder:
        """Returns what encodes pictures for a purpose; None for the first head.

        Raises:
            OptionError: There is no such purpose.
            UnsupportedPromptError: There is no head for it.
        """
        if purpose is not None and not (isinstance(purpose, str) and purpose in _HEADS):
            names = ", ".join(f'"{name}"' for name in _HEADS)
            raise OptionError("purpose", expected=f"{names} or None", got=purpose)
        if purpose is None:
            return next(iter(self._heads.values())).embedder
        if purpose not in self._heads:
            raise _HEADS[purpose].absent(self.capabilities)
        return self._heads[purpose].embedder

    def graphs(self) -> dict[str, OnnxModel]:
        """Returns all graphs by role; those of a second export have its family's name before their role."""
        graphs: dict[str, OnnxModel] = {}
        for encoder in {id(head.encoder): head.encoder for head in self._heads.values()}.values():
            prefix = f"{encoder.capabilities.family}_" if graphs else ""
            graphs |= {f"{prefix}{role}": model for role, model in encoder.models.items()}
        return graphs

    def chosen(self, roles: Iterable[str]) -> list[OnnxModel]:
        """Returns the graphs of some roles; all if none is named.

        Raises:
            OptionError: There is no such graph.
        """
        graphs = self.graphs()
        unknown = [role for role in roles if role not in graphs]
        if unknown:
            raise OptionError("role", expected=f"one of {', '.join(graphs)}", got=unknown[0])
        return [graphs[role] for role in roles] or list(graphs.values())
