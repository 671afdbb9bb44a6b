"""What goes in and out of an ONNX file, read from its bytes without loading its weights.

Only the few fields of the format that answer this are looked at, through a memory map, so that
reading a file of two gigabytes costs milliseconds and needs neither the `onnx` package nor a
session. Field numbers are those of onnx/onnx.proto (ONNX 1.16).
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sam3_onnx._support.files import is_inside
from sam3_onnx.errors import ModelError, ModelFileDamagedError, ModelFileMissingError, ModelFileUnreadableError
from sam3_onnx.models.runtime.graphs.protobuf import fields, signed
from sam3_onnx.models.runtime.graphs.stamps import stamps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sam3_onnx.models.runtime.graphs.protobuf import Span

__all__ = ["GraphInfo", "TensorInfo", "read_graph"]

_ELEMENT_TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    16: "bfloat16",
}
_HALF = "float16"
_EXTERNAL = 1  # TensorProto.DataLocation
_MOST_FIELDS = 1_000_000
"""Protobuf fields that are looked at in one file, which takes a second or two; a graph of SAM 3 has some 100,000."""


@dataclass(frozen=True)
class TensorInfo:
    """Element type and shape of a graph's input or output."""

    dtype: str
    """numpy's name of the element type, or "unknown"."""
    shape: tuple[int | None, ...]
    """Sizes; None where the graph leaves one open."""

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


@dataclass(frozen=True)
class GraphInfo:
    """The outside of one ONNX graph."""

    path: Path
    inputs: Mapping[str, TensorInfo]
    """What has to be fed, by name, in the graph's order."""
    outputs: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    """The model's `metadata_props`."""
    external_files: tuple[Path, ...]
    """Files beside the graph that hold its weights."""
    _producers: Mapping[str, tuple[str, ...]] = field(repr=False, compare=False)
    operators: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """Types of its nodes, those of its subgraphs among them."""
    computes_in_half: bool = field(default=False, repr=False, compare=False)
    """Whether it takes or converts to float16: weights that are merely stored in it are converted to float32."""
    stamps: Mapping[Path, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    """Size and time of change of each file when it was looked at; `stamps.require_unchanged` compares."""

    def depends_on(self, output: str) -> frozenset[str]:
        """Names of the graph inputs that an output is computed from."""
        waiting, seen = [output], {output, ""}  # an empty name stands for an input or output left out
        while waiting:
            for name in self._producers.get(waiting.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return frozenset(seen & set(self.inputs))

    def signature(self) -> str:
        """One line for messages: inputs and outputs with types and shapes."""
        ins = ", ".join(f"{name} {info}" for name, info in self.inputs.items())
        outs = ", ".join(f"{name} {info}" for name, info in self.outputs.items())
        return f"({ins}) -> ({outs})"


def read_graph(path: Path, *, role: str = "model file") -> GraphInfo:
    """Reads the outside of an ONNX file and checks that its external data is whole.

    Args:
        path: The `.onnx` file; a relative path means what it means now, wherever the process goes later.
        role: What the file is to the caller, for messages.

    Raises:
        ModelFileMissingError: There is no such file, or its external data is not beside it.
        ModelFileDamagedError: The file is cut off or no ONNX model, or its data is too short or
            said to lie outside the model's folder.
        ModelFileUnreadableError: The system does not let one of them be read.
    """
    with _faults_named(path, role):
        return _read(path.absolute(), role)


@contextlib.contextmanager
def _faults_named(path: Path, role: str) -> Iterator[None]:
    """Names what the system refuses."""
    try:
        yield
    except ModelError:
        raise
    except OSError as error:
        told = Path(os.fsdecode(error.filename)) if error.filename is not None else path
        raise ModelFileUnreadableError(told, role=role, reason=error.strerror or str(error)) from error


def _read(path: Path, role: str) -> GraphInfo:
    if path.is_symlink() and not path.exists():
        found = f"{path} is a link to {path.readlink()}, where nothing is"
        raise ModelFileMissingError(path, role=role, found=found, remedy="Copy the file there, or remove the link.")
    if path.is_dir():
        remedy = "Name the file, or open the folder with from_folder(...)."
        raise ModelFileMissingError(path, role=role, found=f"{path} is a folder", remedy=remedy)
    if not path.is_file():
        raise ModelFileMissingError(path, role=role)
    if path.stat().st_size == 0:
        raise ModelFileDamagedError(path, expected="an ONNX model", got="an empty file")
    mistaken = _mistaken_for_a_model(path)
    if mistaken:
        raise ModelFileDamagedError(path, expected="an ONNX model", got=mistaken)
    stamps = stamps_of((path,))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            reader = _GraphReader(memoryview(data))
            reader.read_model()
        except (IndexError, ValueError, RecursionError) as error:
            reason = f"{path.stat().st_size} bytes that cannot be read to their end ({error})"
            raise ModelFileDamagedError(path, expected="a whole ONNX model", got=reason) from error
        finally:
            reader.release()
    if not reader.outputs:
        raise ModelFileDamagedError(path, expected="an ONNX graph with outputs", got="a file without any")
    _check_external(path, reader.external, role)
    external = tuple(path.parent / name for name in reader.external)
    return GraphInfo(
        path=path,
        inputs={name: info for name, info in reader.inputs.items() if name not in reader.initializers},
        outputs=reader.outputs,
        metadata=reader.metadata,
        external_files=external,
        _producers=reader.producers,
        operators=frozenset(reader.operators),
        computes_in_half=reader.converts_to_half or any(info.dtype == _HALF for info in reader.inputs.values()),
        stamps={**stamps, **stamps_of(external)},
    )


def _mistaken_for_a_model(path: Path) -> str:
    """What a download that went wrong left in a model's place; "" for anything else."""
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith(b"<"):
        return "a web page, which a server sent in its place"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, which stands for a file that was not fetched"
    return ""


def _check_external(path: Path, needed: Mapping[str, int], role: str) -> None:
    for name, size in needed.items():
        if not is_inside(name):
            got = f"the location {name!r}"
            raise ModelFileDamagedError(path, expected="external data in the model's folder or below it", got=got)
        data = path.parent / name
        if not data.is_file():
            remedy = f"{path.name} keeps its weights in it; it must lie beside {path.name} under exactly this name."
            raise ModelFileMissingError(data, role=f"external data of the {role}", remedy=remedy)
        with data.open("rb"):
            pass  # onnxruntime would say no more than that it cannot load the graph
        if data.stat().st_size < size:
            raise ModelFileDamagedError(
                data, expected=f"at least {size} bytes of weights for {path.name}", got=f"{data.stat().st_size} bytes"
            )


class _GraphReader:
    """Collects what `GraphInfo` holds while walking over the protobuf fields."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.left = _MOST_FIELDS
        self.inputs: dict[str, TensorInfo] = {}
        self.outputs: dict[str, TensorInfo] = {}
        self.metadata: dict[str, str] = {}
        self.initializers: set[str] = set()
        self.external: dict[str, int] = {}
        self.producers: dict[str, tuple[str, ...]] = {}
        self.operators: set[str] = set()
        self.converts_to_half = False

    def release(self) -> None:
        self.data.release()

    def text(self, span: tuple[int, int]) -> str:
        return str(self.data[span[0] : span[1]], "utf-8")

    def fields(self, span: Span) -> Iterator[tuple[int, int, Span]]:
        """Yields (field number, integer value, span of bytes) for each field of a message.

        Raises:
            ValueError: Together they are more than a graph has.
        """
        for each in fields(self.data, span):
            self.left -= 1
            if self.left < 0:
                raise ValueError(f"more than {_MOST_FIELDS:,} fields")
            yield each.number, each.value, each.content

    def read_model(self) -> None:
        for number, _, span in self.fields((0, len(self.data))):
            if number == 7:  # noqa: PLR2004 - ModelProto.graph
                self.read_graph(span)
            elif number == 14:  # noqa: PLR2004 - ModelProto.metadata_props
                key, value = self.key_value(span)
                self.metadata[key] = value

    def key_value(self, span: tuple[int, int]) -> tuple[str, str]:
        texts = {number: self.text(inner) for number, _, inner in self.fields(span)}
        return texts.get(1, ""), texts.get(2, "")

    def read_graph(self, span: Span) -> None:
        for number, _, inner in self.fields(span):
            if number == 1:
                reads: set[str] = set()
                writes = self.read_node(inner, reads)
                self.producers.update(dict.fromkeys(writes, tuple(reads)))
            elif number == 5:  # noqa: PLR2004 - GraphProto.initializer
                self.initializers.add(self.read_tensor(inner))
            elif number in {11, 12}:
                name, info = self.read_value(inner)
                (self.inputs if number == 11 else self.outputs)[name] = info  # noqa: PLR2004 - GraphProto.input

    def read_subgraph(self, span: Span, reads: set[str]) -> None:
        """Adds all names that a subgraph reads to those of the node that holds it."""
        for number, _, inner in self.fields(span):
            if number == 1:
                self.read_node(inner, reads)
            elif number == 5:  # noqa: PLR2004 - GraphProto.initializer
                self.read_tensor(inner)
            elif number in {11, 12}:
                name, _ = self.read_value(inner)
                reads.add(name)

    def read_node(self, span: Span, reads: set[str]) -> list[str]:
        """Adds what a node reads, and returns what it writes."""
        writes: list[str] = []
        for number, _, inner in self.fields(span):
            if number == 1:
                reads.add(self.text(inner))
            elif number == 2:  # noqa: PLR2004 - NodeProto.output
                writes.append(self.text(inner))
            elif number == 4:  # noqa: PLR2004 - NodeProto.op_type
                self.operators.add(self.text(inner))
            elif number == 5:  # noqa: PLR2004 - NodeProto.attribute
                self.read_attribute(inner, reads)
        return writes

    def read_attribute(self, span: Span, reads: set[str]) -> None:
        name, integer = "", 0
        for number, value, inner in self.fields(span):
            if number == 1:
                name = self.text(inner)
            elif number == 3:  # noqa: PLR2004 - AttributeProto.i
                integer = value
            elif number in {5, 10}:  # AttributeProto.t, tensors
                self.read_tensor(inner)
            elif number in {6, 11}:  # AttributeProto.g, graphs
                self.read_subgraph(inner, reads)
        self.converts_to_half |= name == "to" and _ELEMENT_TYPES.get(integer) == _HALF

    def read_tensor(self, span: tuple[int, int]) -> str:
        name, entries, external = "", {}, False
        for number, value, inner in self.fields(span):
            if number == 8:  # noqa: PLR2004 - TensorProto.name
                name = self.text(inner)
            elif number == 13:  # noqa: PLR2004 - TensorProto.external_data
                key, text = self.key_value(inner)
                entries[key] = text
            elif number == 14:  # noqa: PLR2004 - TensorProto.data_location
                external = value == _EXTERNAL
        if external:
            location = entries.get("location", "")
            end = int(entries.get("offset", "0")) + int(entries.get("length", "0"))
            self.external[location] = max(end, self.external.get(location, 0))
        return name

    def read_value(self, span: tuple[int, int]) -> tuple[str, TensorInfo]:
        name, info = "", TensorInfo("unknown", ())
        for number, _, inner in self.fields(span):
            if number == 1:
                name = self.text(inner)
            elif number == 2:  # noqa: PLR2004 - ValueInfoProto.type
                for kind, _, tensor in self.fields(inner):
                    if kind == 1:
                        info = self.read_type(tensor)
        return name, info

    def read_type(self, span: tuple[int, int]) -> TensorInfo:
        dtype, shape = "unknown", []
        for number, value, inner in self.fields(span):
            if number == 1:
                dtype = _ELEMENT_TYPES.get(value, "unknown")
            elif number == 2:  # noqa: PLR2004 - TypeProto.Tensor.shape
                for _, _, dimension in self.fields(inner):
                    sizes = [signed(size) for kind, size, _ in self.fields(dimension) if kind == 1]
                    # Some exporters write -1 for a size that is open, as onnxruntime reads it.
                    shape.append(sizes[-1] if sizes and sizes[-1] >= 0 else None)
        return TensorInfo(dtype, tuple(shape))
