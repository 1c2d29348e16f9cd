"""Whether others who count are told of sales, and would understand what they are told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.models import OutboxItem
from handsel.models.words import OutboxState
from handsel.ops import measuring
from handsel.ops.doctor.findings import Finding, Level
from handsel.outbound import counters, outbox
from handsel.outbound.counters import CannotTellError, ga4rules
from handsel.settings import Settings
from handsel.settings.analytics import AnalyticsSettings

PATIENCE = timedelta(hours=1)
"""How long somebody may be away before it is told."""


def look(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at keys, and at what was not taken."""
    yield from _keys(settings.analytics)
    yield from _given_up(session)
    yield from _waiting(session, now)
    if settings.analytics.test_hits and settings.is_public:
        yield Finding(
            "H105",
            Level.INFO,
            "Test purchases are told to those who count elsewhere, as if they were sales.",
            "When you have tried it out, take analytics.test_hits away.",
        )


def _keys(analytics: AnalyticsSettings) -> Iterator[Finding]:
    secret = analytics.ga4_secret.get_secret_value() if analytics.ga4_secret else ""
    if analytics.ga4_id and not secret:
        yield Finding(
            "H100",
            Level.WARNING,
            "Google Analytics is not told of any sale: analytics.ga4_secret is missing.",
            "Make one under Admin, Data streams, your stream, Measurement Protocol API "
            "secrets, and set analytics.ga4_secret_file.",
        )
    if secret and not analytics.ga4_id:
        yield Finding(
            "H101",
            Level.WARNING,
            "analytics.ga4_secret is set, and analytics.ga4_id is not: nobody is told.",
            "Set analytics.ga4_id to the measurement ID of the same stream: G-...",
        )
    if analytics.ga4_id and secret and ga4rules.check_keys(analytics.ga4_id, secret):
        yield Finding(
            "H102",
            Level.WARNING,
            "analytics.ga4_secret does not look like one of Google's, who would say "
            "nothing and count nothing.",
            "Copy it once more, without blanks: Admin, Data streams, your stream.",
        )


def samples(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Write what would be told of each product, and tell nobody."""
    chosen = counters.chosen(settings).values()
    for hit in measuring.samples(session, now) if chosen else ():
        for each in chosen:
            try:
                if each.takes(hit):
                    each.call(hit, now)
            except CannotTellError as error:
                yield Finding(
                    "H106",
                    Level.WARNING,
                    f"{each.title} cannot be told of a {hit.name} of {hit.slug}: "
                    f"{error}",
                    "This is a mistake of ours: please tell us.",
                )


def _given_up(session: Session) -> Iterator[Finding]:
    dead = (OutboxItem.state == OutboxState.DEAD, outbox.of_kind(outbox.HIT))
    count = session.scalar(select(func.count()).where(*dead))
    if count:
        newest = select(OutboxItem.last_error).where(*dead)
        why = session.scalar(newest.order_by(OutboxItem.id.desc()).limit(1))
        yield Finding(
            "H103",
            Level.WARNING,
            f"{count} things could not be told to others who count. The last: {why}",
            "Within three days: `handsel mail list --hits --state dead`, then `handsel "
            "mail retry --hits`. Your own reports have all of it.",
        )


def _waiting(session: Session, now: datetime) -> Iterator[Finding]:
    late = (
        OutboxItem.state.in_((OutboxState.WAITING, OutboxState.SENDING)),
        OutboxItem.created_at < now - PATIENCE,
        outbox.of_kind(outbox.HIT),
    )
    count = session.scalar(select(func.count()).where(*late))
    if count:
        newest = select(OutboxItem.last_error).where(*late)
        why = session.scalar(newest.order_by(OutboxItem.id.desc()).limit(1))
        yield Finding(
            "H104",
            Level.WARNING,
            f"{count} things wait to be told to others who count, for an hour or "
            f"longer. {why or 'Nobody has tried.'}",
            "They are tried for two days. Is the worker running, and may this machine "
            "call out?",
        )
