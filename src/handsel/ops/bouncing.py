"""Reading the mails that came back, wherever the seller's mail server has put them."""

import itertools
import mailbox
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import IO

from handsel.kit.errors import BadInputError, NotFoundError
from handsel.outbound import bounces, imap, undelivered
from handsel.shop import Shop

NAME_ONE = "Name it in mail.bounce_mailbox: Settings, Mail."
"""What to do when there is no mailbox."""

_OUTCOMES = {
    "read": "mails read",
    "hard": "dead addresses: they get no more mails to everyone",
    "soft": "not delivered this time: nothing changes",
    "complaint": "complaints: they get no more mails to everyone",
    "foreign": "about no mail of this shop, or not proved to be: nothing changes",
    "repeated": "read before, or more than four weeks old",
    "not_understood": "not understood: look at them yourself",
}

_MBOX = b"From "
"""How every mail in an mbox file begins; also what a program behind a pipe may get."""


def read_path(shop: Shop, path: Path) -> dict[str, int]:
    """Read a Maildir, an mbox file, a folder of `.eml` files or one mail; count.

    Nothing is moved or deleted there, and reading it again changes nothing. Raises
    NotFoundError, BadInputError.
    """
    return _count(shop, _mails(path))


def read_stream(shop: Shop, stream: IO[bytes]) -> dict[str, int]:
    """Read one mail that a mail server hands over, and count it."""
    raw = stream.read(bounces.MOST)
    while stream.read(bounces.MOST):
        pass  # to the end, or the mail server takes it as a failure
    if raw.startswith(_MBOX):
        raw = raw.partition(b"\n")[2]
    return _count(shop, iter([raw]) if raw.strip() else iter([]))


def read_imap(shop: Shop, seen: imap.Seen, stop: Event) -> dict[str, int]:
    """Read the bounces in the mailbox of `mail.bounce_mailbox`, and count.

    Nothing is changed there, and reading it again changes nothing. Mails that came
    before the last four weeks are left alone. Raises MailboxError.

    Args:
        seen: what was read before, in this process; it is not fetched again.
        stop: ends it between two mails.
    """
    # A day more: the server counts whole days, in a time zone of its own.
    since = shop.now() - undelivered.OLDEST - timedelta(days=1)
    with imap.of(shop.settings.mail) as folder:
        mails = folder.candidates(seen, since)
        return _count(shop, itertools.takewhile(lambda _: not stop.is_set(), mails))


def sentences(found: Mapping[str, int]) -> list[str]:
    """Say how many mails came to what."""
    said = [
        f"{found[word]:>7} {words}" for word, words in _OUTCOMES.items() if found[word]
    ]
    return said or ["There was no mail to read."]


def _count(shop: Shop, mails: Iterator[bytes]) -> dict[str, int]:
    """Act on each; give how many came to what, beginning with how many there were."""
    found: Counter[str] = Counter()
    for raw in mails:
        found["read"] += 1
        found[_one(shop, raw)] += 1
    words = ("read", *undelivered.Outcome, "not_understood")
    return {str(word): found[str(word)] for word in words}


def _one(shop: Shop, raw: bytes) -> str:
    report = bounces.read(raw)
    if report is None:
        return "not_understood"
    with shop.transaction() as session:
        return str(undelivered.record(session, shop.keys, report, shop.now()))


def _mails(path: Path) -> Iterator[bytes]:
    try:
        if path.is_dir():
            yield from _folder(path)
        elif path.exists():
            yield from _file(path)
        else:
            raise NotFoundError(
                f"There is no {path}.", "Say where your mail server puts the bounces."
            )
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror or error}.",
            "The shop's user needs to read it; nothing in it is changed.",
        ) from error


def _folder(path: Path) -> Iterator[bytes]:
    if (path / "new").is_dir() or (path / "cur").is_dir():
        files = [
            file
            for kind in ("new", "cur")
            for file in sorted(path.glob(f"{kind}/*"))
            if file.is_file()
        ]
    else:
        files = sorted(path.glob("*.eml"))
        if not files:
            raise BadInputError(
                f"{path} is neither a Maildir nor does it hold .eml files.",
                "Name a Maildir (with the folders new and cur), an mbox file, a folder "
                "of .eml files, or one mail.",
            )
    for file in files:
        try:
            yield _start(file)
        except FileNotFoundError:
            continue  # a mail program has moved it meanwhile


def _file(path: Path) -> Iterator[bytes]:
    if not _start(path).startswith(_MBOX):
        yield _start(path)
        return
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            with box.get_file(key) as mail:
                yield mail.read(bounces.MOST)
    finally:
        box.close()


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(bounces.MOST)
