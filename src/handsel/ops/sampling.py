"""A mail to everyone as one reader would get it, to look at before it goes."""

import secrets
from email import message_from_bytes, policy
from email.message import EmailMessage

from handsel.kit.text import normalise_email
from handsel.outbound.announcing import Announcement, Writer
from handsel.outbound.recipients import Addressee
from handsel.outbound.transports.base import Envelope
from handsel.shop import Shop

READER = "reader@example.com"
"""Who it is shown for where nobody is named."""


def example(shop: Shop, told: Announcement, to: str) -> Envelope:
    """Write the mail as everyone gets it, to one address; its links lead nowhere.

    Raises BadInputError for no address.
    """
    someone = Addressee(
        id=0,
        email=normalise_email(to),
        public_id="0" * 22,
        token_version=0,
        test=False,
        name="0" * 22,
        tries=0,
        lease_until=None,
        reason=None,
    )
    writer = Writer(shop.mailroom(), told, f"example:{secrets.token_hex(8)}")
    return writer.write(someone)


def send_example(shop: Shop, told: Announcement, to: str) -> None:
    """Send that mail now. Raises BadInputError, or what the mail server said."""
    envelope = example(shop, told, to)
    with shop.transport.connect() as carrier:
        carrier.send(envelope)


def letter(shop: Shop, told: Announcement) -> dict[str, str]:
    """Give `subject`, `text` and `html` of the mail as everyone gets it.

    Its links lead nowhere. Raises BrokenTemplateError.
    """
    mail = words_of(example(shop, told, READER))
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    return {
        "subject": str(mail["Subject"]),
        "text": str(text.get_content()) if text else "",
        "html": str(html.get_content()) if html else "",
    }


def words_of(envelope: Envelope) -> EmailMessage:
    """Read a mail back, to show it."""
    return message_from_bytes(envelope.content, policy=policy.default)
