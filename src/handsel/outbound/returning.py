"""Where a mail comes back to when it cannot be delivered: an address that proves itself.

`bounces@example.com` becomes `bounces+TOKEN@example.com`, another one for each purchase
and address (VERP). Whatever comes back there is about this mail, even if it names
another address, as after a forwarding. Nothing is stored.
"""

import re

from handsel.kit.signing import (
    SMALL_ID_LETTERS,
    SMALL_MAC_LETTERS,
    Keys,
    check_small,
    sign_small,
    with_capitals,
    without_capitals,
)
from handsel.kit.text import email_key

TOKEN_LETTERS = SMALL_ID_LETTERS + SMALL_MAC_LETTERS
MAX_NAME = 64 - 1 - TOKEN_LETTERS
"""Letters before the @ of `mail.bounces`: RFC 5321 allows 64 with the token."""

_PURPOSE = "bounce"
# Mail systems write the part before the @ in small letters, some in capitals.
_TOKEN = re.compile(rf"\+([0-9a-z]{{{TOKEN_LETTERS}}})@", re.IGNORECASE)


def return_address(keys: Keys, bounces: str, public_id: str, email: str) -> str:
    """Give the address that a mail about a purchase to this address comes back to."""
    name, _, domain = bounces.rpartition("@")
    proof = sign_small(keys, _PURPOSE, public_id, email_key(email))
    return f"{name}+{without_capitals(public_id)}{proof}@{domain}"


def find_token(text: str) -> str:
    """Find the token of a return address in some text; empty when there is none."""
    found = _TOKEN.search(text)
    return found[1].lower() if found else ""


def claimed_id(token: str) -> str | None:
    """Say which purchase a token claims to be of; `proves` decides."""
    if len(token) != TOKEN_LETTERS:
        return None
    return with_capitals(token[:SMALL_ID_LETTERS])


def proves(keys: Keys, token: str, public_id: str, email: str) -> bool:
    """Say whether we have made this token for a mail about a purchase to an address."""
    proof = token[SMALL_ID_LETTERS:]
    return claimed_id(token) == public_id and check_small(
        keys, _PURPOSE, proof, public_id, email_key(email)
    )
