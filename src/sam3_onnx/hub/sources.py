"""Where a file is fetched from: the publisher, a mirror, or nowhere because the network is not to be used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sam3_onnx.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MIRROR_VARIABLE", "OFFLINE_VARIABLES", "is_offline", "mirrored", "shown", "token_for"]

MIRROR_VARIABLE = "SAM3_ONNX_MIRROR"
"""Environment variable that names a mirror."""

OFFLINE_VARIABLES = ("SAM3_ONNX_OFFLINE", "HF_HUB_OFFLINE")
"""Environment variables that forbid the network when one of them is 1, true, yes or on."""

TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the variable's name
_TOKEN_HOST = "huggingface.co"  # noqa: S105 - a host
_ON = {"1", "true", "yes", "on"}


def is_offline(*, asked: bool | None, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the network is not to be used.

    Args:
        asked: The caller's word, which goes first; None for what the environment says.
        environ: None for `os.environ`.
    """
    if asked is not None:
        return asked
    variables = os.environ if environ is None else environ
    return any(variables.get(name, "").strip().lower() in _ON for name in OFFLINE_VARIABLES)


def mirrored(url: str, mirror: str | None, environ: Mapping[str, str] | None = None) -> str:
    """The address of a file on a mirror: scheme and host of `url` are replaced, its path and query stay.

    Args:
        url: The publisher's address.
        mirror: Such as "https://mirror.example" or "https://mirror.example/models", after which the path follows;
            None for what MIRROR_VARIABLE names, if anything.
        environ: None for `os.environ`.

    Raises:
        OptionError: The mirror is no http or https address.

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
    """A URL as messages may show it: without user, password, query and fragment.

    Example:
        >>> shown("https://me:secret@mirror.example:8443/file.onnx?signature=abc")
        'https://mirror.example:8443/file.onnx'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def token_for(url: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The token of TOKEN_VARIABLE if `url` leads to huggingface.co over https, else None."""
    variables = os.environ if environ is None else environ
    parts = urlsplit(url)
    return variables.get(TOKEN_VARIABLE) or None if (parts.scheme, parts.hostname) == ("https", _TOKEN_HOST) else None
