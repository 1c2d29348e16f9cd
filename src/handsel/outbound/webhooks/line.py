"""One POST to an address that was looked at: no redirects, no proxy, ten seconds."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException
from time import monotonic

from handsel.outbound.webhooks.addresses import (
    ForbiddenAddressError,
    Place,
    UnknownNameError,
    resolve,
)

CONNECT_SECONDS = 5.0
ALL_SECONDS = 10.0


class NotTakenError(Exception):
    """It was not taken this time; says why in a sentence, without the address."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    loopback: bool,
    seconds: float = ALL_SECONDS,
) -> int:
    """Send a body and give the status of the answer, of whose body nothing is read.

    Raises NotTakenError when there is no answer in time, or nobody who may be asked.
    """
    try:
        place = resolve(url, loopback=loopback)
    except ForbiddenAddressError:
        raise NotTakenError(
            "Its name leads into a private network, where the shop tells nobody."
        ) from None
    except UnknownNameError:
        raise NotTakenError("Its name leads nowhere.") from None
    return ask(place, body, headers, seconds)


def ask(place: Place, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    """Send it to a place that was looked at. Raises NotTakenError."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import HTTPError

    began = monotonic()
    if place.secure:
        line: HTTPConnection = HTTPSConnection(
            place.ip,
            place.port,
            timeout=CONNECT_SECONDS,
            server_hostname=place.host,
            assert_hostname=place.host,
            ssl_context=ssl.create_default_context(),
        )
    else:
        line = HTTPConnection(place.ip, place.port, timeout=CONNECT_SECONDS)
    try:
        line.connect()
        with _Deadline(line.sock, seconds - (monotonic() - began)):
            full = {**headers, "Host": _host(place)}
            line.request("POST", place.target, body, full, preload_content=False)
            return line.getresponse().status
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        raise NotTakenError(_words(error)) from None
    finally:
        line.close()


class _Deadline:
    """Breaks a connection when its time is over, however it is kept waiting.

    The time-out of a socket begins anew with each byte, so that one who sends a byte a
    second could keep us for hours.
    """

    def __init__(self, line: socket.socket | None, seconds: float) -> None:
        self._line = line
        self._timer = threading.Timer(max(seconds, 0), self._break)

    def _break(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):  # it is over already
                self._line.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _host(place: Place) -> str:
    name = f"[{place.host}]" if ":" in place.host else place.host
    usual = 443 if place.secure else 80
    return name if place.port == usual else f"{name}:{place.port}"


def _words(error: Exception) -> str:
    said = f"{type(error).__name__} {error}"
    if "CERTIFICATE" in said.upper() or "match" in said:
        return "Its certificate is not one to be trusted."
    if "timed out" in said or "Timeout" in said:
        return "It did not answer in time."
    if "refused" in said:
        return "Nobody listens there."
    return "The connection broke off, or did not come about."
