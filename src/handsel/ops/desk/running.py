"""What goes on by itself at this moment: experiments, and mails to everyone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.analytics import experiments
from handsel.models import Campaign
from handsel.models.words import ExperimentState
from handsel.ops import experiment_facts, experiment_words
from handsel.outbound import campaigns
from handsel.outbound.campaigns import Progress
from handsel.shop import Shop


@dataclass(frozen=True)
class Trial:
    """An experiment that runs, and what it says so far."""

    name: str
    product: str
    part: str
    says: str


@dataclass(frozen=True)
class Sending:
    """A mail to everyone that is not over.

    Args:
        title: its subject, or the product and version that it tells of.
        starts_at: set while it waits for its time.
    """

    id: int
    title: str
    state: str
    progress: Progress
    starts_at: datetime | None


def trials(session: Session, shop: Shop) -> list[Trial]:
    """Give the experiments that run, newest first."""
    return [
        Trial(each["name"], each["product"], each["part"], experiment_words.short(each))
        for each in (
            experiment_facts.facts(session, shop, found)
            for found in experiments.listed(session)
            if found.state is ExperimentState.RUNNING
        )
    ]


def sendings(session: Session) -> list[Sending]:
    """Give the mails to everyone that are not over, newest first."""
    alive = session.scalars(
        select(Campaign)
        .where(Campaign.state.in_(campaigns.ALIVE))
        .options(joinedload(Campaign.product), joinedload(Campaign.release))
        .order_by(Campaign.id.desc())
    )
    return [_sending(session, each) for each in alive.all()]


def title(found: Campaign) -> str:
    """Name a mail to everyone: by its subject, or what it tells of."""
    told_of = found.release.version if found.release else ""
    return found.subject or f"{found.product.name} {told_of}".strip()


def _sending(session: Session, found: Campaign) -> Sending:
    waits = found.started_at is None and str(found.state) == "scheduled"
    return Sending(
        found.id,
        title(found),
        str(found.state),
        campaigns.progress(session, found.id),
        found.next_at if waits else None,
    )
