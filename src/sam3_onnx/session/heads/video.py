"""The head that follows objects through videos: it encodes frames through the cache and opens videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sam3_onnx.session.heads.checking import unsupported
from sam3_onnx.session.stopwatch import Stopwatch

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from typing import Literal

    import numpy as np
    from numpy.typing import NDArray

    from sam3_onnx.errors import UnsupportedPromptError
    from sam3_onnx.images.frames.opening import Backend, FramesLike
    from sam3_onnx.images.origins import LoadedPicture
    from sam3_onnx.models.families.protocol import Arrays, Capabilities, Encoder, VideoTracker
    from sam3_onnx.models.runtime.model import OnnxModel
    from sam3_onnx.results.embedding import Embedding, TextEmbedding
    from sam3_onnx.session.encoding.embedder import Embedder
    from sam3_onnx.session.encoding.memory import CacheTier
    from sam3_onnx.session.options import SessionSettings
    from sam3_onnx.video.session import Sam3VideoSession

__all__ = ["VideoHead"]


class VideoHead:
    """Opens videos for one tracker. Safe under threads."""

    adds: ClassVar[tuple[str, ...]] = ("video",)

    def __init__(
        self,
        export: VideoTracker,
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
    def looking(export: VideoTracker) -> Encoder:
        """Returns what encodes pictures for this head: a frame needs a sixth of the features of a picture."""
        return _FrameFeatures(export)

    @staticmethod
    def absent(capabilities: Capabilities) -> UnsupportedPromptError:
        """Returns the error for a video and a model that follows no objects."""
        remedy = (
            "Objects are followed by a native bundle that was exported with video: "
            "sam3-onnx export CHECKPOINT --video, of a sam3_video checkpoint."
        )
        return unsupported(capabilities, "videos", remedy)

    def open(
        self, source: FramesLike, *, fps: float, color: Literal["rgb", "bgr"], backend: Backend
    ) -> Sam3VideoSession:
        """Opens a video; see `Sam3Session.video`."""
        from sam3_onnx.video.session import Sam3VideoSession  # noqa: PLC0415 - 20 modules, for videos only

        return Sam3VideoSession(
            source, self._tracker, encode=self._encode, fps=fps, color=color, backend=backend, epsilon=self._epsilon
        )

    def _encode(self, picture: LoadedPicture, *, cancel: threading.Event | None) -> Embedding:
        return self.embedder.embed(picture, cancel=cancel, watch=Stopwatch())


class _FrameFeatures:
    """The image encoder of a tracker, which answers with what videos need alone."""

    def __init__(self, export: VideoTracker) -> None:
        self._export = export

    @property
    def capabilities(self) -> Capabilities:
        """What can be asked of the model."""
        return self._export.capabilities

    @property
    def models(self) -> Mapping[str, OnnxModel]:
        """The graphs by role."""
        return self._export.models

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of one frame; see `VideoTracker.encode_frame`."""
        return self._export.encode_frame(pixels, cancel=cancel)

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of one frame; see `VideoTracker.are_of_frame`."""
        return self._export.are_of_frame(features)
