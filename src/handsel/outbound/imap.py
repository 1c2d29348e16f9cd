"""Mails in a mailbox, read by IMAP (RFC 3501): nothing in it is moved, marked or deleted.

The server is asked for the heads of what came lately, and only for those mails whole that
may be bounces. It is not asked to search for words: many servers cannot, or only find
whole words, as Gmail does.
"""

import base64
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from handsel.kit.errors import ShopError
from handsel.kit.text import shown
from handsel.outbound import bounces
from handsel.outbound.returning import find_token
from handsel.settings import MailSettings
from handsel.settings.mailboxes import Mailbox, read_mailbox

SECONDS = 30.0
"""How long a server may keep us waiting for its next words."""
LARGEST = 2 * bounces.MOST
"""Bytes that a server may send at once; more is not asked for."""
BATCH = 200
"""How many heads are asked for at once."""
_HEAD = "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE TO CC DELIVERED-TO X-ORIGINAL-TO)]"
_UID = re.compile(rb"\bUID (\d+)")


class MailboxError(ShopError):
    """The mailbox cannot be read now; says whose fault it may be, and in whose words."""


@dataclass
class Seen:
    """How far a mailbox was looked through, for as long as this process lives.

    Numbers of mails only grow (UID), until the server counts anew (UIDVALIDITY).
    """

    validity: str = ""
    highest: int = 0

    def begin(self, validity: str) -> None:
        """Forget everything when the server has begun to count anew."""
        if validity != self.validity or not validity:
            self.validity, self.highest = validity, 0


def of(
    mail: MailSettings, *, seconds: float = SECONDS
) -> AbstractContextManager["Folder"]:
    """Open the mailbox of `mail.bounce_mailbox` as `opened` does."""
    password = mail.bounce_password.get_secret_value() if mail.bounce_password else ""
    return opened(read_mailbox(mail.bounce_mailbox), password, seconds=seconds)


@contextmanager
def opened(
    mailbox: Mailbox, password: str, *, seconds: float = SECONDS
) -> Iterator["Folder"]:
    """Open a mailbox for reading alone, and leave it in the end. Raises MailboxError.

    Args:
        seconds: how long the server may keep us waiting for its next words.
    """
    said = _Said(mailbox, password)
    with said.in_words(_NO_HOST):
        client = _dial(mailbox, seconds)
    try:
        with said.in_words(_NOT_LET_IN):
            _log_in(client, mailbox, password)
        yield Folder(client, said)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            client.logout()
        with suppress(OSError):
            client.shutdown()


class Folder:
    """A folder that is open for reading."""

    def __init__(self, client: "_Client", said: "_Said") -> None:
        self._client = client
        self._said = said
        with said.in_words(_NO_FOLDER):
            said.check(client.select(_quoted(said.mailbox.folder), readonly=True))
            validity = client.response("UIDVALIDITY")[1][0]
        self._validity = validity.decode() if validity else ""

    def candidates(self, seen: Seen, since: datetime) -> Iterator[bytes]:
        """Give the mails that may be bounces, cut off after a megabyte, the oldest first.

        A mail counts as seen when the next one is asked for. Raises MailboxError.

        Args:
            seen: what was looked at before is not fetched again.
            since: the day on which the oldest may have arrived.
        """
        seen.begin(self._validity)
        numbers = self._newer(seen.highest, since)
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            chosen = self._chosen(batch)
            for number in batch:
                if number in chosen:
                    yield from self._whole(number)
                seen.highest = number

    def _newer(self, highest: int, since: datetime) -> list[int]:
        """Give the numbers of the mails after one; "n:*" may also name one before it."""
        day = "-".join(format_datetime(since).split()[1:4])
        found = self._ask("SEARCH", f"UID {highest + 1}:* SINCE {day}")
        words = b" ".join(each for each in found if isinstance(each, bytes)).split()
        return sorted(int(each) for each in words if int(each) > highest)

    def _chosen(self, batch: Sequence[int]) -> set[int]:
        """Say which of some mails may be bounces, by their heads."""
        numbers = ",".join(map(str, batch))
        found = self._ask("FETCH", f"{numbers} (UID {_HEAD})")
        return {number for number, head in _parts(found) if _may_be_bounce(head)}

    def _whole(self, number: int) -> Iterator[bytes]:
        """Give a mail, unless somebody has deleted it meanwhile."""
        found = self._ask("FETCH", f"{number} (UID BODY.PEEK[]<0.{bounces.MOST}>)")
        yield from (content for each, content in _parts(found) if each == number)

    def _ask(self, command: str, what: str) -> list[Any]:
        with self._said.in_words():
            return self._said.check(self._client.uid(command, *what.split(" ", 1)))


def _may_be_bounce(head: bytes) -> bool:
    addressed = find_token(head.decode("ascii", "replace"))
    return b"multipart/report" in head.lower() or bool(addressed)


def _parts(found: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    """Give number and content of each mail; its number may stand before or behind."""
    for i, each in enumerate(found):
        if isinstance(each, tuple):
            after = found[i + 1] if i + 1 < len(found) else b""
            facts = each[0] + b" " + (after if isinstance(after, bytes) else b"")
            if number := _UID.search(facts):
                yield int(number[1]), each[1]


class _Client(imaplib.IMAP4):
    """imaplib's client, which believes no server that wants to send without end."""

    def read(self, size: int) -> bytes:
        if size > LARGEST:
            raise self.abort("it sends more than it was asked for")
        return super().read(size)


class _TlsClient(_Client, imaplib.IMAP4_SSL):
    """The same, encrypted from the first byte."""


def _dial(mailbox: Mailbox, seconds: float) -> _Client:
    """Connect; with STARTTLS nothing is said before the connection is encrypted."""
    context = ssl.create_default_context()
    if mailbox.security == "tls":
        return _TlsClient(
            mailbox.host, mailbox.port, ssl_context=context, timeout=seconds
        )
    client = _Client(mailbox.host, mailbox.port, timeout=seconds)
    if mailbox.security == "starttls":
        try:
            client.starttls(ssl_context=context)
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
    return client


def _log_in(client: _Client, mailbox: Mailbox, password: str) -> None:
    """Log in; the plainer command only where the other is unknown, or letters are lost."""
    if "AUTH=PLAIN" in client.capabilities:
        secret = f"\0{mailbox.user}\0{password}".encode()
        client.authenticate("PLAIN", lambda _: secret)
    else:
        client.login(_quoted(mailbox.user), password)


def _quoted(name: str) -> str:
    """Write a name as IMAP wants it: in quotes, foreign letters in its own UTF-7."""
    parts = re.split(r"([^ -~]+)", name.replace("&", "&-"))
    parts[1::2] = ["&" + _utf7(part) + "-" for part in parts[1::2]]
    escaped = "".join(parts).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _utf7(letters: str) -> str:
    encoded = base64.b64encode(letters.encode("utf-16-be")).decode()
    return encoded.rstrip("=").replace("/", ",")


@dataclass(frozen=True)
class _Said:
    """Puts what a server said, or kept from saying, into words for people."""

    mailbox: Mailbox
    password: str

    def check(self, answer: tuple[str, list[Any]]) -> list[Any]:
        """Give what was asked for; raise imaplib's error when the server refused."""
        kind, content = answer
        if kind != "OK":
            raise imaplib.IMAP4.error(content[-1])
        return content

    @contextmanager
    def in_words(self, refused: str = "") -> Iterator[None]:
        """Turn every failure into a MailboxError; `refused`: what to do after a "no"."""
        try:
            yield
        except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
            raise MailboxError(
                f"The mailbox of {self.mailbox.user} at {self.mailbox.host}:"
                f"{self.mailbox.port} cannot be read now: {self._words(error)}.",
                _what_to_check(error, refused),
            ) from None

    def _words(self, error: Exception) -> str:
        if isinstance(error, UnicodeError):  # which would show what could not be sent
            return "there are letters that cannot be sent"
        said = error.args[-1] if error.args else ""
        plain = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        words = shown(plain or type(error).__name__).strip()[:300].rstrip(".")
        return words.replace(self.password, "***") if self.password else words


def _what_to_check(error: Exception, refused: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "Check mail.bounce_mailbox: the host must be the name in the server's "
            "certificate. For one of your own authority, set SSL_CERT_FILE."
        )
    if isinstance(error, ssl.SSLError) or "TLS" in str(error):
        return f"Check mail.bounce_mailbox: {_PORTS}, where it must offer STARTTLS."
    if isinstance(error, socket.gaierror):
        return _NO_HOST
    if isinstance(error, imaplib.IMAP4.abort | OSError):
        return (
            f"Check host and port in mail.bounce_mailbox ({_PORTS}), and that this "
            "machine may call out."
        )
    return refused


_PORTS = "imaps:// is for port 993, imap:// for 143"
_NO_HOST = "Check mail.bounce_mailbox: there is no machine of that name."
_NOT_LET_IN = (
    "Check the user in mail.bounce_mailbox, and mail.bounce_password; many providers "
    "want a password made for apps, not the one you log in with."
)
_NO_FOLDER = "Check the folder, which is the end of mail.bounce_mailbox."
