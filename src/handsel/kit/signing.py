"""Links and forms that prove themselves: what a key and a fact give, nobody can guess.

Nothing here is stored. A link can be made again at any time from the same key, so a
stolen database opens no file, and links in mailboxes survive the restore of an old
backup. All labels differ, so that one kind of proof never passes for another.
"""

import hmac
import json
import os
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from handsel.kit.errors import ConfigurationError

KEY_BYTES = 32
MAC_LETTERS = 22
"""128 bits in base 62."""

SMALL_ID_LETTERS = 26
SMALL_MAC_LETTERS = 16
"""82 bits in small letters and digits, where an address leaves no room for more."""

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SMALL = string.digits + string.ascii_lowercase
_LINK = re.compile(r"[0-9A-Za-z]([0-9A-Za-z]{22})[0-9A-Za-z]{22}")
_SMALL_ID = re.compile(r"[0-9a-z]{26}")
_TIMED = re.compile(r"([0-9]{1,12})x([0-9A-Za-z]{22})")


@dataclass(frozen=True)
class Keys:
    """The secrets of a shop. Whoever has them can make a link to any purchase.

    Args:
        id_key: names purchases. It never changes, or known ones would be named anew.
        link_keys: prove links and forms, by a key id of one letter or digit.
        current: the id of the key that new proofs are made with; those of the other
            keys stay valid until a key is taken out.

    Raises ConfigurationError when a key is missing, short, or used twice.
    """

    id_key: bytes = field(repr=False)
    link_keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        every = [self.id_key, *self.link_keys.values()]
        if any(len(key) < KEY_BYTES for key in every):
            raise ConfigurationError(
                f"A secret key has fewer than {KEY_BYTES} bytes.", _FROM_BACKUP
            )
        if len(set(every)) < len(every):
            raise ConfigurationError("A secret key is used twice.", _FROM_BACKUP)
        if self.current not in self.link_keys or not all(
            len(kid) == 1 and kid in _LETTERS for kid in self.link_keys
        ):
            raise ConfigurationError("The secret keys are misnamed.", _FROM_BACKUP)

    @classmethod
    def create(cls) -> Self:
        """Make new keys from the machine's randomness."""
        link_keys = {"a": secrets.token_bytes(KEY_BYTES)}
        return cls(secrets.token_bytes(KEY_BYTES), link_keys, "a")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keys from their file.

        Raises ConfigurationError when there is none, when others can read it, or when
        what it holds is not what `save` wrote.
        """
        content = _read_private(path)
        try:
            kept = json.loads(content)
            link_keys = {
                kid: bytes.fromhex(key) for kid, key in kept["link_keys"].items()
            }
            return cls(bytes.fromhex(kept["id_key"]), link_keys, kept["current"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                f"{path} does not hold the keys of a shop.", _FROM_BACKUP
            ) from None

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the keys of a shop, or make those of a new one. Only for `init`.

        Safe to run twice at once: whoever writes first decides. Raises as `load` does.
        """
        if not path.exists():
            fresh = cls.create()._write_beside(path)
            try:
                os.link(fresh, path)
                _sync(path.parent)
            except FileExistsError:
                pass  # somebody else was faster; theirs are the keys
            finally:
                fresh.unlink()
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write the keys to a file that only its owner can read, whole or not at all.

        Replaces what is there: keys that were not kept elsewhere are lost for good.
        """
        os.replace(self._write_beside(path), path)
        _sync(path.parent)

    def _write_beside(self, path: Path) -> Path:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        kept = {
            "id_key": self.id_key.hex(),
            "link_keys": {kid: key.hex() for kid, key in self.link_keys.items()},
            "current": self.current,
        }
        with open(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as f:
            json.dump(kept, f, indent=2)
            f.flush()
            os.fsync(f.fileno())
        return fresh


_FROM_BACKUP = (
    "Put the file back from your backup: every link in your buyers' mails needs it."
)


def public_id(keys: Keys, provider: str, session_id: str, line: int = 0) -> str:
    """Name a purchase: 22 letters and digits, always the same for one payment session.

    It may be known; by itself it opens nothing.
    """
    return _mac(keys.id_key, "order", provider, session_id, str(line))


def link_token(keys: Keys, public_id: str, version: int) -> str:
    """Make what opens a purchase: key id, public id, proof; 45 letters and digits.

    A higher `version` makes all earlier links to the purchase worthless.
    """
    return _link(keys, keys.current, public_id, version)


def read_link_token(keys: Keys, token: str) -> str | None:
    """Say which purchase a token claims to open, None if it is none of our tokens.

    The claim is only good for a look-up; `check_link_token` decides.
    """
    found = _LINK.fullmatch(token)
    return found[1] if found and token[0] in keys.link_keys else None


def check_link_token(keys: Keys, token: str, public_id: str, version: int) -> bool:
    """Say whether a token opens this purchase in this version."""
    valid = [_link(keys, kid, public_id, version) for kid in keys.link_keys]
    return _any_equal(token, valid)


def sign(keys: Keys, purpose: str, *parts: str) -> str:
    """Prove that these parts, in this order, come from us for this purpose.

    22 letters and digits, always the same for one key: also a name for something that
    must not be kept in the open.
    """
    return _mac(keys.link_keys[keys.current], "sign", purpose, *parts)


def signed(keys: Keys, purpose: str, *parts: str) -> list[str]:
    """Give what `sign` says with each of our keys: to look for what an older one named."""
    return [_mac(key, "sign", purpose, *parts) for key in keys.link_keys.values()]


def check(keys: Keys, purpose: str, mac: str, *parts: str) -> bool:
    """Say whether `sign` made this, with any of our keys."""
    return _any_equal(mac, signed(keys, purpose, *parts))


def numbered(keys: Keys, purpose: str, number: int) -> str:
    """Make a database id into an unguessable token: letters and digits only."""
    return f"{sign(keys, purpose, str(number))}{number}"


def number_of(keys: Keys, purpose: str, token: str) -> int | None:
    """Read what `numbered` made; None for any other text."""
    mac, number = token[:MAC_LETTERS], token[MAC_LETTERS:]
    plain = number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if plain and check(keys, purpose, mac, number) else None


def sign_small(keys: Keys, purpose: str, *parts: str) -> str:
    """Prove the same where capitals get lost: in 16 small letters and digits."""
    return _small_mac(keys.link_keys[keys.current], purpose, *parts)


def check_small(keys: Keys, purpose: str, mac: str, *parts: str) -> bool:
    """Say whether `sign_small` made this, with any of our keys."""
    valid = [_small_mac(key, purpose, *parts) for key in keys.link_keys.values()]
    return _any_equal(mac, valid)


def without_capitals(public_id: str) -> str:
    """Write the name of a purchase in 26 small letters and digits."""
    number = 0
    for letter in public_id:
        number = number * len(_LETTERS) + _LETTERS.index(letter)
    return _in_letters(number, _SMALL, SMALL_ID_LETTERS)


def with_capitals(small: str) -> str | None:
    """Give the name that `without_capitals` wrote; None when it wrote no such thing."""
    if not _SMALL_ID.fullmatch(small):
        return None
    found = _in_letters(int(small, len(_SMALL)), _LETTERS, MAC_LETTERS)
    return found if without_capitals(found) == small else None


def timed_token(keys: Keys, purpose: str, subject: str, expires_at: datetime) -> str:
    """Make a proof about a subject that ends by itself; letters and digits only."""
    end = str(_seconds(expires_at))
    mac = _mac(keys.link_keys[keys.current], "timed", purpose, subject, end)
    return f"{end}x{mac}"


def check_timed(
    keys: Keys, purpose: str, subject: str, token: str, now: datetime
) -> bool:
    """Say whether `timed_token` made this for the subject and its time is not over."""
    found = _TIMED.fullmatch(token)
    if not found or int(found[1]) <= _seconds(now):
        return False
    valid = [
        _mac(key, "timed", purpose, subject, found[1])
        for key in keys.link_keys.values()
    ]
    return _any_equal(found[2], valid)


def _link(keys: Keys, kid: str, public_id: str, version: int) -> str:
    mac = _mac(keys.link_keys[kid], "dl", public_id, str(version))
    return f"{kid}{public_id}{mac}"


def _mac(key: bytes, *parts: str) -> str:
    return _in_letters(_proof(key, *parts), _LETTERS, MAC_LETTERS)


def _small_mac(key: bytes, purpose: str, *parts: str) -> str:
    number = _proof(key, "small", purpose, *parts)
    return _in_letters(number, _SMALL, SMALL_MAC_LETTERS)


def _proof(key: bytes, *parts: str) -> int:
    """Give 128 bits of HMAC-SHA-256 over the parts, each told apart by its length."""
    raw = [part.encode("utf-8", "surrogatepass") for part in parts]
    message = b"".join(b"%d:%s" % (len(part), part) for part in raw)
    return int.from_bytes(hmac.digest(key, message, "sha256")[:16])


def _in_letters(number: int, letters: str, count: int) -> str:
    """Write the last `count` places of a number in these letters."""
    written = ""
    for _ in range(count):
        number, rest = divmod(number, len(letters))
        written = letters[rest] + written
    return written


def _any_equal(told: str, valid: list[str]) -> bool:
    """Compare with each, in a time that says nothing about how near it was."""
    raw = told.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(raw, each.encode()) for each in valid)


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is no moment")
    return int(moment.timestamp())


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigurationError(
                    f"Others on this machine can read {path}.",
                    f"Run: chmod 600 {path}",
                )
            return file.read()
    except FileNotFoundError:
        raise ConfigurationError(
            f"The keys of the shop are missing: there is no {path}.",
            "A new shop gets them by `handsel init`; for an old one put the file back"
            " from your backup.",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.",
            "Run this as the user the shop belongs to, or give the file to that user.",
        ) from None


def _sync(folder: Path) -> None:
    """Make sure that a new name in a folder outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
