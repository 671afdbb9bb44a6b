"""The label files of a program that writes JSON, as a format."""

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
    """Label files in JSON; a class for each program says in which dialect."""

    holes: HoleChoice = "fill"

    suffix: ClassVar[str] = ".json"
    dialect: ClassVar[Dialect]

    @property
    def name(self) -> str:
        """Name of the format as `picture_format` takes it."""
        return self.dialect.program.format_name

    @property
    def modes(self) -> tuple[ShapeType, ...]:
        """Kinds of shapes that it is written from."""
        return modes_of(self.name)

    def decode(self, content: bytes, *, path: str | os.PathLike[str], image_size: tuple[int, int] | None) -> LabelFile:
        """See `PictureFormat.decode`; `image_size` may be None for what the file says."""
        return decode_picture(content, path, self.dialect, image_size)

    def encode(self, file: LabelFile) -> tuple[bytes, tuple[Loss, ...]]:
        """See `PictureFormat.encode`."""
        return encode_picture(file, self.dialect, self.holes)
