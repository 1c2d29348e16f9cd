"""PayPal's certificates: fetched where PayPal lives, and nowhere else, and kept.

Who has issued one is not asked: that the address is PayPal's is proved by TLS.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from handsel.kit.errors import TryAgainError
from handsel.sales.payments.paypal_webhook import refused

_PATH = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
LARGEST = 32 * 1024
"""Bytes of an answer of PayPal's; a certificate has about two thousand."""
MOST = 8
"""How many are kept; PayPal signs with one for months."""
TIMEOUT = (2.0, 5.0)
MOST_WAITING = 8


class Certificates:
    """What is at the addresses that messages of PayPal's name.

    Args:
        origins: where PayPal lives, the live one or the sandbox, never both.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = origins
        self._kept: dict[str, bytes] = {}
        self._fetching = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)

    def at(self, address: str) -> bytes:
        """Give a certificate, in PEM.

        Raises WebhookRefusedError for an address that is not PayPal's, TryAgainError
        when PayPal is away.
        """
        if not any(
            address.startswith(each) and _PATH.fullmatch(address[len(each) :])
            for each in self._origins
        ):
            raise refused(
                "its certificate is not at PayPal, or at the other of live and sandbox"
            )
        found = self._kept.get(address)
        if found is None:
            with self._turn():
                found = self._kept.get(address) or self._fetch(address)
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One fetches at a time, and few wait: forged messages must not hold the pages."""
        if not self._waiting.acquire(blocking=False):
            raise _later()
        try:
            if not self._fetching.acquire(timeout=sum(TIMEOUT)):
                raise _later()
            try:
                yield
            finally:
                self._fetching.release()
        finally:
            self._waiting.release()

    def _fetch(self, address: str) -> bytes:
        """Fetch and keep it; no redirect counts."""
        status, found = _get(address)
        if status >= 500 or status == 429:
            raise _later()
        if status != 200 or len(found) > LARGEST or b"-BEGIN CERTIFICATE-" not in found:
            raise refused("PayPal gave no certificate")
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[address] = found
        return found


def _get(address: str) -> tuple[int, bytes]:
    import requests  # heavy, and only for the first message

    try:
        with requests.get(
            address, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            found = b""
            for piece in answer.iter_content(8192):
                found += piece
                if len(found) > LARGEST:
                    break
            return answer.status_code, found
    except requests.RequestException as error:
        raise _later() from error


def _later() -> TryAgainError:
    return TryAgainError(
        "PayPal cannot be asked about this now.", "It will send the message again."
    )
