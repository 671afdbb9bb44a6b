"""Sources of downloads: addresses at the publisher or a mirror, offline mode, and the access token."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MIRROR_VARIABLE", "OFFLINE_VARIABLES", "is_offline", "mirrored", "shown", "token_for"]

MIRROR_VARIABLE = "SAM3_ONNX_MIRROR"
"""Environment variable with the address of a mirror."""

OFFLINE_VARIABLES = ("SAM3_ONNX_OFFLINE", "HF_HUB_OFFLINE")
"""Environment variables that switch offline mode on if one of them is 1, true, yes or on."""

TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the variable's name
_TOKEN_HOST = "huggingface.co"  # noqa: S105 - a host
_ON = {"1", "true", "yes", "on"}


def is_offline(*, asked: bool | None, environ: Mapping[str, str] | None = None) -> bool:
    """Returns whether offline mode is on.

    Args:
        asked: Option of the caller, which has priority; None for the environment variables.
        environ: Environment variables; None for `os.environ`.
    """
    if asked is not None:
        return asked
    variables = os.environ if environ is None else environ
    return any(variables.get(name, "").strip().lower() in _ON for name in OFFLINE_VARIABLES)


def mirrored(url: str, mirror: str | None, environ: Mapping[str, str] | None = None) -> str:
    """Returns the address of a file on a mirror: scheme and host of `url` are replaced, path and query are kept.

    Args:
        url: Address at the publisher.
        mirror: An address such as "https://mirror.example" or "https://mirror.example/models", to which the path is
            added; None for the environment variable MIRROR_VARIABLE, if set.
        environ: Environment variables; None for `os.environ`.

    Raises:
        OptionError: The mirror is not an http or https address.

    Example:
        >>> mirrored("https://huggingface.co/some/file.onnx", "https://mirror.example/hf/")
        'https://mirror.example/hf/some/file.onnx'
    """
    variables = os.environ if environ is None else environ
    base = mirror or variables.get(MIRROR_VARIABLE)
    if not base:
        return url
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        expected = "an address such as https://mirror.example or https://mirror.example/path"
        raise OptionError("mirror", expected=expected, got=shown(base))
    published = urlsplit(url)
    query = f"?{published.query}" if published.query else ""
    return f"{base.rstrip('/')}{published.path}{query}"


def shown(url: str) -> str:
    """Returns a URL for messages: without user, password, query and fragment.

    Example:
        >>> shown("https://me:secret@mirror.example:8443/file.onnx?signature=abc")
        'https://mirror.example:8443/file.onnx'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def token_for(url: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Returns the token in TOKEN_VARIABLE if `url` is an https address at huggingface.co, else None."""
    variables = os.environ if environ is None else environ
    parts = urlsplit(url)
    return variables.get(TOKEN_VARIABLE) or None if (parts.scheme, parts.hostname) == ("https", _TOKEN_HOST) else None
