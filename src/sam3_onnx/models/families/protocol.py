"""What a session needs from an export family, whatever its files look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.geometry.mask_sources import MaskSource
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = [
    "Arrays",
    "Candidates",
    "Capabilities",
    "Clicks",
    "Defaults",
    "Detections",
    "Encoder",
    "Family",
    "KnownFamily",
    "Query",
    "Tracker",
]

Arrays: TypeAlias = "Mapping[str, NDArray[np.generic]]"
"""Named arrays, as they go into or come out of a graph."""


@dataclass(frozen=True)
class Capabilities:
    """What can be asked of a model."""

    family: str
    """Name of the export family, such as "native" or "six-file"."""
    input_size: tuple[int, int]
    """(height, width) that pictures are stretched to."""
    text: bool = True
    """Takes words."""
    boxes: bool = True
    """Takes boxes of examples."""
    negative_boxes: bool = True
    """Takes boxes of what is not meant."""
    max_boxes: int | None = None
    """Boxes in one prompt; None for any number."""
    points: bool = False
    """Segments one object by clicks."""
    lowest_threshold: float = 0.0
    """Scores at or below it are cut inside the graph and cannot be had."""


@dataclass(frozen=True)
class Defaults:
    """What a bundle itself recommends where the caller says nothing."""

    conf_threshold: float = 0.5
    cut_to_box: bool = False
    nms: float | None = None


@dataclass(frozen=True)
class Query:
    """One prompt in the form that families take."""

    text: Arrays
    """The family's own text features."""
    boxes: NDArray[np.float32]
    """(N, 4) cxcywh in 0..1 of the picture; N may be 0."""
    labels: NDArray[np.int64]
    """(N,) 1 positive, 0 negative."""


@dataclass(frozen=True)
class Detections:
    """What one prompt found, in the order of the model's queries."""

    scores: NDArray[np.float32]
    """(N,) in 0..1."""
    boxes: NDArray[np.float32]
    """(N, 4) xyxy in pixels of the picture, not yet clipped to it."""
    masks: Sequence[MaskSource] = field(repr=False)


@dataclass(frozen=True)
class Clicks:
    """What points at one object."""

    points: NDArray[np.float32]
    """(P, 2) x, y in 0..1 of the picture; P may be 0 beside a box."""
    labels: NDArray[np.int64]
    """(P,) 1 on the object, 0 beside it."""
    box: NDArray[np.float32] | None
    """(4,) xyxy in 0..1 of the picture."""


@dataclass(frozen=True)
class Candidates:
    """What one object may be, in the order of the model's answers."""

    scores: NDArray[np.float32]
    """(K,) the IoU that the model expects of each mask with the object."""
    masks: Sequence[MaskSource] = field(repr=False)
    object_score: float
    """In 0..1: whether there is an object at all."""


class Encoder(Protocol):
    """The part of a model that looks at pictures, whatever is asked about them afterwards."""

    @property
    def capabilities(self) -> Capabilities:
        """What can be asked of this model."""
        ...

    @property
    def models(self) -> Mapping[str, OnnxModel]:
        """The graphs by role: image_encoder, text_encoder, decoder, ..."""
        ...

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of one picture.

        Args:
            pixels: (3, H, W) RGB of `capabilities.input_size`.
            cancel: Setting it stops the run.

        Returns:
            Float arrays; nothing that is the same for every picture.
        """
        ...

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_image` returned: their names, kinds and shapes."""
        ...


class Family(Encoder, Protocol):
    """One published kind of SAM 3 export that finds every instance of a concept."""

    @property
    def defaults(self) -> Defaults:
        """The bundle's own recommendations."""
        ...

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:
        """Features of each prompt.

        Args:
            tokens: CLIP ids of each prompt, start and end included, not padded.
            cancel: Setting it stops the run.
        """
        ...

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_text` returned for one prompt."""
        ...

    def detect(
        self,
        picture: Arrays,
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,
    ) -> list[Detections]:
        """Answers prompts about one picture.

        Args:
            picture: What `encode_image` returned.
            queries: The prompts.
            size: (height, width) of the picture.
            threshold: Only scores above it are returned.
            cancel: Setting it stops the run.

        Returns:
            One entry per query.
        """
        ...


class Tracker(Encoder, Protocol):
    """One published kind of SAM 3 export that cuts out one object by clicks."""

    def segment(
        self, picture: Arrays, clicks: Clicks, *, size: tuple[int, int], cancel: threading.Event | None
    ) -> Candidates:
        """What the clicks may mean.

        Args:
            picture: What `encode_image` returned.
            clicks: At least one point or a box.
            size: (height, width) of the picture.
            cancel: Setting it stops the run.
        """
        ...


class KnownFamily(Encoder, Protocol):
    """What recognition needs of a kind of export; `recognition.FAMILIES` lists those that there are."""

    name: ClassVar[str]
    """What `Capabilities.family` says."""
    roles: ClassVar[tuple[str, ...]]
    """Parts that every export of this kind has, each a graph."""
    optional_roles: ClassVar[tuple[str, ...]]
    """Parts that it may have."""
    provides: ClassVar[Mapping[str, str]]
    """The heads of a session that it can be, each with the part whose graph answers: {"concepts": "decoder"}.

    An export has those heads whose parts it has. It then speaks the protocol of each: `Family` for "concepts",
    `Tracker` for "clicks".
    """

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        """Takes the graphs by role.

        Raises:
            UnknownFamilyError: They contradict each other.
        """
        ...

    @staticmethod
    def role_of(graph: GraphInfo) -> str | None:
        """Which part of this kind of export a graph is, if any."""
        ...
