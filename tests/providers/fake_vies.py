"""A VIES for tests, on this machine: knows some numbers, and has bad days.

    with FakeVies() as vies:
        vies.companies["ATU13585627"] = "Ada Books GmbH"
        register = Register(vies.base_url, requester)

It refuses what the real one refuses, and answers in its shapes: no error is a status.
"""

import json
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.providers.fakes.serving import Handler, Serving

STATES = {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR"),
    *("HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI"),
    *("SK", "XI"),
}
AWAY = [
    *("MS_UNAVAILABLE", "SERVICE_UNAVAILABLE", "TIMEOUT", "INVALID_INPUT"),
    *("GLOBAL_MAX_CONCURRENT_REQ", "GLOBAL_MAX_CONCURRENT_REQ_TIME", "IP_BLOCKED"),
    *("MS_MAX_CONCURRENT_REQ", "MS_MAX_CONCURRENT_REQ_TIME", "VAT_BLOCKED"),
    "INVALID_REQUESTER_INFO",
]
"""All that the service says when it does not know."""

BASE = "/taxation_customs/vies/rest-api"

Answer = tuple[int, bytes, dict[str, str]]


class FakeVies(Serving):
    """The server; `companies` are those it knows, `asked` what it was asked."""

    def __init__(self) -> None:
        super().__init__(partial(_Handler, self), 0)
        self.base_url = self.origin + BASE
        self.companies: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self._next: Answer | None = None
        self.waiting: list[str] = []
        self._waits = False
        self._over = threading.Event()

    def answer_next(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer the next question with this, whatever it is."""
        self._next = (status, body, headers or {})

    def say_next(self, body: dict[str, Any], status: int = 200) -> None:
        """Answer the next question with an object."""
        self.answer_next(json.dumps(body).encode(), status)

    def hang(self) -> None:
        """Keep everybody waiting, who are `waiting` then, until they may go."""
        self._waits = True

    def let_go(self) -> None:
        """Answer everybody who waits."""
        self._over.set()

    def stop(self) -> None:
        """Let everybody go who waits, and stop."""
        self._over.set()
        super().stop()

    def answer(self, path: str, body: bytes) -> Answer:
        """Answer one request."""
        if self._waits:
            self.waiting.append(path)
            self._over.wait()
        if self._next:
            answer, self._next = self._next, None
            return answer
        if path != f"{BASE}/check-vat-number":
            return 404, b"", {}
        question = json.loads(body)
        self.asked.append(question)
        return 200, json.dumps(self._found(question)).encode(), {}

    def _found(self, question: dict[str, Any]) -> dict[str, Any]:
        requester = _of(question, "requesterMemberStateCode", "requesterNumber")
        number = _of(question, "countryCode", "vatNumber")
        if question.get("countryCode") not in STATES or not question.get("vatNumber"):
            return wrapped("INVALID_INPUT")
        if requester and requester not in self.companies:
            return wrapped("INVALID_REQUESTER_INFO")
        known = number in self.companies
        return {
            "countryCode": question["countryCode"],
            "vatNumber": question["vatNumber"],
            "requestDate": datetime.now(UTC).isoformat(),
            "valid": known,
            "requestIdentifier": "WAPIAAAAY1234567" if requester and known else "",
            "name": self.companies.get(number, "---"),
            "address": "1 Sample Street\nVienna" if known else "---",
            "traderName": "---",
            "traderStreet": "---",
            "traderPostalCode": "---",
            "traderCity": "---",
            "traderCompanyType": "---",
            "traderNameMatch": "NOT_PROCESSED",
        }


def wrapped(word: str) -> dict[str, Any]:
    """Give an error as the service gives most of them, with any status."""
    return {"actionSucceed": False, "errorWrappers": [{"error": word}]}


def _of(question: dict[str, Any], state: str, number: str) -> str:
    return f"{question.get(state, '')}{question.get(number, '')}"


class _Handler(Handler):
    def __init__(self, fake: FakeVies, *args: Any) -> None:
        self.fake = fake
        super().__init__(*args)

    def answer(self, body: bytes) -> None:
        if not self.headers.get("content-type", "").startswith("application/json"):
            self.send(415, b"", {})
            return
        self.send(*self.fake.answer(self.path, body))
