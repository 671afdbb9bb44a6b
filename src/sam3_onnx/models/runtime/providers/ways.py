"""Ways to run a part of a model: a provider, its options, and the precision that it computes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sam3_onnx._support.processor import has_matrix_units
from sam3_onnx.models.runtime.providers.miniature import miniature_graphs
from sam3_onnx.models.runtime.providers.names import CPU, OPENVINO, short_name
from sam3_onnx.models.runtime.providers.precision import COARSE, check_precision, openvino_precision, word_for
from sam3_onnx.models.runtime.providers.roles import QUICK_ON_MATRIX_UNITS, is_worth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sam3_onnx.models.runtime.graphs.reading import GraphInfo
    from sam3_onnx.models.runtime.providers.names import Wanted
    from sam3_onnx.models.runtime.providers.precision import Precision, PrecisionChoice

__all__ = ["PLAIN", "Way", "way_of"]


@dataclass(frozen=True)
class Way:
    """A provider with its options and the precision that it computes in."""

    provider: str
    """ONNX Runtime's name of it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The caller's own."""
    precision: Precision = "auto"
    """"auto" where it is the provider's own choice."""

    @property
    def is_coarse(self) -> bool:
        """Whether it moves answers."""
        return self.precision in COARSE


PLAIN = Way(CPU, precision="float32")
"""ONNX Runtime's own way on any processor."""


def way_of(wanted: Wanted, choice: PrecisionChoice, *, role: str, graph: GraphInfo | None) -> Way:
    """Returns how a part of a model is run where a provider is wanted: by it, or in the plain way if that is quicker.

    Args:
        wanted: The provider and options for it.
        choice: What the caller said of precision.
        role: The part's name, such as "image_encoder".
        graph: The part; None for one of which nothing is known.

    Raises:
        OptionError: The provider cannot compute this part in the precision that is asked for.
    """
    provider, options = wanted
    name = "precision" if isinstance(choice, str) else f'precision["{role}"]'
    asked = precision = word_for(choice, role)
    if asked == "auto" and provider == OPENVINO:
        precision = openvino_precision(options) or _openvino_default(role, options)
    if not is_worth(provider, options, role=role, graph=graph, coarse=precision in COARSE):
        why = f"{short_name(provider)} is not used for the {role.replace('_', ' ')}: it would be slower."
        check_precision(asked, CPU, {}, name=name, why=why)
        return PLAIN
    check_precision(asked, provider, options, name=name)
    return PLAIN if provider == CPU else Way(provider, options, precision)


def _openvino_default(role: str, options: Mapping[str, str]) -> Precision:
    """What OpenVINO computes a part in where the caller says nothing: by itself it takes bfloat16 for every part.

    A part that the miniature does not have cannot be proven on it, and stays exact.
    """
    if options.get("device_type", "CPU") != "CPU":
        return "auto"
    is_quick = role in QUICK_ON_MATRIX_UNITS and has_matrix_units()
    return "bfloat16" if is_quick and role in miniature_graphs() else "float32"
