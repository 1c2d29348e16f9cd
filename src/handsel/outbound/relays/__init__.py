"""What mail relays say of our mails by web hook: bounces and complaints.

A relay knows what became of a mail, and has an account with us alone: what it has signed
is believed. Where a server has refused, the words it used decide, as everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from handsel.outbound.relays import mailgun, postmark, sendgrid, ses
from handsel.outbound.relays.news import News, RelayRefusedError
from handsel.settings import MailSettings

__all__ = ["LARGEST", "News", "RelayRefusedError", "in_use", "read"]

LARGEST = 800 * 1024
"""Bytes of one message: SendGrid collects what happens until there are 768 kB."""

_Read = Callable[[MailSettings, Mapping[str, str], bytes, datetime], Sequence[News]]
_READERS: dict[str, _Read] = {
    "mailgun": mailgun.read,
    "postmark": postmark.read,
    "sendgrid": sendgrid.read,
    "ses": ses.read,
}


def in_use(mail: MailSettings) -> list[str]:
    """Name the relays that are listened to."""
    proofs = {
        "mailgun": mail.mailgun_signing_key,
        "postmark": mail.postmark_secret,
        "sendgrid": mail.sendgrid_public_key,
        "ses": mail.ses_topics,
    }
    return [name for name, proof in proofs.items() if proof]


def read(
    relay: str,
    mail: MailSettings,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> Sequence[News]:
    """Verify and read a message of a relay that is in use.

    May ask Amazon for a certificate: no transaction may be open. Raises
    RelayRefusedError, and TryAgainError when Amazon does not answer.

    Args:
        headers: their names in small letters.
    """
    return _READERS[relay](mail, headers, body, now)
