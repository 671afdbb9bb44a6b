"""The head that takes clicks: it encodes a picture once, then decodes click by click."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx.models.families.protocol import Clicks
from sam3_onnx.prompts.clicks import parse_clicks, require_object
from sam3_onnx.results.instance import Instance
from sam3_onnx.results.object import ObjectSegmentation
from sam3_onnx.session.heads.checking import unsupported

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from sam3_onnx.errors import UnsupportedPromptError
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Candidates, Capabilities, Encoder, Tracker
    from sam3_onnx.prompts.boxes import BoxLike
    from sam3_onnx.prompts.clicks import ObjectPrompt, PointsLike
    from sam3_onnx.results.embedding import Embedding, TextEmbedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.options import SessionSettings
    from sam3_onnx.session.stopwatch import Stopwatch

__all__ = ["ClickHead"]

_PROMPT = "clicks"
"""What stands as the prompt of an instance that was clicked at."""


class ClickHead:
    """Cuts objects out with one tracker. Safe under threads."""

    adds: ClassVar[tuple[str, ...]] = ("points",)

    def __init__(
        self,
        export: Tracker,
        embedder: Embedder,
        texts: CacheTier[TextEmbedding],  # noqa: ARG002 - the protocol's; clicks need no words
        settings: SessionSettings,
    ) -> None:
        """Runs nothing yet; see `Head`."""
        self.encoder: Encoder = export
        self.embedder = embedder
        self._tracker = export
        self._epsilon = float(settings.epsilon)

    @staticmethod
    def looking(export: Tracker) -> Encoder:
        """Returns what encodes pictures for this head."""
        return export

    @staticmethod
    def absent(capabilities: Capabilities) -> UnsupportedPromptError:
        """Returns the error for clicks on a model that has no tracker head."""
        remedy = (
            "They need a tracker head: put an export of the tracker family, such as onnx-community/sam3-tracker-ONNX, "
            'into a subfolder beside this model, or open Sam3Session.from_pretrained("sam3-tracker").'
        )
        return unsupported(capabilities, "clicks on one object", remedy)

    def answer(
        self,
        picture: LoadedPicture | Embedding | ObjectSegmentation,
        *,
        points: PointsLike | None,
        point_labels: Iterable[int] | None,
        box: BoxLike | None,
        label: str,
        cancel: threading.Event | None,
        watch: Stopwatch,
    ) -> ObjectSegmentation:
        """Finds the object; see `Sam3Session.predict_object`."""
        seen = picture.embedding if isinstance(picture, ObjectSegmentation) else picture
        size = seen.size
        # Clicks are held against the picture's size before the encoder, the costly part, is run.
        prompt = parse_clicks(points, point_labels, box, size)
        if isinstance(picture, ObjectSegmentation):
            prompt = picture.prompt.refined(prompt)
        require_object(prompt)
        embedding = self.embedder.embed(seen, cancel=cancel, watch=watch)
        clicks = Clicks(prompt.points_in(size), prompt.labels_array(), prompt.box_in(size))
        with watch.stage("decode"):
            found = self._tracker.segment(embedding.features.in_place(), clicks, size=size, cancel=cancel)
        with watch.stage("select"):
            return _object_of(found, prompt, embedding, label=label, epsilon=self._epsilon, timings=watch.seconds)


def _object_of(
    found: Candidates,
    prompt: ObjectPrompt,
    embedding: Embedding,
    *,
    label: str,
    epsilon: float,
    timings: Mapping[str, float],
) -> ObjectSegmentation:
    """Makes the answer from what a model found.

    Args:
        found: The model's masks and scores.
        prompt: What was asked.
        embedding: The picture's features.
        label: What the object is called.
        epsilon: Default simplification of polygons.
        timings: Seconds by stage.
    """
    candidates = []
    for index in np.argsort(-found.scores, kind="stable"):
        mask = found.masks[index]
        window = mask.window
        height, width = window.mask.shape
        box = np.array([window.x, window.y, window.x + width, window.y + height], np.float32)
        candidates.append(Instance(label, _PROMPT, float(found.scores[index]), box, mask, epsilon))
    return ObjectSegmentation(tuple(candidates), found.object_score, prompt, embedding, timings)
