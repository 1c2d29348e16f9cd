"""What the records tell of stolen cards: with which products they are, or were, tried."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.models import Brake, Product
from handsel.ops.doctor.findings import Finding, Level

NEWS = timedelta(days=1)
"""How long it is told of when it is over."""


def look(session: Session, now: datetime) -> Iterator[Finding]:
    """Tell of each product whose brake is on, or was on lately."""
    rows = session.execute(
        select(Product.slug, Brake.since, Brake.until)
        .join(Brake, Brake.product_id == Product.id)
        .where(Brake.until > now - NEWS)
        .order_by(Product.id)
    )
    for slug, since, until in rows:
        if until > now:
            yield Finding(
                "H071",
                Level.WARNING,
                f"Stolen cards are being tried with {slug}, since {since:%H:%M} UTC: its "
                "buyers open a mail before they pay.",
                "Let Radar block more in Stripe's dashboard. The rest ends by itself, a "
                "quarter of an hour after the tries do.",
            )
        else:
            yield Finding(
                "H072",
                Level.INFO,
                f"Stolen cards were tried with {slug}, until {until:%Y-%m-%d %H:%M} UTC.",
                "Some may have worked: refund what looks made up, before its owner "
                "disputes it.",
            )
