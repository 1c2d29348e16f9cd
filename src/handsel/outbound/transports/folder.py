"""Mail as files in a folder: for trying, for the demo, and to look at what would go."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, Parser
from pathlib import Path

from handsel.outbound.addresses import wire_address
from handsel.outbound.transports.base import Envelope, TemporaryMailError
from handsel.settings import Settings


def open_transport(settings: Settings, home: Path) -> "FolderTransport":
    """Choose the folder `mail` in the shop's home."""
    return FolderTransport(mail_folder(home))


def mail_folder(home: Path) -> Path:
    """Say where the mails of a shop are written."""
    return home / "mail"


@dataclass(frozen=True)
class FolderTransport:
    """Writes every mail as an `.eml` file, whole or not at all."""

    folder: Path

    name = "folder"

    @contextmanager
    def connect(self) -> Iterator["FolderCarrier"]:
        """Make the folder. Raises TemporaryMailError when that cannot be."""
        try:
            # Mails hold links that open purchases: nobody else may look.
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _no_room(self.folder, error) from error
        yield FolderCarrier(self.folder)


@dataclass(frozen=True)
class FolderCarrier:
    """Writes into one folder."""

    folder: Path

    def send(self, envelope: Envelope) -> None:
        """Write one mail to the disk. The same mail again is another file.

        Raises PermanentMailError for no address, TemporaryMailError for a full disk.
        """
        message_id = BytesHeaderParser().parsebytes(envelope.content)["Message-ID"]
        name = _file_name(wire_address(envelope.recipient), str(message_id))
        unfinished = self.folder / f".{name}.tmp"
        try:
            _write_down(unfinished, envelope.content)
            unfinished.rename(self.folder / name)
            _sync(self.folder)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise _no_room(self.folder, error) from error


@dataclass(frozen=True)
class StoredMail:
    """One mail of the folder, read back. `html` is empty for a mail without."""

    path: Path
    subject: str
    sender: str
    to: str
    date: datetime
    text: str
    html: str


def read_folder(folder: Path, *, most: int = 200) -> list[StoredMail]:
    """Read the newest mails of a folder, newest first; none when there is no folder."""
    paths = sorted(folder.glob("[0-9]*.eml"), reverse=True)[:most]
    return [mail for mail in map(_read, paths) if mail]


def _file_name(recipient: str, message_id: str) -> str:
    """Name by time, so that names sort; equal hashes show a mail that went twice."""
    time = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    person = re.sub(r"[^A-Za-z0-9@._+-]", "_", recipient)[:80]
    digest = hashlib.sha256(message_id.encode()).hexdigest()[:10]
    return f"{time}-{person}-{digest}{secrets.token_hex(2)}.eml"


def _write_down(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_room(folder: Path, error: OSError) -> TemporaryMailError:
    return TemporaryMailError(
        f"A mail could not be written into {folder}: {error.strerror}.",
        "Look at the folder's owner and mode, and at the space on the disk.",
    )


def _read(path: Path) -> StoredMail | None:
    try:
        raw = path.read_bytes()
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # deleted while we looked
        return None
    # Decoded here, since a head for SMTPUTF8 is UTF-8; our bodies are ASCII.
    message = Parser(policy=policy.default).parsestr(raw.decode(errors="replace"))
    date = getattr(message["Date"], "datetime", None) or written
    return StoredMail(
        path=path,
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        date=date.astimezone(UTC),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
