"""ONNX Runtime, imported in one place: what a broken installation lacks is an error that names its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sam3_onnx.errors import OnnxRuntimeError
from sam3_onnx.models.runtime.providers.wheels import conflicting, installed_wheels, mend_runtime

__all__ = ["ort"]

_NEEDED = ("InferenceSession", "SessionOptions", "get_available_providers", "__version__")


def _imported() -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Returns the module `onnxruntime`.

    Raises:
        OnnxRuntimeError: It is not installed, or parts of it are missing.
    """
    try:
        import onnxruntime as module  # noqa: PLC0415 - so that a failure has our own message
    except Exception as error:
        # besides ImportError, what its start-up code raises where files are missing
        raise _broken(str(error)) from error
    missing = [name for name in _NEEDED if not hasattr(module, name)]
    if missing:  # a folder without __init__.py is a module as well, an empty one
        raise _broken(f"onnxruntime has no {missing[0]}")
    return module


def _broken(reason: str) -> OnnxRuntimeError:
    wheels = installed_wheels()
    named = " and ".join(str(wheel) for wheel in conflicting(wheels) or wheels)
    return OnnxRuntimeError(reason=reason, installed=named, mend=mend_runtime(wheels))


if TYPE_CHECKING:
    import onnxruntime as ort
else:
    ort = _imported()
