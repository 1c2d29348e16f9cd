"""Words and addresses become a mail that every reader shows alike."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal

import css_inline

from handsel.kit.errors import ConfigurationError
from handsel.kit.headers import MAIL_POLICY, check_head, header_text
from handsel.outbound.addresses import wire_address, wire_domain
from handsel.outbound.transports.base import Envelope, PermanentMailError

Encoding = Literal["quoted-printable"] | None

log = logging.getLogger("handsel.mail")

# At-rules stay in a style element: dark mode and phones need them. Nothing is fetched.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Sender:
    """Who a mail comes from. `name` may be empty and may hold any letters."""

    name: str
    address: str


def compose(
    *,
    sender: Sender,
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    message_id: str,
    date: datetime,
    reply_to: str | None = None,
    extra: Mapping[str, str] | None = None,
    encoding: Encoding = None,
) -> EmailMessage:
    """Build one mail to one person: plain text first, HTML as the alternative.

    Args:
        to, reply_to: bare addresses; any domain, also beyond ASCII.
        html: a whole page; its styles are written into the elements. Nothing is added
            to it, no pixel and no counted link.
        message_id: from `message_id_for`, so that a repeat carries the same.
        date: aware.
        extra: more headers, for instance List-Unsubscribe. A mail that a person wrote
            to many says `Auto-Submitted: no`; the others are "auto-generated" (RFC 3834).
        encoding: how the texts go over the wire; None for what is shorter.

    Raises PermanentMailError when `to` is not an address, ConfigurationError when the
    sender's is not.
    """
    if date.tzinfo is None:
        raise ValueError("A mail's date needs a time zone.")
    address = wire_address(to)
    message = EmailMessage(MAIL_POLICY.clone(utf8=not address.isascii()))
    message["From"] = _address(_senders_own(sender.address), sender.name)
    message["To"] = _address(address)
    if reply_to:
        message["Reply-To"] = _address(_senders_own(reply_to))
    message["Subject"] = header_text(subject)
    message["Date"] = date
    message["Message-ID"] = message_id
    for name, value in {"Auto-Submitted": "auto-generated", **(extra or {})}.items():
        message[name] = header_text(value, limit=900)
    _fill(message, text, html, encoding)
    check_head(message)
    return message


def seal(message: EmailMessage, recipient: str, *, sender: str = "") -> Envelope:
    """Put a mail into its envelope; `sender` is its own unless it says otherwise."""
    own = message["From"].addresses[0].addr_spec
    return Envelope(sender or own, recipient, message.as_bytes())


def message_id_for(dedupe_key: str, domain: str) -> str:
    """Derive a mail's Message-ID: the same for the same key, telling nothing of it."""
    return message_id_of(id_letters(dedupe_key), domain)


def message_id_of(letters: str, domain: str) -> str:
    """Make a Message-ID of what `id_letters` gave."""
    return f"<{letters}@{wire_domain(domain) or 'localhost'}>"


def id_letters(dedupe_key: str) -> str:
    """Derive what makes a Message-ID unique: 32 letters and digits."""
    return hashlib.sha256(dedupe_key.encode()).hexdigest()[:32]


def _senders_own(address: str) -> str:
    """Check an address from the settings: a slip there must not lose a buyer's mail."""
    try:
        wire = wire_address(address)
    except PermanentMailError:
        wire = ""
    if not wire.isascii() or not wire:
        raise ConfigurationError(
            f"Mail cannot be sent from {address!r}.",
            "Correct mail.from and shop.email in handsel.toml.",
        )
    return wire


def _address(wire: str, name: str = "") -> Address:
    local, _, domain = wire.rpartition("@")
    return Address(header_text(name, limit=80), local, domain)


def _fill(
    message: EmailMessage, text: str, html: str | None, encoding: Encoding
) -> None:
    message.set_content(text, cte=encoding)
    if html is None:
        return
    message.add_alternative(inlined(html), subtype="html", cte=encoding)
    for part in message.iter_parts():
        del part["MIME-Version"]  # belongs to the whole mail only (RFC 2045, 4)


def inlined(html: str) -> str:
    """Write the styles of a page into its elements, as mail readers want them."""
    try:
        return _INLINER.inline(html)
    except css_inline.InlineError as error:
        # A slip in the seller's own template: plain looks are better than no mail.
        log.warning("The styles of a mail were left as they are: %s", error)
        return html
