"""Requests to a server, and what goes wrong with them in words."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from sam3_onnx.errors import DownloadError, Sam3Error
from sam3_onnx.hub.sources import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sam3_onnx.hub.patience import Patience

__all__ = ["PassingTroubleError", "ask", "named_troubles", "new_connection"]

_ADDRESS = re.compile(r"[a-z+]+://[^\s'\"]+", re.IGNORECASE)
_ATTEMPTS_AT_A_NAME = 2  # a name that cannot be resolved mostly means that there is no network at all


class PassingTroubleError(Exception):
    """What another attempt may mend."""

    def __init__(
        self, reason: str, *, wait: float | None = None, attempts: int | None = None, slow: bool = False
    ) -> None:
        """Says what happened.

        Args:
            reason: In words.
            wait: Seconds that the server asks to wait; None if it asks for nothing.
            attempts: After how many it is given up; None for those of the patience.
            slow: Whether it came too slowly, so that what has come does not count as progress.
        """
        self.reason = reason
        self.attempts = attempts
        self.wait = wait
        self.slow = slow
        super().__init__(reason)


def new_connection() -> requests.Session:
    """A session of requests that asks for bytes as they are: a compressed answer could not be continued."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    session.hooks["response"].append(_leave_body)
    return session


def _leave_body(answer: requests.Response, **_: object) -> None:
    """Closes a redirection: requests would read its body to the end, however long it is."""
    if answer.is_redirect:
        answer.close()


def ask(
    connection: requests.Session,
    method: str,
    url: str,
    *,
    token: str | None,
    headers: Mapping[str, str],
    patience: Patience,
) -> requests.Response:
    """Sends a request and reads no body of what comes.

    Args:
        connection: From `new_connection`.
        method: "GET" or "HEAD".
        url: Where to.
        token: Sent to the host of `url`, and to no other that it redirects to.
        headers: Sent to every host.
        patience: Its time-outs.
    """
    sent = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    timeouts = (patience.connect_timeout, patience.read_timeout)
    return connection.request(method, url, headers=sent, stream=True, timeout=timeouts, allow_redirects=True)


@contextlib.contextmanager
def named_troubles(name: str, url: str, patience: Patience) -> Iterator[None]:
    """Sorts what requests, and what is below it, raises into what may pass and what will not.

    Args:
        name: Of the file.
        url: Of the file.
        patience: Its time-outs, for messages.

    Raises:
        PassingTroubleError: Another attempt may mend it.
        DownloadError: It may not.
    """
    try:
        yield
    except (Sam3Error, PassingTroubleError):
        raise
    except requests.exceptions.SSLError as error:
        reason = f"the server's certificate was not accepted ({_innermost(error, ssl.SSLError)})"
        remedy = (
            "Check the clock and the network; a proxy that inspects traffic needs its certificate in "
            "REQUESTS_CA_BUNDLE."
        )
        raise DownloadError(name, url=shown(url), reason=reason, remedy=remedy) from error
    except requests.Timeout as error:
        raise PassingTroubleError(f"no answer within {patience.read_timeout:g} seconds") from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise _unconnected(error, url, patience) from error
    except (HTTPError, http.client.HTTPException) as error:
        raise PassingTroubleError(f"the server's answer could not be read ({type(error).__name__})") from error
    except (OSError, ValueError) as error:  # requests' own errors among them, and what it says of a missing CA bundle
        words = _ADDRESS.sub("(an address)", str(error)).rstrip(".")  # which may hold a password or a signature
        reason = f"the request failed ({type(error).__name__}): {words}"
        remedy = "Check the mirror, the proxy and the certificates."
        if "SOCKS" in str(error):
            remedy = 'A SOCKS proxy needs another package: pip install "requests[socks]".'
        elif "TLS" in str(error):
            remedy = "Check what REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE name."
        raise DownloadError(name, url=shown(url), reason=reason, remedy=remedy) from error


def _unconnected(error: BaseException, url: str, patience: Patience) -> PassingTroubleError:
    kinds = {type(cause) for cause in _causes(error)}
    if isinstance(error, requests.exceptions.ProxyError):
        return PassingTroubleError(f"the proxy did not connect ({_innermost(error, Exception)})")
    if socket.gaierror in kinds:
        host = urlsplit(url).hostname
        return PassingTroubleError(f"the name {host} could not be resolved", attempts=_ATTEMPTS_AT_A_NAME)
    if ConnectionRefusedError in kinds:
        return PassingTroubleError("the connection was refused")
    reason = f"no connection, or it broke off or was silent for {patience.read_timeout:g} seconds"
    return PassingTroubleError(reason)


def _innermost(error: BaseException, kind: type[BaseException]) -> str:
    """The words of the cause that lies deepest, which name no address."""
    causes = [cause for cause in _causes(error) if isinstance(cause, kind)]
    last = causes[-1] if causes else error
    return str(last) if causes and last is not error else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it; requests and urllib3 hand theirs on as arguments, too."""
    yield error
    for cause in (error.__cause__, *error.args, getattr(error, "reason", None), getattr(error, "original_error", None)):
        if isinstance(cause, BaseException):
            yield from _causes(cause)
