"""The address where a buyer says: no more mails like this one."""

from handsel.kit.signing import Keys, check, sign

_PURPOSE = "leave"
_ID = 22
"""Letters of a purchase's public id, and of a signature."""


def leave_token(keys: Keys, public_id: str) -> str:
    """Make the token of a purchase: 44 letters and digits, the same whenever it is made.

    Derived like the purchase's own link, and worth nothing for opening it. It outlives
    the restore of an old backup, and a new address: who leaves by an old mail, leaves.
    """
    return f"{public_id}{sign(keys, _PURPOSE, public_id)}"


def claimed_id(token: str) -> str | None:
    """Say which purchase a token claims to be of; `proves` decides."""
    whole = len(token) == 2 * _ID and token.isascii() and token.isalnum()
    return token[:_ID] if whole else None


def proves(keys: Keys, token: str, public_id: str) -> bool:
    """Say whether a token was made by us for this purchase."""
    mac = token[_ID:]
    return token[:_ID] == public_id and check(keys, _PURPOSE, mac, public_id)
