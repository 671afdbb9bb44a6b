"""The options that every way of opening a session takes."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypedDict

from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from sam3_onnx.models.runtime.providers.names import ProviderChoice
    from sam3_onnx.models.runtime.providers.precision import Precision
    from sam3_onnx.results.embedding import FeaturePrecision

__all__ = ["SessionOptions", "require_known", "runtime_settings"]


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
    """Budget of the picture cache in memory; 1 GiB."""
    cache_folder: str | PathLike[str] | None
    """A folder in which embeddings of pictures and words survive the session; None, the default, for none. With one,
    the image encoder is loaded when a picture first needs it."""
    cache_folder_bytes: int
    """Budget of that folder; 10 GiB."""
    feature_precision: FeaturePrecision
    """"float16", the default, halves what a cached picture occupies and moves scores by less than 1e-3;
    "exact" keeps the model's own float32."""


def runtime_settings(options: SessionOptions) -> RuntimeSettings:
    """How graphs are run, as the options say.

    Raises:
        OptionError: `threads` is not a whole number of at least 1.
    """
    return RuntimeSettings(options.get("provider", "auto"), options.get("threads"), options.get("precision", "auto"))


def require_known(names: Iterable[str], *, also: Iterable[str] = (), of: type = SessionOptions) -> None:
    """Lets names of options pass.

    Args:
        names: What a caller passed by keyword.
        also: Keywords that are taken beside these options, for near names.
        of: The typed dictionary of options.

    Raises:
        OptionError: One is no option; the message lists those that there are, and offers a near one.
    """
    known = [*also, *of.__annotations__]
    for name in names:
        if name not in of.__annotations__:
            near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
            remedy = f"Did you mean {near[0]}?" if near else ""
            raise OptionError("The name of an option", expected=f"one of {', '.join(known)}", got=name, remedy=remedy)
