"""Who wants no mails, and mails that came back: from the mailbox, and one as a file."""

from contextlib import closing
from typing import IO

from flask import Response, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.text import human_size
from handsel.ops import bouncing, mailing
from handsel.ops.desk import returned
from handsel.outbound import suppressions
from handsel.outbound.undelivered import Outcome
from handsel.web.admin.desk import audited, desk, done, outside
from handsel.web.admin.uploading import uploads
from handsel.web.pages import page, the_shop

MOST = 500
LARGEST = 10_000_000
"""Bytes of one mail; more than any report of a mail server."""
CAME_TO = {
    Outcome.HARD: "The address is dead: it gets no more mails to everyone.",
    Outcome.SOFT: "It was not delivered this time: nothing changes.",
    Outcome.COMPLAINT: "It is a complaint: its writer gets no more mails to everyone.",
    Outcome.FOREIGN: "It is about no mail of this shop, or not proved to be: nothing "
    "changes.",
    Outcome.REPEATED: "It was read before, or is more than four weeks old: nothing "
    "changes.",
}


@desk.get("/mails/stopped")
def stopped() -> Response:
    """List the addresses that get no mails to everyone, and why."""
    return _page()


def _page(problem: str = "") -> Response:
    shop = the_shop()
    with shop.reading() as session:
        found = suppressions.newest(session, most=MOST)
    return page(
        "admin/stopped.html",
        422 if problem else 200,
        stopped=found,
        most=MOST,
        mailbox=bool(shop.settings.mail.bounce_mailbox),
        reading=returned.last(shop),
        largest=human_size(LARGEST),
        problem=problem,
        here_url=url_for("desk.stopped"),
    )


@desk.post("/mails/lift")
def lift() -> AnyResponse:
    """Write to an address again, because its owner asked for it or it is mended."""
    address = request.form.get("email", "")
    mailing.lift(
        the_shop(),
        address,
        witness=lambda session: audited(session, "mail.lifted", "one address"),
    )
    return done("desk.stopped", f"{address} gets mails again.")


@desk.post("/mails/mailbox")
def read_mailbox() -> AnyResponse:
    """Begin to read the mailbox of mails that came back."""
    with outside("mail.mailbox_read", "the mailbox"):
        returned.start(the_shop())
    return done("desk.stopped", "The mailbox is being read. Nothing in it is changed.")


@uploads.post("/returned")
def take_returned() -> AnyResponse:
    """Read one mail that came back, sent as a file; nothing of it is kept."""
    try:
        words = _read(request.files.get("mail"))
    except BadInputError as error:
        return _page(str(error))
    return done("desk.stopped", f"The mail was read. {words}")


def _read(file: FileStorage | None) -> str:
    if file is None or not file.filename:
        raise BadInputError("No file was chosen.", "Choose one, then press again.")
    with closing(file):  # a large one lies on the disk
        return _of(file.stream)


def _of(stream: IO[bytes]) -> str:
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > LARGEST:
        raise BadInputError(
            f"That file has {human_size(size)}, too much for a mail that came back.",
            f"There may be {human_size(LARGEST)}.",
        )
    with outside("mail.returned_read", "one mail"):
        found = bouncing.read_stream(the_shop(), stream)
    for outcome, words in CAME_TO.items():
        if found[outcome]:
            return words
    raise BadInputError(
        "That is no mail that came back, or it cannot be understood.",
        "Nothing was changed. Save the whole mail from your mail program, as .eml.",
    )
