"""The options that every way of opening a session takes, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from sam3_onnx._support.checks import is_share, require_choice, require_flag, require_whole
from sam3_onnx._support.keywords import require_known
from sam3_onnx.errors import OptionError
from sam3_onnx.models.runtime.settings import RuntimeSettings
from sam3_onnx.results.instance import DEFAULT_EPSILON

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from typing_extensions import Self

    from sam3_onnx.models.runtime.providers.names import ProviderChoice
    from sam3_onnx.models.runtime.providers.precision import PrecisionChoice
    from sam3_onnx.results.features import FeaturePrecision

__all__ = ["SessionOptions", "SessionSettings"]


class SessionOptions(TypedDict, total=False):
    """Keyword arguments of `Sam3Session` and of its methods that open a model."""

    provider: ProviderChoice
    """Which execution providers run the graphs: "auto" (the default: the fastest that answers as CPU does), "cpu",
    "cuda", "openvino", ..., or a list of these. One named that does not become active is an error."""
    precision: PrecisionChoice
    """"float32", "bfloat16" or "float16" where the provider can choose: for all parts of the model that hold in it, or
    {"image_encoder": "bfloat16"} for parts by name, which are the keys of `Sam3Session.providers`. "auto", the default,
    takes the quick way where it is proven to keep the answers; "float32" is exact."""
    threads: int | None
    """Threads of one run; None, the default, for the cores that this process may use: all of the machine, or what its
    affinity and the quota of its container leave."""
    conf_threshold: float | None
    """Default threshold in 0..1; None, the default, for what the bundle recommends (usually 0.5)."""
    epsilon: float
    """Default simplification of polygons as a fraction of the perimeter; 0.001."""
    cache_bytes: int
    """Budget of the picture cache in memory; 1 GiB."""
    device_cache_bytes: int
    """Features of pictures that may lie in the memory of a graphics card at a time, where the model runs on one; those
    beyond, used longest ago, are moved to the host's memory. 512 MiB."""
    engine_folder: str | PathLike[str] | None
    """A folder in which TensorRT keeps the engines that it builds, so that they are built once; None, the default, for
    none."""
    cache_folder: str | PathLike[str] | None
    """A folder in which embeddings of pictures and words survive the session; None, the default, for none. With one,
    the image encoder is loaded when a picture first needs it."""
    cache_folder_bytes: int
    """Budget of that folder; 10 GiB."""
    feature_precision: FeaturePrecision
    """"float16", the default, halves what a cached picture occupies and moves scores by less than 1e-3;
    "exact" keeps the model's own float32."""
    keep_pictures: bool
    """Whether a result or an embedding holds the array, PIL image or bytes that it was asked about, without a copy, so
    that it can be drawn; True. False keeps nothing but paths, for many results of pictures that nobody else holds."""


@dataclass(frozen=True)
class SessionSettings:
    """The options of one session, checked; what was not given has its default.

    Raises:
        OptionError: One is out of its range.
    """

    provider: ProviderChoice = "auto"
    precision: PrecisionChoice = "auto"
    threads: int | None = None
    conf_threshold: float | None = None
    epsilon: float = DEFAULT_EPSILON
    cache_bytes: int = 1 << 30
    device_cache_bytes: int = 512 << 20
    engine_folder: str | PathLike[str] | None = None
    cache_folder: str | PathLike[str] | None = None
    cache_folder_bytes: int = 10 << 30
    feature_precision: FeaturePrecision = "float16"
    keep_pictures: bool = True

    def __post_init__(self) -> None:
        if not is_share(self.epsilon):
            raise OptionError("epsilon", expected="a fraction of the perimeter in 0..1", got=self.epsilon)
        require_choice("feature_precision", self.feature_precision, ("float16", "exact"))
        require_flag("keep_pictures", self.keep_pictures)
        require_whole("cache_bytes", self.cache_bytes, least=0, of="bytes")
        require_whole("device_cache_bytes", self.device_cache_bytes, least=0, of="bytes")
        require_whole("cache_folder_bytes", self.cache_folder_bytes, least=0, of="bytes")

    @classmethod
    def of(cls, options: SessionOptions, *, also: Iterable[str] = ()) -> Self:
        """Checks options and completes them with their defaults.

        Args:
            options: What a caller passed by keyword.
            also: Keywords that the same call takes beside these options, for messages.

        Raises:
            OptionError: There is no such option, or one is out of its range.
        """
        require_known(options, SessionOptions.__annotations__, also=also)
        return cls(**options)

    @property
    def runtime(self) -> RuntimeSettings:
        """How graphs are run.

        Raises:
            OptionError: `threads` is not a whole number of at least 1, there is no such precision, or `engine_folder`
                is no path.
        """
        return RuntimeSettings(self.provider, self.threads, self.precision, self.engine_folder)
