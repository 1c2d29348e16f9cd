"""What the desk shows of mails to everyone: the list, and one under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.kit.errors import NotFoundError
from handsel.models import Campaign, Product, Release
from handsel.models.words import CampaignState
from handsel.ops import campaigning
from handsel.ops.desk import running
from handsel.ops.doctor import books
from handsel.outbound import announcing, campaigns
from handsel.outbound.announcing import Announcement
from handsel.outbound.campaigns import Progress
from handsel.shop import Shop

AT_ONCE = 25
"""Updates on a page."""
ASLEEP = timedelta(minutes=3)
"""A worker that has done nothing for so long is none: it has duties every minute."""


@dataclass(frozen=True)
class Line:
    """One mail to everyone as the list shows it.

    `at`: when it begins, if it has not; else when it ended or began.
    """

    id: int
    title: str
    product: str
    state: CampaignState
    progress: Progress
    at: datetime


@dataclass(frozen=True)
class Choice:
    """A product that may be written about, and its newest edition."""

    slug: str
    name: str
    version: str


def lines(session: Session, *, before: int | None = None) -> list[Line]:
    """Give a page of mails to everyone and one more, the newest first."""
    query = (
        select(Campaign)
        .options(joinedload(Campaign.product), joinedload(Campaign.release))
        .order_by(Campaign.id.desc())
        .limit(AT_ONCE + 1)
    )
    if before is not None:
        query = query.where(Campaign.id < before)
    return [_line(session, each) for each in session.scalars(query)]


def _line(session: Session, found: Campaign) -> Line:
    scheduled = found.state is CampaignState.SCHEDULED
    begun = found.finished_at or found.started_at or found.created_at
    return Line(
        found.id,
        running.title(found),
        found.product.name,
        found.state,
        campaigns.progress(session, found.id),
        found.next_at if scheduled else begun,
    )


def choices(session: Session) -> list[Choice]:
    """List the products by name: all that somebody may have bought."""
    newest = (
        select(Release.version)
        .where(Release.product_id == Product.id)
        .order_by(Release.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Product.slug, Product.name, newest.label("version")).order_by(
            Product.name, Product.id
        )
    )
    return [Choice(row.slug, row.name, row.version or "") for row in rows]


@dataclass(frozen=True)
class Under:
    """One mail to everyone, however far it has come.

    Args:
        facts: what `handsel release status --json` says.
        asleep: it runs, and there is no worker who would send it.
    """

    title: str
    facts: dict[str, object]
    again_at: datetime | None
    starts_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    asleep: bool
    audience: Sequence[str]


def one(shop: Shop, campaign_id: int) -> Under:
    """Give one of them. Raises NotFoundError."""
    with shop.reading() as session:
        found = _get(session, campaign_id)
        last = books.last_at_work(session)
        hindered = campaigns.trouble(found, shop.now())
    waits = found.state in (CampaignState.RUNNING, CampaignState.SCHEDULED)
    late = found.state is CampaignState.RUNNING or found.next_at <= shop.now()
    return Under(
        running.title(found),
        campaigning.facts(shop, campaign_id),
        again_at=hindered[1] if hindered else None,
        starts_at=found.next_at if found.state is CampaignState.SCHEDULED else None,
        started_at=found.started_at,
        finished_at=found.finished_at,
        asleep=waits and late and (last is None or last < shop.now() - ASLEEP),
        audience=found.audience,
    )


def told(shop: Shop, campaign_id: int) -> Announcement:
    """Give what it tells. Raises NotFoundError."""
    with shop.reading() as session:
        _get(session, campaign_id)
        return announcing.of_campaign(session, campaign_id)


def _get(session: Session, campaign_id: int) -> Campaign:
    found = session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .options(joinedload(Campaign.product), joinedload(Campaign.release))
    ).one_or_none()
    if found is None:
        raise NotFoundError(
            f"There is no update {campaign_id}.", "Look into the list of updates."
        )
    return found
