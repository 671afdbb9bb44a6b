"""`JsonFormat`: base class of the formats with label files in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sam3_onnx.labels.formats import modes_of
from sam3_onnx.labels.json_files.dialect import decode_picture, encode_picture
from sam3_onnx.labels.label_file import PictureFormat

if TYPE_CHECKING:
    import os

    from sam3_onnx.labels.json_files.dialect import Dialect
    from sam3_onnx.labels.label_file import HoleChoice, LabelFile
    from sam3_onnx.labels.losses import Loss
    from sam3_onnx.results.shape import ShapeType

__all__ = ["JsonFormat"]


@dataclass(frozen=True)
class JsonFormat(PictureFormat):
    """Label files in JSON; a subclass for each program sets the dialect."""

    holes: HoleChoice = "fill"

    suffix: ClassVar[str] = ".json"
    dialect: ClassVar[Dialect]

    @property
    def name(self) -> str:
        """Name of the format, for `picture_format`."""
        return self.dialect.program.format_name

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Shape types that the format can be written from."""
        return modes_of(self.name)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int] | None) -> LabelFile:
        """Decodes a label file, see `PictureFormat.decode`; `image_size=None` takes the size from the file."""
        return decode_picture(content, path, self.dialect, image_size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """Encodes a label file, see `PictureFormat.encode`."""
        return encode_picture(file, self.dialect, self.holes)
