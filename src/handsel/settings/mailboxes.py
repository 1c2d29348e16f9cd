"""The address of a mailbox, as a setting writes it: `imaps://user@host/INBOX`."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from handsel.settings.loopback import is_loopback

_LIKE = "it should look like imaps://you@imap.example.com/INBOX"


@dataclass(frozen=True)
class Mailbox:
    """Where a mailbox is, and who reads it.

    `security`: encrypted from the first byte; after STARTTLS; or, only on this machine
    itself, not at all.
    """

    user: str
    host: str
    port: int
    folder: str
    security: Literal["tls", "starttls", "none"]


def read_mailbox(address: str) -> Mailbox:
    """Take an address apart.

    A user may have an @, with or without %40: the last one counts. Raises ValueError
    with a sentence that never repeats the address: there may be a password in it.
    """
    try:
        parts = urlsplit(address)
        user, host, folder = parts.username, parts.hostname, unquote(parts.path[1:])
        port = parts.port or (993 if parts.scheme == "imaps" else 143)
    except ValueError:
        raise ValueError(_LIKE) from None
    if parts.password is not None:
        raise ValueError(
            "the password does not belong into it; put it into a file, and set "
            "mail.bounce_password_file"
        )
    if parts.scheme not in ("imap", "imaps") or not user or not host:
        raise ValueError(_LIKE)
    if parts.query or parts.fragment or not (unquote(user) + folder).isprintable():
        raise ValueError("write %23 for # and %3F for ? in the name of a folder")
    return Mailbox(
        user=unquote(user),
        host=host,
        port=port,
        folder=folder or "INBOX",
        security=_security(parts.scheme, host),
    )


def _security(scheme: str, host: str) -> Literal["tls", "starttls", "none"]:
    if scheme == "imaps":
        return "tls"
    return "none" if is_loopback(host) else "starttls"
