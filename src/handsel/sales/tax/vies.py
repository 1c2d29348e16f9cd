"""The EU's register of VAT numbers, VIES: whether somebody has a number, yes or no.

One call of its REST service. It is slow and often away, one member state at a time, and
says `valid: false` then, too: only what it says without an error counts. Never called
while a transaction is open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handsel.kit import strictjson, text
from handsel.kit.errors import TryAgainError
from handsel.sales.tax.numbers import VatNumber

LIVE = "https://ec.europa.eu/taxation_customs/vies/rest-api"

TIMEOUT = (3.0, 6.0)
"""Seconds to connect, and to wait for an answer: a buyer is waiting, too."""
LARGEST = 64 * 1024
"""Bytes of an answer; one has about five hundred."""

# What the service says beside yes and beside no, if anything; all else (MS_UNAVAILABLE,
# TIMEOUT, MS_MAX_CONCURRENT_REQ, INVALID_REQUESTER_INFO ...) means that it does not know.
_BESIDE = {True: ("", "VALID"), False: ("", "INVALID")}
# Said instead of a name by states that do not tell it.
_UNTOLD = "---"
_MOST_NAME = 200
_MOST_WORD = 40


class RegisterUnavailableError(TryAgainError):
    """The register said neither yes nor no. `reason` is for the seller, in its own word."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The EU's register of VAT numbers does not answer at the moment.",
            "Try again in a few minutes, or buy without the number, with VAT.",
        )
        self.reason = reason


@dataclass(frozen=True)
class Checked:
    """What the register said of a number, to be kept with the order.

    Args:
        at: when it was asked.
        consultation: the register's own number of the question, which proves that it was
            asked; empty if it did not know who asks.
        name: whose number it is; empty where the state does not tell.
    """

    valid: bool
    at: datetime
    consultation: str
    name: str


class Register:
    """The register, as asked by one seller.

    Args:
        base_url: where the service is, such as `LIVE`.
        requester: the seller's own number; without one there is no proof of asking.
    """

    def __init__(self, base_url: str, requester: VatNumber | None = None) -> None:
        self._url = base_url.rstrip("/") + "/check-vat-number"
        self._requester = requester

    def check(self, number: VatNumber, now: datetime) -> Checked:
        """Ask whether somebody has a number. Raises RegisterUnavailableError."""
        status, body = _post(self._url, self._question(number))
        if status != 200:
            raise RegisterUnavailableError(_fault(body) or f"HTTP {status}")
        return _read(body, now)

    def _question(self, number: VatNumber) -> dict[str, str]:
        asked = {"countryCode": number.prefix, "vatNumber": number.number}
        if self._requester:
            asked["requesterMemberStateCode"] = self._requester.prefix
            asked["requesterNumber"] = self._requester.number
        return asked


def _post(url: str, question: dict[str, str]) -> tuple[int, bytes]:
    import requests  # heavy, and only for buyers with a number

    try:
        with requests.post(
            url, json=question, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            found = b""
            for piece in answer.iter_content(8192):
                found += piece
                if len(found) > LARGEST:
                    raise RegisterUnavailableError("TOO_LARGE")
            return answer.status_code, found
    except requests.RequestException as error:
        raise RegisterUnavailableError(type(error).__name__) from error


def _read(body: bytes, now: datetime) -> Checked:
    try:
        found = strictjson.read_object(body)
    except ValueError as error:
        raise RegisterUnavailableError("UNREADABLE") from error
    valid = found.get("valid")
    if not isinstance(valid, bool) or not _is_verdict(found, valid):
        raise RegisterUnavailableError(_fault_of(found) or "NO_VERDICT")
    consultation = _words(found.get("requestIdentifier"), _MOST_WORD)
    return Checked(valid, now, consultation, _words(found.get("name"), _MOST_NAME))


def _is_verdict(found: dict[str, Any], valid: bool) -> bool:
    if found.get("errorWrappers") or found.get("actionSucceed") is False:
        return False
    return (found.get("userError") or "") in _BESIDE[valid]


def _fault(body: bytes) -> str:
    """Give the service's word for what is wrong, from a body that may be anything."""
    try:
        return _fault_of(strictjson.read_object(body))
    except ValueError:
        return ""


def _fault_of(found: dict[str, Any]) -> str:
    wrappers = found.get("errorWrappers")
    said = [
        each.get("error")
        for each in (wrappers if isinstance(wrappers, list) else [])
        if isinstance(each, dict)
    ]
    words = (_words(each, _MOST_WORD) for each in (*said, found.get("userError")))
    return next((word for word in words if word), "")


def _words(value: object, most: int) -> str:
    """Give what can be read of a text; nothing for all else, and for what is kept secret."""
    seen = text.shown(value).strip() if isinstance(value, str) else ""
    return "" if seen == _UNTOLD else seen[:most]
