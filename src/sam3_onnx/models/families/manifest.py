"""Entries that an exporter wrote into a graph's metadata, read and checked. docs/native-bundle.md lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sam3_onnx.errors import ManifestError
from sam3_onnx.models.families.feeds import LONGEST_SIDE
from sam3_onnx.models.families.protocol import Defaults
from sam3_onnx.prompts.tokenizer import ClipTokenizer

if TYPE_CHECKING:
    from sam3_onnx.models.runtime.graphs.reading import GraphInfo

__all__ = ["Manifest", "flag", "number", "read_manifest", "share"]

_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,4}", re.ASCII)
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Manifest:
    """What one graph of a native bundle says of the whole bundle."""

    defaults: Defaults
    pad: int
    """Id that fills a prompt up."""


def read_manifest(graph: GraphInfo) -> Manifest:
    """Reads the recommendations of a native bundle; what is missing has its default.

    Raises:
        ManifestError: An entry is no value of its kind, or out of its range.
    """
    pad, size = (graph.metadata.get(f"sam3_onnx.{key}") for key in ("pad", "input_size"))
    if pad is not None and not (re.fullmatch(r"\d{1,6}", pad, re.ASCII) and int(pad) <= ClipTokenizer.END):
        raise _refused(graph, "pad", f"an id of CLIP's in 0..{ClipTokenizer.END}")
    if size is not None and not _is_size(size):
        raise _refused(graph, "input_size", f"height x width in 1..{LONGEST_SIDE}, such as 1008x1008")
    threshold = share(graph, "conf_threshold")
    return Manifest(
        Defaults(
            conf_threshold=Defaults.conf_threshold if threshold is None else threshold,
            cut_to_box=bool(flag(graph, "cut_to_box")),
            nms=share(graph, "nms"),
        ),
        pad=int(pad or 0),
    )


def share(graph: GraphInfo, key: str) -> float | None:
    """A number in 0..1; None where there is no such entry.

    Args:
        graph: Holds the entry `sam3_onnx.KEY`.
        key: The end of its name.

    Raises:
        ManifestError: It is anything else.
    """
    text = graph.metadata.get(f"sam3_onnx.{key}")
    if text is None:
        return None
    if not (_NUMBER.fullmatch(text) and 0 <= float(text) <= 1):
        raise _refused(graph, key, "a number in 0..1, or no such entry")
    return float(text)


def flag(graph: GraphInfo, key: str) -> bool | None:
    """Yes or no; None where there is no such entry.

    Args:
        graph: Holds the entry `sam3_onnx.KEY`.
        key: The end of its name.

    Raises:
        ManifestError: It is anything else.
    """
    text = graph.metadata.get(f"sam3_onnx.{key}")
    if text is not None and text not in _FLAGS:
        raise _refused(graph, key, "true or false")
    return None if text is None else _FLAGS[text]


def number(graph: GraphInfo, key: str, *, least: int) -> int | None:
    """A whole number of at most four digits; None where there is no such entry.

    Args:
        graph: Holds the entry `sam3_onnx.KEY`.
        key: The end of its name.
        least: The lowest that it may be.

    Raises:
        ManifestError: It is anything else.
    """
    text = graph.metadata.get(f"sam3_onnx.{key}")
    if text is None:
        return None
    if not (_WHOLE.fullmatch(text) and int(text) >= least):
        raise _refused(graph, key, f"a whole number in {least}..9999, or no such entry")
    return int(text)


def _is_size(text: str) -> bool:
    sides = _SIZE.fullmatch(text)
    return sides is not None and all(1 <= int(side) <= LONGEST_SIDE for side in sides.groups())


def _refused(graph: GraphInfo, key: str, expected: str) -> ManifestError:
    name = f"sam3_onnx.{key}"
    return ManifestError(graph.path, name, expected=expected, got=graph.metadata[name])
