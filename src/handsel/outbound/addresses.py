"""Addresses as they are written on the wire."""

import re

import idna

from handsel.outbound.transports.base import PermanentMailError

# What RFC 5321 and 6531 allow without quotes, minus `=?`, which begins an encoded word.
_LOCAL = re.compile(r"(?!.*=\?)[^\s\x00-\x20\x7f-\x9f()<>\[\]:;@\\,\"]+")
_DOMAIN = re.compile(r"[A-Za-z0-9._\-\[\]:]+")


def wire_address(address: str) -> str:
    """Write an address for a mail's head and envelope: its domain in ASCII (RFC 5891).

    A local part beyond ASCII stays; only servers with SMTPUTF8 take it. Raises
    PermanentMailError when no mail can go there.
    """
    local, _, domain = address.strip().rpartition("@")
    domain = wire_domain(domain)
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise PermanentMailError(
            f"No mail can be sent to {address!r}: it is not an address.",
            "Correct it with `handsel order resend NUMBER --to ADDRESS`.",
        )
    return f"{local}@{domain}"


def wire_domain(domain: str) -> str:
    """Write a domain in ASCII; what cannot be so written becomes empty."""
    if domain.isascii():
        return domain.lower()
    try:
        # Not str.encode("idna"): that is IDNA 2003, which turns ß into ss and so
        # sends mail for straße.example to somebody else.
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""
