"""A model without weights, so that code that uses a session can be tested in milliseconds.

```python
from sam3_onnx.testing import FakeInstance, fake_session

session = fake_session({"coin": [FakeInstance((0.1, 0.1, 0.4, 0.5), score=0.9)]})
result = session.predict(np.zeros((100, 200, 3), np.uint8), "coin, dog")
assert result.labels == ["coin"]
```

Everything but the graphs is the real thing: pictures are read, prompts parsed and tokenized,
embeddings cached, masks made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx._support.keywords import known_keywords, known_methods
from sam3_onnx.errors import OptionError
from sam3_onnx.geometry.mask_sources import LogitMask
from sam3_onnx.models.families.protocol import (
    AnyArrays,
    Arrays,
    Candidates,
    Capabilities,
    Clicks,
    Defaults,
    Detections,
    Query,
    Recalled,
    TrackReadings,
    TrackRules,
)
from sam3_onnx.prompts.tokenizer import load_tokenizer
from sam3_onnx.session.session import Sam3Session

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.session.options import SessionOptions

__all__ = ["FakeFamily", "FakeInstance", "FakeTracker", "FakeVideoTracker", "fake_session"]

_CELLS = 64
_CLICK_REACH = 0.1  # of the picture's sides


@known_methods
@dataclass(frozen=True)
class FakeInstance:
    """Something that a fake model will find."""

    box: tuple[float, float, float, float]
    """(x1, y1, x2, y2) as shares of the picture, 0..1; the mask is an ellipse inside."""
    score: float = 0.9


@known_methods
class FakeFamily:
    """A family that finds what it was told to, and counts what it was asked.

    Attributes:
        calls: How often "encode_image", "encode_text" and "detect" ran.
        queries: Every query that `detect` was given.
    """

    def __init__(
        self,
        answers: Mapping[str, Sequence[FakeInstance]],
        *,
        capabilities: Capabilities | None = None,
        defaults: Defaults | None = None,
        feature_bytes: int = 1024,
        on_encode: Callable[[], None] | None = None,
    ) -> None:
        """Makes a fake.

        Args:
            answers: What is found, by prompt; "visual" is the prompt of boxes without words.
            capabilities: What it claims to be able to do; by default everything but clicks.
            defaults: What it recommends to sessions.
            feature_bytes: Size of a picture's features as float32, a multiple of 4.
            on_encode: Called inside every run of the image encoder, to wait, fail, or signal.
        """
        if not isinstance(answers, Mapping):
            raise OptionError("answers", expected="a mapping of prompts to lists of FakeInstance", got=answers)
        encode = load_tokenizer().encode
        self._answers = {tuple(encode(prompt)): tuple(found) for prompt, found in answers.items()}
        self._capabilities = capabilities or Capabilities(family="fake", input_size=(_CELLS, _CELLS))
        self._defaults = defaults or Defaults()
        self._feature_size = feature_bytes // 4
        self._on_encode = on_encode
        self._lock = ForkSafeLock()
        self.calls: Counter[str] = Counter()
        self.queries: list[Query] = []

    @property
    def capabilities(self) -> Capabilities:
        """What it claims to be able to do."""
        return self._capabilities

    @property
    def defaults(self) -> Defaults:
        """What it recommends to sessions."""
        return self._defaults

    @property
    def models(self) -> Mapping[str, OnnxModel]:
        """No graphs."""
        return {}

    def _count(self, call: str) -> None:
        with self._lock:
            self.calls[call] += 1

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:  # noqa: ARG002 - the protocol's
        """Features that hold the picture's mean."""
        self._count("encode_image")
        if self._on_encode is not None:
            self._on_encode()
        return {"features": np.full(self._feature_size, pixels.mean(), np.float32)}

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_image` returned."""
        return features.keys() == {"features"} and features["features"].shape == (self._feature_size,)

    def encode_text(self, tokens: Sequence[Sequence[int]], *, cancel: threading.Event | None) -> list[Arrays]:  # noqa: ARG002 - the protocol's
        """Features that hold the tokens."""
        self._count("encode_text")
        return [{"tokens": np.array(ids, np.int64)} for ids in tokens]

    def are_of_text(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_text` returned for one prompt."""
        return features.keys() == {"tokens"} and features["tokens"].ndim == 1

    def detect(
        self,
        picture: AnyArrays,  # noqa: ARG002 - the protocol's
        queries: Sequence[Query],
        *,
        size: tuple[int, int],
        threshold: float,
        cancel: threading.Event | None,  # noqa: ARG002 - the protocol's
    ) -> list[Detections]:
        """What the prompts were told to find."""
        self._count("detect")
        self.queries += queries
        return [self._found(query, size, threshold) for query in queries]

    def _found(self, query: Query, size: tuple[int, int], threshold: float) -> Detections:
        told = self._answers.get(tuple(query.text["tokens"].tolist()), ())
        kept = [instance for instance in told if instance.score > threshold]
        height, width = size
        boxes = np.array([instance.box for instance in kept], np.float32).reshape(-1, 4)
        scale = np.array([width, height, width, height], np.float32)
        masks = [LogitMask(_ellipse(instance.box), size) for instance in kept]
        return Detections(np.array([instance.score for instance in kept], np.float32), boxes * scale, masks)


@known_methods
class FakeTracker:
    """A tracker whose object is an ellipse around the positive clicks, or in the box.

    It answers with three candidates: the ellipse, half of it, and twice of it.

    Attributes:
        calls: How often "encode_image" and "segment" ran.
        clicks: Everything that `segment` was given.
    """

    def __init__(self, *, scores: tuple[float, float, float] = (0.9, 0.6, 0.3), object_score: float = 0.95) -> None:
        """Makes a fake.

        Args:
            scores: The IoU that it expects of each candidate, in the order of its answers.
            object_score: Whether it thinks that there is an object, in 0..1.
        """
        self._scores = scores
        self._object_score = object_score
        self.calls: Counter[str] = Counter()
        self.clicks: list[Clicks] = []

    @property
    def capabilities(self) -> Capabilities:
        """Clicks only."""
        return Capabilities("fake", (_CELLS, _CELLS), text=False, boxes=False, negative_boxes=False, points=True)

    @property
    def models(self) -> Mapping[str, OnnxModel]:
        """No graphs."""
        return {}

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:  # noqa: ARG002 - the protocol's
        """Features that hold the picture's mean."""
        self.calls["encode_image"] += 1
        return {"features": np.full(4, pixels.mean(), np.float32)}

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_image` returned."""
        return features.keys() == {"features"} and features["features"].shape == (4,)

    def segment(
        self,
        picture: AnyArrays,  # noqa: ARG002 - the protocol's
        clicks: Clicks,
        *,
        size: tuple[int, int],
        cancel: threading.Event | None,  # noqa: ARG002 - the protocol's
    ) -> Candidates:
        """Three ellipses."""
        self.calls["segment"] += 1
        self.clicks.append(clicks)
        center, half = _shown(clicks)
        masks = []
        for share in (1.0, 0.5, 2.0):
            (x1, y1), (x2, y2) = center - half * share, center + half * share
            masks.append(LogitMask(_ellipse((x1, y1, x2, y2)), size))
        return Candidates(np.array(self._scores, np.float32), masks, self._object_score)


@known_methods
class FakeVideoTracker:
    """Follows objects that stand still: each is an ellipse around its clicks, in its box, or in that of its mask.

    On a frame that is all black nothing is to be seen.

    Attributes:
        calls: How often "encode_frame", "attend", "decode", "read_mask" and "memorise" ran.
        recalled: Everything that `attend` was given, in order.
    """

    def __init__(self, *, rules: TrackRules | None = None, on_encode: Callable[[], None] | None = None) -> None:
        """Makes a fake.

        Args:
            rules: How it claims to remember; None for SAM 3's own.
            on_encode: Called inside every run of the image encoder, to wait, fail, or signal.
        """
        self._rules = rules or TrackRules()
        self._on_encode = on_encode
        self.calls: Counter[str] = Counter()
        self.recalled: list[Recalled] = []

    @property
    def capabilities(self) -> Capabilities:
        """Videos only."""
        return Capabilities("fake", (_CELLS, _CELLS), text=False, boxes=False, negative_boxes=False, video=True)

    @property
    def models(self) -> Mapping[str, OnnxModel]:
        """No graphs."""
        return {}

    @property
    def rules(self) -> TrackRules:
        """How it claims to remember."""
        return self._rules

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """The same as `encode_frame`."""
        return self.encode_frame(pixels, cancel=cancel)

    def encode_frame(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:  # noqa: ARG002 - the protocol's
        """Features that hold the picture's mean."""
        self.calls["encode_frame"] += 1
        if self._on_encode is not None:
            self._on_encode()
        return {"features": np.full(4, pixels.mean(), np.float32)}

    def are_of_image(self, features: Arrays) -> bool:
        """The same as `are_of_frame`."""
        return self.are_of_frame(features)

    def are_of_frame(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode_frame` returned."""
        return features.keys() == {"features"} and features["features"].shape == (4,)

    def attend(self, picture: Arrays, recalled: Recalled, *, cancel: threading.Event | None) -> NDArray[np.floating]:  # noqa: ARG002 - the protocol's
        """The place of the object when it was seen last: centre and half its sides, as shares of the frame."""
        self.calls["attend"] += 1
        self.recalled.append(recalled)
        if not len(recalled.ages):
            return np.array([0.5, 0.5, _CLICK_REACH, _CLICK_REACH], np.float32)
        latest: NDArray[np.float32] = recalled.pointers[int(np.argmin(recalled.ages))]
        return latest

    def decode(
        self,
        picture: Arrays,
        *,
        attended: NDArray[np.floating] | None,
        clicks: Clicks | None,
        cancel: threading.Event | None,  # noqa: ARG002 - the protocol's
    ) -> TrackReadings:
        """The object at its clicks or in its box; else where it was."""
        self.calls["decode"] += 1
        if clicks is not None and (clicks.box is not None or 1 in clicks.labels):
            return _sighted(picture, np.concatenate(_shown(clicks)))
        return _sighted(picture, np.zeros(4) if attended is None else attended)

    def read_mask(
        self,
        picture: Arrays,
        mask: NDArray[np.float32],
        *,
        cancel: threading.Event | None,  # noqa: ARG002 - the protocol's
    ) -> TrackReadings:
        """The object in the rectangle of its mask."""
        self.calls["read_mask"] += 1
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        first = np.array([columns[0], rows[0]]) / _CELLS
        last = np.array([columns[-1] + 1, rows[-1] + 1]) / _CELLS
        return _sighted(picture, np.concatenate([(first + last) / 2, (last - first) / 2]))

    def memorise(
        self,
        picture: Arrays,
        logits: NDArray[np.float32],
        *,
        object_logit: float,
        hard: bool,
        cancel: threading.Event | None,  # noqa: ARG002 - the protocol's
    ) -> NDArray[np.float16]:
        """A small array that holds the frame's mean, the mask's share, the object's logit and whether it is hard."""
        self.calls["memorise"] += 1
        held = [picture["features"][0], (logits > 0).mean(), object_logit, hard]
        return np.array(held, np.float16).reshape(4, 1, 1)


def _sighted(picture: Arrays, place: NDArray[np.floating]) -> TrackReadings:
    """Readings of an ellipse at a place: its centre and half its sides, (4,) shares of the frame."""
    x, y, across, down = (float(value) for value in place)
    seen = bool(picture["features"][0] > 0)
    logits = _ellipse((x - across, y - down, x + across, y + down)) if seen else np.full((_CELLS, _CELLS), -1024.0)
    return TrackReadings(
        masks=np.broadcast_to(logits, (4, _CELLS, _CELLS)).astype(np.float32),
        ious=np.array([0.9, 0.9, 0.6, 0.3], np.float32),
        pointers=np.broadcast_to(place, (4, 4)).astype(np.float32),
        object_logit=4.0 if seen else -4.0,
    )


def _shown(clicks: Clicks) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Centre and half the sides of what positive clicks or a box show, as shares of the picture."""
    if clicks.box is not None:
        first, last = clicks.box[:2], clicks.box[2:]
    else:
        on_object = clicks.points[clicks.labels == 1]
        first, last = (on_object - _CLICK_REACH).min(0), (on_object + _CLICK_REACH).max(0)
    return (first + last) / 2, (last - first) / 2


def _ellipse(box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    x1, y1, x2, y2 = box
    centers = (np.arange(_CELLS) + 0.5) / _CELLS
    across = (centers - (x1 + x2) / 2) / max((x2 - x1) / 2, 1e-6)
    down = (centers - (y1 + y2) / 2) / max((y2 - y1) / 2, 1e-6)
    logits: NDArray[np.float32] = (1 - across[None, :] ** 2 - down[:, None] ** 2).clip(-8, 8).astype(np.float32)
    return logits


@known_keywords()
def fake_session(answers: Mapping[str, Sequence[FakeInstance]], **options: Unpack[SessionOptions]) -> Sam3Session:
    """A session that finds what it is told to.

    Args:
        answers: What is found, by prompt; "visual" is the prompt of boxes without words.
        **options: As of `Sam3Session.from_folder`; `provider`, `precision` and `threads` have no graphs to act on.

    Raises:
        OptionError: There is no such option, or it has a value outside its range.
    """
    return Sam3Session(FakeFamily(answers), model="fake", source="fake_session(...)", **options)
