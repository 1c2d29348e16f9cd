"""What a mail to everyone says, written once a minute and filled in for each buyer."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session, selectinload

from handsel.kit.markdown import render_markdown
from handsel.kit.signing import Keys, link_token
from handsel.models import Campaign, Product, Release
from handsel.outbound import letters
from handsel.outbound.addresses import wire_address
from handsel.outbound.compose import compose, id_letters, message_id_of, seal
from handsel.outbound.leaving import leave_token
from handsel.outbound.post import Mailroom, sender_of
from handsel.outbound.recipients import Addressee
from handsel.outbound.returning import return_address
from handsel.outbound.stencil import Stencil
from handsel.outbound.transports.base import Envelope

_ALPHABET = string.ascii_lowercase + string.digits
_LENGTHS = {"link": 45, "leave": 44, "id": 32}
"""How long the tokens of both links are, and a Message-ID before its @."""


@dataclass(frozen=True)
class Announcement:
    """The template of a mail to everyone, and what it is given for everybody alike."""

    template: str
    facts: dict[str, Any]


def of_release(
    name: str, version: str, notes: str, files: Sequence[tuple[str, int]]
) -> Announcement:
    """Tell of a new edition of a product. Nothing need be in the database yet.

    Args:
        notes: Markdown.
        files: name and size in bytes of each that is new.
    """
    return Announcement(
        "release",
        {
            "product": {"name": name},
            "version": version,
            "notes": notes.strip(),
            "notes_html": _html(notes, top=3),
            "files": letters.file_facts(files),
        },
    )


def of_words(name: str, subject: str, body: str) -> Announcement:
    """Tell the buyers of a product the seller's own words, `body` in Markdown."""
    return Announcement(
        "broadcast",
        {
            "product": {"name": name},
            "subject": subject,
            "body": body.strip(),
            "body_html": _html(body, top=2),
        },
    )


def _html(text: str, *, top: int) -> Markup:
    return Markup(render_markdown(text, top=top, pictures=False))  # noqa: S704  # safe by kit.markdown


def of_campaign(session: Session, campaign_id: int) -> Announcement:
    """Give what a campaign tells."""
    campaign = session.get_one(Campaign, campaign_id)
    product = session.get_one(Product, campaign.product_id)
    if campaign.release_id is None:
        return of_words(product.name, campaign.subject, campaign.body)
    release = session.get_one(
        Release, campaign.release_id, options=[selectinload(Release.files)]
    )
    files = [(file.name, file.size) for file in release.files]
    return of_release(product.name, release.version, release.notes, files)


class Writer:
    """Writes the mails of one sender. Their date is right to the minute.

    Args:
        name: of the campaign; with the purchase's it makes the Message-ID, so that a
            repeat carries the same.
    """

    def __init__(self, room: Mailroom, told: Announcement, name: str) -> None:
        self._room = room
        self._told = told
        self._name = name
        self._sender = sender_of(room.settings)
        self._own = wire_address(self._sender.address)
        self._domain = self._own.rpartition("@")[2]
        self._marks = {key: _mark(length) for key, length in _LENGTHS.items()}
        self._marks["to"] = f"{_mark(20)}@handsel.invalid"
        self._stencils: dict[bool, Stencil] = {}
        self._minute = room.clock().replace(second=0, microsecond=0)

    def write(self, one: Addressee) -> Envelope:
        """Write the mail to one buyer. Raises PermanentMailError when there is no way."""
        to = wire_address(one.email)
        values = _values(self._room.keys, self._name, one) | {"to": to}
        if not to.isascii():  # the head is written in another way then
            message = self._compose(values, test=one.test)
            return seal(message, one.email, sender=self._comes_back_to(one))
        content = self._stencil(test=one.test).filled(values)
        return Envelope(self._comes_back_to(one), to, content)

    def _comes_back_to(self, one: Addressee) -> str:
        bounces = self._room.settings.mail.bounces
        if not bounces:
            return self._own
        return return_address(self._room.keys, bounces, one.public_id, one.email)

    def _stencil(self, *, test: bool) -> Stencil:
        minute = self._room.clock().replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._stencils = minute, {}
        if test not in self._stencils:
            whole = self._compose(self._marks, test=test).as_bytes()
            made = Stencil(whole, self._marks, free=["to"])
            self._check(made, test=test)
            self._stencils[test] = made
        return self._stencils[test]

    def _check(self, made: Stencil, *, test: bool) -> None:
        """Read an example both ways: a template may have changed a mark.

        Raises BrokenTemplateError before anybody gets a link that leads nowhere.
        """
        values = {name: "Q" * length for name, length in _LENGTHS.items()}
        values["to"] = "reader@example.com"
        told = _words(self._compose(values, test=test).as_bytes())
        if _words(made.filled(values)) != told or values["link"] not in "".join(told):
            raise letters.BrokenTemplateError(
                f"templates/mail/{self._told.template}.jinja",
                "`link` and `leave_link` must stand in text and html as they are, "
                "and not in the subject",
            )

    def _compose(self, values: dict[str, str], *, test: bool) -> EmailMessage:
        settings = self._room.settings
        leave = f"{settings.public_url}/u/{values['leave']}"
        letter = letters.render(
            self._room.home,
            self._told.template,
            self._told.facts
            | {
                "shop": settings.shop,
                "test": test,
                "test_mode": self._room.test_mode,
                "link": f"{settings.public_url}/d/{values['link']}",
                "leave_link": leave,
            },
        )
        return compose(
            sender=self._sender,
            to=values["to"],
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            message_id=message_id_of(values["id"], self._domain),
            date=self._room.clock(),
            reply_to=settings.shop.email or None,
            extra=_bulk(leave),
            encoding="quoted-printable",
        )


def _words(content: bytes) -> list[str]:
    """Give the subject and the texts of a mail, as they are read."""
    mail = message_from_bytes(content, policy=policy.default)
    parts = [str(part.get_content()) for part in mail.iter_parts()]
    return [str(mail["Subject"]), *parts]


def _values(keys: Keys, name: str, one: Addressee) -> dict[str, str]:
    return {
        "link": link_token(keys, one.public_id, one.token_version),
        "leave": leave_token(keys, one.public_id),
        "id": id_letters(dedupe_key(name, one.name)),
    }


def dedupe_key(name: str, public_id: str) -> str:
    """Name one mail of a campaign; nobody outside can guess it, nor its Message-ID.

    `public_id` is that of the purchase that was written down.
    """
    return f"{name}:{public_id}"


def campaign_name(campaign_id: int) -> str:
    """Name a campaign."""
    return f"campaign:{campaign_id}"


def _bulk(leave: str) -> dict[str, str]:
    """Give the headers of what is sent to many (RFC 8058, RFC 3834)."""
    return {
        "List-Unsubscribe": f"<{leave}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
        "Auto-Submitted": "no",
    }


def _mark(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
