"""Mails to everyone that are being written: kept as they are typed, sent once.

A draft is a form as it was left, so that nothing typed is lost to a line that breaks, a
session that ends or a browser that is closed. What it comes to says `composing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from handsel.kit.errors import ConflictError, NotFoundError
from handsel.models import Product, UpdateDraft
from handsel.models.database import rows_changed
from handsel.ops.shelving import Witness, nobody
from handsel.sales import catalogue
from handsel.shop import Shop

LONGEST = {
    "version": 200,
    "subject": 1_000,
    "text": 200_000,
    "replace": 3,
    "since": 40,
    "below": 40,
    "country": 40,
    "at": 40,
    "rate": 40,
}
"""The fields of a draft, and how many letters of each are kept: more than are allowed,
so that what is too long can still be shortened."""
MOST_FILES = 200


class WrittenElsewhereError(ConflictError):
    """Another page has written in the same draft since this one was opened.

    `revision` is what it is now.
    """

    def __init__(self, draft: UpdateDraft) -> None:
        super().__init__(
            f"{draft.written_by} has written in this update in another tab, at "
            f"{draft.written_at:%H:%M} UTC. What stands here is not kept yet.",
            "Keep one of the two.",
        )
        self.revision = draft.revision


class SentAlreadyError(ConflictError):
    """A draft was sent meanwhile. `campaign_id` is what it has become."""

    def __init__(self, campaign_id: int) -> None:
        super().__init__(
            "This update was sent meanwhile, from another page.",
            "Look how far it has come.",
        )
        self.campaign_id = campaign_id


@dataclass(frozen=True)
class Page:
    """An open page of a draft.

    Args:
        writer: its own name; what it writes itself is no surprise to it.
        revision: what it has shown.
        over: it was told of what others wrote, and its own is to be kept.
    """

    writer: str
    revision: int
    over: bool = False


def begin(
    shop: Shop, slug: str, by: str, *, edition: bool, witness: Witness = nobody
) -> int:
    """Begin a draft, or give the one that this person began and left empty; its id.

    Raises NotFoundError for no product.
    """
    now = shop.now()
    with shop.transaction() as session:
        product = catalogue.get(session, slug)
        empty = select(UpdateDraft.id).where(
            UpdateDraft.product_id == product.id,
            UpdateDraft.edition == edition,
            UpdateDraft.written_by == by,
            UpdateDraft.revision == 0,
            UpdateDraft.campaign_id.is_(None),
        )
        if begun := session.scalar(empty.limit(1)):
            return begun
        draft = UpdateDraft(
            product_id=product.id,
            edition=edition,
            typed={},
            written_by=by,
            created_at=now,
            written_at=now,
        )
        session.add(draft)
        session.flush()
        witness(session)
        return draft.id


def get(session: Session, draft_id: int) -> UpdateDraft:
    """Give a draft with its product and the editions of it. Raises NotFoundError."""
    found = session.scalars(
        select(UpdateDraft)
        .where(UpdateDraft.id == draft_id)
        .options(joinedload(UpdateDraft.product).selectinload(Product.releases))
    ).one_or_none()
    if found is None:
        raise NotFoundError(
            "There is no such draft.", "Perhaps somebody has thrown it away."
        )
    return found


def listed(session: Session) -> Sequence[UpdateDraft]:
    """List the drafts that are not sent, the last written first."""
    return session.scalars(
        select(UpdateDraft)
        .where(UpdateDraft.campaign_id.is_(None))
        .options(selectinload(UpdateDraft.product))
        .order_by(UpdateDraft.written_at.desc(), UpdateDraft.id.desc())
    ).all()


def keep(
    shop: Shop, draft_id: int, typed: Mapping[str, Any], page: Page, by: str
) -> int:
    """Keep what a page has typed; give the revision that it is now.

    Raises WrittenElsewhereError, SentAlreadyError, NotFoundError: then nothing is kept.
    """
    now = shop.now()
    tidy = _tidy(typed)
    with shop.transaction() as session:
        draft = get(session, draft_id)
        if draft.campaign_id:
            raise SentAlreadyError(draft.campaign_id)
        if draft.typed == tidy:
            return draft.revision
        known = or_(
            UpdateDraft.revision == page.revision, UpdateDraft.writer == page.writer
        )
        won = rows_changed(
            session,
            update(UpdateDraft)
            .where(
                UpdateDraft.id == draft_id,
                UpdateDraft.campaign_id.is_(None),
                *([] if page.over else [known]),
            )
            .values(
                typed=tidy,
                revision=UpdateDraft.revision + 1,
                writer=page.writer,
                written_by=by,
                written_at=now,
            ),
        )
        session.expire(draft)
        draft = get(session, draft_id)
        if won:
            return draft.revision
        if draft.campaign_id:
            raise SentAlreadyError(draft.campaign_id)
        raise WrittenElsewhereError(draft)


def _tidy(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is no field, and of each field what is beyond all measure."""
    words = {
        name: str(typed.get(name, ""))[:most].replace("\0", "").replace("\r\n", "\n")
        for name, most in LONGEST.items()
    }
    files = dict(list(dict(typed.get("uploads", {})).items())[:MOST_FILES])
    return words | {"uploads": files}


def throw_away(shop: Shop, draft_id: int, witness: Witness = nobody) -> None:
    """Forget a draft that was not sent. Safe to repeat."""
    with shop.transaction() as session:
        gone = rows_changed(
            session,
            delete(UpdateDraft).where(
                UpdateDraft.id == draft_id, UpdateDraft.campaign_id.is_(None)
            ),
        )
        if gone:
            witness(session)


def becomes(session: Session, draft_id: int, campaign_id: int, now: datetime) -> bool:
    """Note what a draft has become; say whether it was us, and not another press."""
    return bool(
        rows_changed(
            session,
            update(UpdateDraft)
            .where(UpdateDraft.id == draft_id, UpdateDraft.campaign_id.is_(None))
            .values(campaign_id=campaign_id, written_at=now),
        )
    )
