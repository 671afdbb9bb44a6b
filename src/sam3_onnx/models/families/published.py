"""The base of published exports of three graphs, and the encoder that keeps what all pictures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sam3_onnx._support.forking import ForkSafeLock
from sam3_onnx.models.families.answers import Expected, ask, fit, floats, taken_by
from sam3_onnx.models.families.feeds import finest_cells, fitted, input_size, normalised
from sam3_onnx.models.families.protocol import Arrays, Defaults

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.model import OnnxModel

__all__ = ["PictureEncoder", "PublishedExport", "level"]


class PictureEncoder:
    """Runs an image encoder for the graph that takes its features.

    Position encodings do not depend on the picture and make up half of what some encoders answer:
    they are taken once and kept here, so that no cached picture carries them.
    """

    def __init__(self, encoder: OnnxModel, consumer: GraphInfo, *, constants: Sequence[str] = ()) -> None:
        """Looks at the graphs; runs nothing.

        Args:
            encoder: Has one input, the picture: uint8 (3, H, W), or floats (1, 3, H, W) in -1..1.
            consumer: The graph that takes the features; what it does not take is not asked for.
            constants: Outputs that are the same for every picture.

        Raises:
            UnknownFamilyError: The size of the picture is open, or the two graphs are of two exports.
        """
        self.input_size = input_size(encoder.graph, consumer)
        ((self._input, declared),) = encoder.graph.inputs.items()
        self.cells = finest_cells(self.input_size)
        self._takes_floats = declared.dtype.startswith("float")
        self._encoder, self._consumer = encoder, consumer
        taken = [name for name in encoder.graph.outputs if name in consumer.inputs]
        self._features = tuple(name for name in taken if name not in constants)
        self._constants = tuple(name for name in taken if name in constants)
        self._kept: dict[str, NDArray[np.generic]] = {}
        self._lock = ForkSafeLock()

    def encode(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of one picture, by the names that the consumer has for them.

        Args:
            pixels: (3, H, W) RGB of `input_size`.
            cancel: Setting it stops the run.

        Raises:
            ModelAnswerError: The features have another shape, or NaN or infinity in them, which a decoder may cut away
                with the low scores.
        """
        answers = self._run(() if self._kept else self._constants, pixels, cancel)
        with self._lock:
            self._kept |= {name: answers.pop(name) for name in self._constants if name in answers}
        return {name: _as_float32(values) for name, values in answers.items()}

    def made(self, features: Arrays) -> bool:
        """Returns whether arrays can be what `encode` returned: their names, kinds and shapes."""
        return fit(features, self._expected(self._features))

    def constants(self, *, cancel: threading.Event | None = None) -> Arrays:
        """What is the same for every picture; runs the encoder if it never ran here.

        That happens where features come from another session or from a file.
        """
        if len(self._kept) < len(self._constants):
            self.encode(np.zeros((3, *self.input_size), np.uint8), cancel=cancel)
        return self._kept

    def _run(
        self, constants: Sequence[str], pixels: NDArray[np.uint8], cancel: threading.Event | None
    ) -> dict[str, NDArray[np.floating]]:
        expected = self._expected((*self._features, *constants))
        picture = normalised(pixels) if self._takes_floats else pixels
        answers = ask(self._encoder, expected, {self._input: picture}, cancel=cancel)
        return dict(zip(expected, answers, strict=True))

    def _expected(self, names: Iterable[str]) -> dict[str, Expected]:
        return {name: taken_by(self._consumer, name, level(name, self.cells)) for name in names}


def level(name: str, cells: tuple[int, int]) -> Expected:
    """Features of a picture, or their position encodings.

    Args:
        name: In every family it ends with the level, 0 for the finest; each further one has half the rows and columns.
        cells: (rows, columns) of the finest level.
    """
    halvings = int(name[-1])
    return floats(1, "?", cells[0] >> halvings, cells[1] >> halvings)


def _as_float32(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return values.astype(np.float32, copy=False)


class PublishedExport:
    """What every published export of three graphs has; a family adds its text and its decoder."""

    roles: ClassVar[tuple[str, ...]] = ("image_encoder", "text_encoder", "decoder")
    optional_roles: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[Mapping[str, str]] = {"concepts": "decoder"}
    constants: ClassVar[tuple[str, ...]] = ()
    """Outputs of the image encoder that are the same for every picture."""

    def __init__(self, models: Mapping[str, OnnxModel]) -> None:
        self.models = models
        self._pictures = PictureEncoder(models["image_encoder"], models["decoder"].graph, constants=self.constants)

    @property
    def defaults(self) -> Defaults:
        """The reference's own behaviour."""
        return Defaults()

    def encode_image(self, pixels: NDArray[np.uint8], *, cancel: threading.Event | None) -> Arrays:
        """Features of a picture (3, H, W) uint8 RGB; see `Family.encode_image`."""
        return self._pictures.encode(pixels, cancel=cancel)

    def are_of_image(self, features: Arrays) -> bool:
        """Returns whether arrays can be features of a picture; see `Family.are_of_image`."""
        return self._pictures.made(features)

    def _ready(self, picture: Arrays, cancel: threading.Event | None) -> Arrays:
        """What the decoder takes of a picture, in its element types: made once for all prompts of a question."""
        return fitted(self.models["decoder"].graph, {**self._pictures.constants(cancel=cancel), **picture})
