"""Calls to PayPal's REST API: each has a time limit and, if it changes something, a name.

Source: developer.paypal.com/api/rest (authentication, requests, responses). Import this
only when the first call is due: `requests` takes a while.
"""

import hashlib
import threading
import time
from typing import Any

import requests

from handsel.sales.payments.paypal_errors import PayPalError, read_error

# Seconds to connect, and to wait for an answer; taking the money is the slowest call.
TIMEOUT = (2.0, 6.0)
SLOW_TIMEOUT = (2.0, 10.0)

# A token lasts nine hours; another is fetched so long before its end.
_RENEW = 300

# Of two calls with one name at the same moment PayPal does the first and may refuse the
# second, which then asks again until the first is done.
_BUSY = "PREVIOUS_REQUEST_IN_PROGRESS"
_BUSY_TRIES = 12
_BUSY_SECONDS = 0.1


class PayPalClient:
    """One app of one PayPal account.

    Args:
        base: where the API is, without a slash at the end.
    """

    def __init__(self, base: str, client_id: str, secret: str) -> None:
        self._base = base
        self._auth = (client_id, secret)
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._local = threading.local()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read something. Raises PayPalError."""
        return self._call("GET", path, {"params": query}, {}, TIMEOUT)

    def post(
        self, path: str, body: dict[str, Any], name: str, *, slow: bool = False
    ) -> dict[str, Any]:
        """Change something, once for each `name`. Raises PayPalError."""
        headers = {"PayPal-Request-Id": name, "Prefer": "return=representation"}
        timeout = SLOW_TIMEOUT if slow else TIMEOUT
        return self._call("POST", path, {"json": body}, headers, timeout)

    def patch(self, path: str, changes: list[dict[str, Any]]) -> None:
        """Change parts of something; to repeat it changes nothing. Raises PayPalError."""
        self._call("PATCH", path, {"json": changes}, {}, TIMEOUT)

    def send(self, path: str, form: dict[str, Any]) -> None:
        """Send a form in parts, as disputes want it. Raises PayPalError."""
        self._call("POST", path, {"files": form}, {}, TIMEOUT, again=False)

    def _call(
        self,
        method: str,
        path: str,
        content: dict[str, Any],
        headers: dict[str, str],
        timeout: tuple[float, float],
        *,
        again: bool = True,
    ) -> dict[str, Any]:
        """Ask; once more with a new token, and once more if PayPal broke down at once."""
        renewed, repeated, busy = False, not again, 0
        while True:
            token = self._bearer()
            try:
                asked = content | {"auth": _Bearer(token)}
                return self._ask(method, path, asked, headers, timeout)
            except PayPalError as error:
                if error.http_status == 401 and not renewed:
                    renewed = True
                    self._forget(token)
                elif error.issue == _BUSY and busy < _BUSY_TRIES:
                    busy += 1
                    time.sleep(busy * _BUSY_SECONDS)
                elif _broke_down(error) and not repeated:
                    repeated = True
                else:
                    raise

    def _ask(
        self,
        method: str,
        path: str,
        content: dict[str, Any],
        headers: dict[str, str],
        timeout: tuple[float, float],
    ) -> dict[str, Any]:
        try:
            answer = self._session().request(
                method,
                self._base + path,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                **content,
            )
            found = answer.json() if answer.content else {}
        except requests.JSONDecodeError as error:
            raise PayPalError(502, "UNREADABLE") from error
        except requests.RequestException as error:
            raise PayPalError(0, type(error).__name__) from error
        found = found if isinstance(found, dict) else {}
        if not 200 <= answer.status_code < 300:
            debug_id = answer.headers.get("paypal-debug-id", "")
            raise read_error(answer.status_code, found, debug_id)
        return found

    def _session(self) -> requests.Session:
        """Give this thread's lines to PayPal: a session is not for several at once."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        found: requests.Session = self._local.session
        return found

    def _bearer(self) -> str:
        """Give a token that is good for a while; one thread fetches it for all."""
        token = self._token
        if token and time.monotonic() < self._renew_at:
            return token
        # Nobody queues for longer than one call takes: a slow PayPal must not hold all.
        if not self._lock.acquire(timeout=sum(TIMEOUT)):
            raise PayPalError(0, "WAITING_FOR_TOKEN")
        try:
            if self._token == token:
                self._fetch_token()
            return self._token
        finally:
            self._lock.release()

    def _fetch_token(self) -> None:
        content = {"data": {"grant_type": "client_credentials"}, "auth": self._auth}
        found = self._ask("POST", "/v1/oauth2/token", content, {}, TIMEOUT)
        try:
            lasts = int(found["expires_in"]) - _RENEW
            self._renew_at = time.monotonic() + lasts
            self._token = str(found["access_token"])
        except (KeyError, ValueError, TypeError) as error:
            raise PayPalError(502, "NO_TOKEN") from error

    def _forget(self, token: str) -> None:
        """Use a token no more that PayPal did not accept; another may be there already."""
        with self._lock:
            if self._token == token:
                self._token = ""


class _Bearer(requests.auth.AuthBase):
    """Shows the token; said as `auth`, so that no .netrc can take its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _broke_down(error: PayPalError) -> bool:
    """Whether it failed at once; who has waited until the time was over waits no more."""
    hung_up = isinstance(error.__cause__, requests.ConnectionError)
    return error.http_status >= 500 or hung_up


def request_id(*parts: str) -> str:
    """Name a call so that it is done once: always the same for the same parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:36]
