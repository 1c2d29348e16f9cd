"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106)."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from handsel.kit.errors import BadInputError

SHORTEST = 12
LONGEST = 200

_hasher = PasswordHasher()
# Each takes 64 MiB and a processor for a moment: more at once would stop the pages.
_places = threading.BoundedSemaphore(2)

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
    """Make what is stored instead of a password. Takes some 50 ms, on purpose."""
    with _places:
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Say whether this is the password; as long for somebody who does not exist."""
    with _places:
        try:
            return _hasher.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(kept: str) -> bool:
    """Say whether a password is kept in a way that is no longer thought good enough."""
    return _hasher.check_needs_rehash(kept)


def _nobody() -> str:
    """Give what no password matches, made as dear as the others."""
    return (
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXRoaW5nLWVsc2U$"
        "PTzbMHB8JZoVvRRrXnqQ4RmYqD6P6yYTmqf6n5GQ2uE"
    )
