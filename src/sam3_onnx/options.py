"""The options that every way of opening a session takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from sam3_onnx.embeddings import FeaturePrecision
    from sam3_onnx.runtime import Precision, ProviderChoice

__all__ = ["SessionOptions"]


class SessionOptions(TypedDict, total=False):
    """Keyword arguments of `Sam3Session.from_pretrained`, `from_folder`, `from_files` and `from_config`."""

    provider: ProviderChoice
    """Which execution providers run the graphs: "auto" (the default: the fastest that answers as CPU does), "cpu",
    "cuda", "openvino", ..., or a list of these. One named that does not become active is an error."""
    precision: Precision
    """"float32", "bfloat16" or "float16" where the provider can choose; "auto", the default, leaves it to a provider
    that is named, and is float32 where `provider` is "auto"."""
    threads: int | None
    """Threads of one run; None, the default, leaves it to ONNX Runtime."""
    conf_threshold: float | None
    """Default threshold in 0..1; None, the default, for what the bundle recommends (0.5 as a rule)."""
    epsilon: float
    """Default simplification of polygons as a fraction of the perimeter; 0.001."""
    cache_bytes: int
    """Budget of the picture cache; 1 GiB."""
    feature_precision: FeaturePrecision
    """"float16", the default, halves what a cached picture occupies and moves scores by less than 1e-3;
    "exact" keeps the model's own float32."""
