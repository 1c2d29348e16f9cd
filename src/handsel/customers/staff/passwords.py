"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106)."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from handsel.kit.errors import BadInputError, TryAgainError

SHORTEST = 12
LONGEST = 200

# Argon2id as OWASP recommends it where many sign in: 19 MiB, two rounds.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each takes a processor for a moment: who tries passwords must not stop the pages.
_places = threading.BoundedSemaphore(2)
_waiting = threading.BoundedSemaphore(8)
PATIENCE = 2.0
"""Seconds that somebody waits for a place."""


class ManyAtOnceError(TryAgainError):
    """So many passwords are looked at this moment that one more would slow the shop."""


@contextmanager
def _place() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise _many()
    try:
        if not _places.acquire(timeout=PATIENCE):
            raise _many()
        try:
            yield
        finally:
            _places.release()
    finally:
        _waiting.release()


def _many() -> ManyAtOnceError:
    return ManyAtOnceError(
        "Many passwords are being tried at this moment.",
        "Nothing was done. Wait a few seconds, then try again.",
        after=5,
    )


# Of the well-known lists, what is long enough to pass otherwise.
_KNOWN = {
    *("123456789012", "1234567890123", "12345678901234", "123456789012345"),
    *("123123123123", "qwertyuiop12", "qwertyuiop123", "qwertyuiopasdf"),
    *("qwertyuiopasdfgh", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u8i", "1qaz2wsx3edc"),
    *("1qaz2wsx3edc4rfv", "q1w2e3r4t5y6", "zaq12wsxcde3", "abcdefghijkl"),
    *("abcdefghijklm", "abcd12345678", "abc123456789", "passwordpassword"),
    *("password1234", "password12345", "password123456", "passw0rd1234"),
    *("administrator", "administrator1", "adminadminadmin", "letmeinletmein"),
    *("iloveyouiloveyou", "iloveyou1234", "welcome12345", "welcome123456"),
    *("changemechangeme", "correcthorsebatterystaple", "correct horse battery staple"),
    *("unbelievable", "thunderstorm", "manchesterunited", "liverpoolfc1"),
    *("asdfghjkl123", "asdfghjklqwerty", "zxcvbnmasdfghjkl", "trustno1trustno1"),
}


def check(password: str, *, email: str, shop_name: str) -> None:
    """Say whether a password may be used: long, and not what everybody would try.

    No rules about kinds of letters (NIST SP 800-63B 5.1.1.2). Raises BadInputError.
    """
    if len(password) < SHORTEST:
        raise BadInputError(
            f"This password is too short: it needs {SHORTEST} letters or more.",
            "A few words in a row are easy to remember.",
            field="password",
        )
    if len(password) > LONGEST:
        raise BadInputError(
            f"This password is too long: it may have {LONGEST} letters.",
            field="password",
        )
    small = password.casefold()
    own = [email.casefold(), email.partition("@")[0].casefold(), shop_name.casefold()]
    rest = small
    for each in own:
        rest = rest.replace(each, "") if len(each) > 3 else rest
    if small in _KNOWN or len(set(small)) < 5 or len(rest) < SHORTEST // 2:
        raise BadInputError(
            "This password is one of the first that anybody would try.",
            "Take a few words in a row that nobody would say of you.",
            field="password",
        )


def keep(password: str) -> str:
    """Make what is stored instead of a password, slowly on purpose.

    Raises ManyAtOnceError.
    """
    with _place():
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Say whether this is the password; as long for somebody who does not exist.

    Raises ManyAtOnceError.
    """
    with _place():
        try:
            return _hasher.verify(kept or _nobodys(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    """Give what no password matches, made as dear as the others."""
    return _hasher.hash(secrets.token_urlsafe(32))
