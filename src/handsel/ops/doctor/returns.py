"""Whether the mails that come back can be read: a look into their mailbox."""

from collections.abc import Iterator

from handsel.ops.doctor.findings import Finding, Level
from handsel.outbound import imap
from handsel.settings import Settings

PATIENCE = 5.0
"""Seconds that the mailbox may keep the doctor waiting for its next words."""


def look(settings: Settings) -> Iterator[Finding]:
    """Open the mailbox of bounces, if there is one. Never an error: the shop sells on."""
    if not settings.mail.bounce_mailbox:
        return
    try:
        with imap.of(settings.mail, seconds=PATIENCE):
            pass
    except imap.MailboxError as error:
        yield Finding("H061", Level.WARNING, error.message, error.hint)
