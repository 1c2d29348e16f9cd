"""Where web hooks may go: to the open internet, never into the network we stand in.

A name is resolved once, every answer is looked at, and the connection goes to what was
looked at: a name that leads elsewhere the second time gains nothing.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from handsel.kit.errors import BadInputError
from handsel.settings import is_loopback

PORTS = (443, 8443)
LONGEST = 2000
_OPEN_V6 = IPv6Network("2000::/3")
"""All that is given out of IPv6 so far (IANA)."""
_EXAMPLES = IPv6Network("3fff::/20")
"""For examples in books (RFC 9637), which older Pythons do not know."""
_NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenAddressError(Exception):
    """A name leads into a network that is not the open internet."""


class UnknownNameError(Exception):
    """A name leads nowhere at the moment."""


@dataclass(frozen=True)
class Place:
    """Where a web hook goes.

    Args:
        ip: what the connection goes to; the name is only for TLS and the Host header.
        target: path and query.
        secure: over TLS; without only to this machine, in tests.
    """

    ip: str
    host: str
    port: int
    target: str
    secure: bool


def check_url(url: str, *, loopback: bool) -> str:
    """Give an address that may be told, as it is kept. Raises BadInputError.

    Args:
        loopback: whether this machine may be told, over plain HTTP; for tests.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if loopback and parts.scheme == "http" and is_loopback(host):
        return text
    if parts.scheme != "https" or not host or len(text) > LONGEST:
        raise _bad("A web hook's address begins with https:// and a host.")
    if "@" in parts.netloc or parts.fragment or not text.isprintable() or " " in text:
        raise _bad("A web hook's address has no user, no fragment and no spaces.")
    if port not in (None, *PORTS):
        raise _bad(f"A web hook's port is {PORTS[0]} or {PORTS[1]}.")
    return text


def _bad(message: str) -> BadInputError:
    return BadInputError(
        message, "Give it like https://example.com/hooks.", field="url"
    )


def resolve(url: str, *, loopback: bool) -> Place:
    """Look an address up, once. Raises ForbiddenAddressError, UnknownNameError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (PORTS[0] if secure else 80)
    found = _look_up(host, port)
    if not (
        loopback and not secure and all(is_loopback(ip) for ip in found)
    ) and not all(is_open(ip) for ip in found):
        raise ForbiddenAddressError(host)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(found[0], host, port, target, secure)


def _look_up(host: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownNameError(host) from None
    return list(
        dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
    )


def is_open(text: str) -> bool:
    """Say whether an IP address is somebody's on the open internet.

    Addresses of IPv4 that are written inside of one of IPv6 (mapped, NAT64, 6to4,
    Teredo) are taken out and looked at.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    inside = _inside(address)
    if inside:
        return all(is_open(str(each)) for each in inside)
    return address in _OPEN_V6 and address not in _EXAMPLES and address.is_global


def _inside(address: IPv6Address) -> list[IPv4Address]:
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return []
