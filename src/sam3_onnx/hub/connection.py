"""Requests to a server, and their errors as messages."""

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
_ATTEMPTS_AT_A_NAME = 2  # if a host name cannot be resolved, there is usually no network at all


class PassingTroubleError(Exception):
    """A problem that may be gone at the next attempt."""

    def __init__(
        self, reason: str, *, wait: float | None = None, attempts: int | None = None, slow: bool = False
    ) -> None:
        """Describes the problem.

        Args:
            reason: Reason for messages.
            wait: Seconds that the server asks to wait; None if it does not ask.
            attempts: Maximum number of attempts; None for that of the `Patience`.
            slow: Whether the download was too slow, so that the received bytes do not count as progress.
        """
        self.reason = reason
        self.attempts = attempts
        self.wait = wait
        self.slow = slow
        super().__init__(reason)


def new_connection() -> requests.Session:
    """Creates a session of requests that disables compression, because a compressed download could not be continued."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    session.hooks["response"].append(_leave_body)
    return session


def _leave_body(answer: requests.Response, **_: object) -> None:
    """Closes the response of a redirection, because requests would read its complete body."""
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
    """Sends a request, and does not read the body of the response.

    Args:
        connection: Session of `new_connection`.
        method: "GET" or "HEAD".
        url: Address of the request.
        token: Token that is sent to the host of `url` only, not to hosts of redirections.
        headers: Headers that are sent to every host.
        patience: Time-outs.
    """
    sent = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    timeouts = (patience.connect_timeout, patience.read_timeout)
    return connection.request(method, url, headers=sent, stream=True, timeout=timeouts, allow_redirects=True)


@contextlib.contextmanager
def named_troubles(name: str, url: str, patience: Patience) -> Iterator[None]:
    """Converts exceptions of requests and of lower layers to temporary problems and permanent errors.

    Args:
        name: Name of the file.
        url: Address of the file.
        patience: Time-outs, for messages.

    Raises:
        PassingTroubleError: Another attempt may succeed.
        DownloadError: Another attempt would fail, too.
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
    except (OSError, ValueError) as error:  # including requests' own errors, and its error for a missing CA bundle
        words = _ADDRESS.sub("(an address)", str(error)).rstrip(".")  # an address may contain a password or a signature
        reason = f"the request failed ({type(error).__name__}): {words}"
        remedy = "Check the mirror, the proxy and the certificates."
        if "SOCKS" in str(error):
            remedy = 'A SOCKS proxy needs another package: pip install "requests[socks]".'
        elif "TLS" in str(error):
            remedy = "Check the paths in REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE."
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
    reason = f"no connection, or it broke off or sent nothing for {patience.read_timeout:g} seconds"
    return PassingTroubleError(reason)


def _innermost(error: BaseException, kind: type[BaseException]) -> str:
    """Returns the message of the innermost cause, which contains no address."""
    causes = [cause for cause in _causes(error) if isinstance(cause, kind)]
    last = causes[-1] if causes else error
    return str(last) if causes and last is not error else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and all its causes, including those that requests and urllib3 pass as arguments."""
    yield error
    for cause in (error.__cause__, *error.args, getattr(error, "reason", None), getattr(error, "original_error", None)):
        if isinstance(cause, BaseException):
            yield from _causes(cause)
