"""What a draft of a mail to everyone comes to, and sending it.

Through the same functions as `handsel release` and `handsel mail broadcast`: what a draft
becomes is a campaign like theirs.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from handsel.delivery.storage.uploads import Upload
from handsel.kit.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    ShopError,
)
from handsel.kit.links import relative_links, whole_links
from handsel.kit.moments import read_moment
from handsel.kit.rates import gap_us
from handsel.models import UpdateDraft
from handsel.ops import (
    campaigning,
    drafting,
    reaching,
    releasing,
    sampling,
    shelving,
)
from handsel.ops.drafting import SentAlreadyError
from handsel.ops.releasing import Sending, Wanted
from handsel.ops.shelving import Witness
from handsel.outbound import audience, campaigns
from handsel.outbound.announcing import Announcement
from handsel.outbound.audience import Audience, Reach
from handsel.sales import releases
from handsel.sales.releases import NewRelease, Shelf
from handsel.shop import Shop

T = TypeVar("T")


class ChangedMeanwhileError(ConflictError):
    """Something has changed since somebody looked at what is to be sent."""


@dataclass
class Look:
    """What a draft comes to as it stands.

    Args:
        wrong: what keeps it from being sent, for each field; "" is none of them.
        to: the conditions of who gets it, as commands take them.
        reach: None where nobody knows because a condition is wrong.
        told: what the mail says; None until there is enough of it.
        shelf: what changes of the files.
        there: this edition is out already, and is only told of.
        lost_links: links that lead nowhere from a mail.
    """

    draft: UpdateDraft
    wrong: dict[str, str] = field(default_factory=dict)
    to: Sequence[str] = ()
    rate: str | None = None
    at: datetime | None = None
    uploads: Sequence[Upload] = ()
    wanted: Audience | None = None
    reach: Reach | None = None
    told: Announcement | None = None
    shelf: Shelf | None = None
    there: bool = False
    lost_links: Sequence[str] = ()

    @property
    def sending(self) -> Sending:
        """How the mail is to go."""
        return Sending(self.to, self.rate, self.at)

    @property
    def seen(self) -> str:
        """Sum up what somebody sees of it, to tell later whether it is still so."""
        count = self.reach.recipients if self.reach else 0
        shelf = self.shelf or Shelf((), (), ())
        files = [
            *((new.name, new.sha256, old.id if old else 0) for new, old in shelf.comes),
            *(each.id for each in (*shelf.stays, *shelf.goes)),
        ]
        mark = hashlib.sha256(repr(files).encode()).hexdigest()[:16]
        return f"{self.draft.revision}-{count}-{mark}"

    def take(self, name: str, read: Callable[[], T], empty: T) -> T:
        """Read a field; what is wrong with it is noted."""
        try:
            return read()
        except ShopError as error:
            self.wrong.setdefault(name, error.plain)
            return empty


def look(shop: Shop, draft_id: int, *, fresh: bool = False) -> Look:
    """Look what a draft comes to. Changes nothing. Raises NotFoundError.

    Args:
        fresh: whatever was counted a moment ago, count anew.
    """
    found = who(shop, draft_id, fresh=fresh)
    typed = found.draft.typed
    text = whole_links(typed.get("text", ""), shop.settings.public_url)
    found.lost_links = relative_links(text)
    if found.at and found.at <= shop.now():
        found.wrong["at"] = "That time is over. Give one that is to come."
    _read_files(shop, found)
    if found.draft.edition:
        _read_edition(shop, found)
    else:
        _read_words(shop, found)
    if found.told and not found.wrong:
        # A template that cannot be filled in is found here, before anything is made.
        told, to = found.told, sampling.READER
        found.take("", lambda: sampling.example(shop, told, to), None)
    return found


def who(shop: Shop, draft_id: int, *, fresh: bool = False) -> Look:
    """Look only who would get it. Otherwise as `look`."""
    with shop.reading() as session:
        found = Look(drafting.get(session, draft_id))
        _read_sending(session, found)
        having = _told_of(session, found)
        if not {"since", "below", "country"} & set(found.wrong):
            product_id = found.draft.product_id
            found.wanted = audience.read(session, product_id, found.to, having)
            found.reach = reaching.count(shop, session, found.wanted, fresh=fresh)
    return found


def _text(found: Look, name: str) -> str:
    return str(found.draft.typed.get(name, "")).strip()


def _read_sending(session: Session, found: Look) -> None:
    product_id = found.draft.product_id
    to = []
    for name in ("since", "below", "country"):
        if said := _text(found, name):
            condition = f"{name}:{said}"
            read = _one_condition(session, product_id, condition)
            if found.take(name, read, False):
                to.append(condition)
    found.to = to
    if rate := _text(found, "rate"):
        found.take("rate", lambda: gap_us(rate), 0)
        found.rate = rate
    if at := _text(found, "at"):
        found.at = found.take("at", lambda: read_moment(at, UTC), None)


def _one_condition(
    session: Session, product_id: int, condition: str
) -> Callable[[], bool]:
    return lambda: bool(audience.read(session, product_id, [condition]))


def _told_of(session: Session, found: Look) -> int | None:
    """Give the id of the edition it is about, if that is out already."""
    if not found.draft.edition:
        return None
    version = found.take(
        "version", lambda: shelving.check_version(_text(found, "version")), ""
    )
    there = releases.find(session, found.draft.product_id, version)
    found.there = there is not None
    known = campaigns.of_release(session, there.id) if there else None
    if known and not campaigns.not_begun(known):
        found.wrong["version"] = (
            f"Version {version} was told of already: that is update {known.id}."
        )
    return there.id if there else None


def _read_files(shop: Shop, found: Look) -> None:
    """Find the files that were ticked: they wait for a day, and no longer."""
    uploads = []
    for number, name in found.draft.typed.get("uploads", {}).items():
        try:
            uploads.append(shop.uploads.get(number))
        except NotFoundError:
            found.wrong["files"] = (
                f"{name} is not here any more: files wait for 24 hours. Send it again."
            )
    found.uploads = uploads


def _read_edition(shop: Shop, found: Look) -> None:
    if not found.uploads and not found.there:
        found.wrong.setdefault("files", "No file is ticked. Send the new ones.")
    if {"version", "files"} & set(found.wrong):
        return
    wanted = wanted_of(found)
    plan = found.take("files", lambda: releasing.plan(shop, wanted, found.reach), None)
    if plan:
        found.shelf, found.told = plan.shelf, plan.told


def wanted_of(found: Look) -> Wanted:
    """Give the edition that a draft asks for."""
    typed = found.draft.typed
    new = NewRelease(
        shelving.check_version(_text(found, "version")),
        typed.get("text", ""),
        bool(typed.get("replace")),
    )
    # What is wrong with the way it goes is said beside; the files are looked at alone.
    sending = Sending() if found.wrong else found.sending
    return Wanted(found.draft.product.slug, found.uploads, new, sending)


def _read_words(shop: Shop, found: Look) -> None:
    subject = found.take(
        "subject", lambda: campaigning.check_subject(_text(found, "subject")), ""
    )
    if not _text(found, "text"):
        found.wrong["text"] = "Nothing is written yet."
    if found.wrong:
        return
    slug, text = found.draft.product.slug, found.draft.typed["text"]
    plan = found.take(
        "subject",
        lambda: campaigning.plan_broadcast(
            shop, slug, subject, text, found.sending, found.reach
        ),
        None,
    )
    found.told = plan.told if plan else None


def send_example(shop: Shop, draft_id: int, to: str) -> None:
    """Send the mail to one address now, to look at; its links lead nowhere.

    Raises BadInputError, or what the mail server said.
    """
    found = look(shop, draft_id)
    if found.told is None or found.wrong:
        raise BadInputError("The update is not ready yet.", "Look what is missing.")
    sampling.send_example(shop, found.told, to)


def send(shop: Shop, draft_id: int, seen: str, witness: Witness) -> int:
    """Make a draft what it says, and begin; give the campaign's id.

    Whoever presses twice, in two tabs, or once more after a crash, gets the same.

    Args:
        seen: what `Look.seen` was when somebody decided.

    Raises ChangedMeanwhileError with what is different, BadInputError when it is not
    ready, and as `releasing.publish`.
    """
    try:
        found = _ready(shop, draft_id, seen)
    except SentAlreadyError as error:
        return error.campaign_id
    campaign_id = _make(shop, found)
    with shop.transaction() as session:
        now = shop.now()
        if drafting.becomes(session, draft_id, campaign_id, now):
            campaign = campaigns.hold(session, campaign_id)
            if not found.at and campaigns.not_begun(campaign):
                campaigns.start(session, campaign, now)
            witness(session)
    for each in found.uploads:
        shop.uploads.remove(each.id)
    return campaign_id


def _ready(shop: Shop, draft_id: int, seen: str) -> Look:
    found = look(shop, draft_id, fresh=True)
    if found.draft.campaign_id:
        raise SentAlreadyError(found.draft.campaign_id)
    if found.seen != seen:
        raise ChangedMeanwhileError(_difference(seen, found), "Look at it once more.")
    if found.wrong:
        raise BadInputError(next(iter(found.wrong.values())))
    return found


def _difference(seen: str, found: Look) -> str:
    """Say what is different from what somebody saw."""
    revision, _, rest = seen.partition("-")
    count, _, files = rest.partition("-")
    now_revision, now_count, now_files = found.seen.split("-")
    if revision != now_revision:
        return f"{found.draft.written_by} has written on in this update meanwhile."
    if files != now_files:
        return "The files of the product have changed meanwhile."
    if count != now_count and count.isdecimal():
        return (
            f"It goes to {int(now_count):,} buyers now; when you looked, they were "
            f"{int(count[:12]):,}."
        )
    return "It is not what you looked at."


def _make(shop: Shop, found: Look) -> int:
    """Make the campaign, or find the one that an interrupted press has made."""
    if found.draft.edition:
        return releasing.announce(shop, wanted_of(found))
    typed: dict[str, Any] = found.draft.typed
    return campaigning.create_broadcast(
        shop,
        found.draft.product.slug,
        campaigning.check_subject(typed["subject"]),
        typed["text"],
        found.sending,
    )
