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
    from sam3_onnx.models.runtime.devices.arrays import AnyArray
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = [
    "AnyArrays",
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
    "Recalled",
    "TrackReadings",
    "TrackRules",
    "Tracker",
    "VideoTracker",
]

Arrays: TypeAlias = "Mapping[str, NDArray[np.generic]]"
"""Named arrays, as they go into or come out of a graph."""
AnyArrays: TypeAlias = "Mapping[str, AnyArray]"
"""Named arrays, such as the features of a picture, each in the host's memory or in that of the device that made it."""


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
    video: bool = False
    """Follows objects through a video."""
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


@dataclass(frozen=True)
class TrackRules:
    """How a model was trained to remember objects; the values of SAM 3 where it does not say.

    The names of the reference, `Sam3TrackerVideoConfig` of transformers, stand behind each.
    """

    memories: int = 7
    """Frames that are remembered in pictures, the conditioning ones as one of them (num_maskmem)."""
    conditioning: int = 4
    """Most conditioning frames that are looked at at once (max_cond_frame_num)."""
    pointers: int = 16
    """Frames that are remembered by a pointer, the frame in hand among them (max_object_pointers_in_encoder)."""
    fewest_points: int = 0
    """From so many points on, a mask is chosen among three (multimask_min_pt_num)."""
    most_points: int = 1
    """Up to so many points, a mask is chosen among three (multimask_max_pt_num)."""
    choose_while_tracking: bool = True
    """Whether it is chosen so also where there is memory (multimask_output_for_tracking)."""
    check_stability: bool = True
    """Whether an unstable single mask gives way to the best of three (dynamic_multimask_via_stability)."""
    stability_delta: float = 0.05
    """How far logits are shifted to see whether a mask is stable (dynamic_multimask_stability_delta)."""
    stability_threshold: float = 0.98
    """The IoU of the two shifted masks from which on it is (dynamic_multimask_stability_thresh)."""


@dataclass(frozen=True, eq=False)
class Recalled:
    """What is remembered of one object when a frame is looked at."""

    memories: NDArray[np.float16]
    """(M, D, h, w) what the memory encoder made of frames; M is at least 1."""
    slots: NDArray[np.int64]
    """(M,) the place in time of each: the distance in frames less 1, and the last one for a conditioning frame."""
    pointers: NDArray[np.float32]
    """(N, C) the object as the decoder saw it; N may be 0."""
    ages: NDArray[np.float32]
    """(N,) the distance of each in frames, divided by the largest that there may be."""


@dataclass(frozen=True, eq=False)
class TrackReadings:
    """What the decoder says of one object on one frame: a single mask, and three that it may be."""

    masks: NDArray[np.float32]
    """(4, h, w) logits in 4 cells a cell of the coarsest features; the single mask first."""
    ious: NDArray[np.float32]
    """(4,) the IoU that the model expects of each with the object."""
    pointers: NDArray[np.float32]
    """(4, C) the object as each mask shows it."""
    object_logit: float
    """Above 0 where the object is to be seen."""


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

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> AnyArrays:
        """Features of one picture.

        Args:
            pixels: (3, H, W) RGB of `capabilities.input_size`.
            cancel: Setting it stops the run.

        Returns:
            Floats; nothing that is the same for every picture.
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
        picture: AnyArrays,
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
        self, picture: AnyArrays, clicks: Clicks, *, size: tuple[int, int], cancel: threading.Event | None
    ) -> Candidates:
        """What the clicks may mean.

        Args:
            picture: What `encode_image` returned.
            clicks: At least one point or a box.
            size: (height, width) of the picture.
            cancel: Setting it stops the run.
        """
        ...


class VideoTracker(Encoder, Protocol):
    """One published kind of SAM 3 export that follows objects through a video. It remembers nothing itself."""

    @property
    def rules(self) -> TrackRules:
        """How the model was trained to remember."""
        ...

    def encode_frame(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of one frame that following objects needs, and no others.

        Args:
            pixels: (3, H, W) RGB of `capabilities.input_size`.
            cancel: Setting it stops the run.
        """
        ...

    def are_of_frame(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_frame` returned: their names, kinds and shapes."""
        ...

    def attend(self, picture: Arrays, recalled: Recalled, *, cancel: threading.Event | None) -> NDArray[np.floating]:
        """Features of a frame in the light of what is remembered of one object.

        Args:
            picture: What `encode_frame` returned.
            recalled: What is remembered.
            cancel: Setting it stops the run.

        Returns:
            (1, C, h, w).
        """
        ...

    def decode(
        self,
        picture: Arrays,
        *,
        attended: NDArray[np.floating] | None,
        clicks: Clicks | None,
        cancel: threading.Event | None,
    ) -> TrackReadings:
        """Finds one object on one frame.

        Args:
            picture: What `encode_frame` returned.
            attended: What `attend` returned; None where nothing is remembered yet.
            clicks: What points at the object; None for memory alone.
            cancel: Setting it stops the run.
        """
        ...

    def read_mask(self, picture: Arrays, mask: NDArray[np.float32], *, cancel: threading.Event | None) -> TrackReadings:
        """Sees one object where a mask shows it.

        Args:
            picture: What `encode_frame` returned.
            mask: (H, W) of `capabilities.input_size`, 1 on the object and 0 beside it.
            cancel: Setting it stops the run.
        """
        ...

    def memorise(
        self,
        picture: Arrays,
        logits: NDArray[np.float32],
        *,
        object_logit: float,
        hard: bool,
        cancel: threading.Event | None,
    ) -> NDArray[np.float16]:
        """Makes the memory of one object on one frame.

        Args:
            picture: What `encode_frame` returned.
            logits: (H, W) of the object's mask, of any size.
            object_logit: Above 0 where the object is to be seen.
            hard: Whether the mask counts as either 0 or 1, because somebody pointed at an object.
            cancel: Setting it stops the run.

        Returns:
            (D, h, w).
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
    `Tracker` for "clicks", `VideoTracker` for "video".
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
