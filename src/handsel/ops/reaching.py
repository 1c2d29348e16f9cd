"""How many a mail to everyone would reach: counted now, or a moment ago."""

from time import monotonic

from sqlalchemy.orm import Session

from handsel.outbound import audience
from handsel.outbound.audience import Audience, Reach
from handsel.shop import Shop

QUICK = 0.1
"""Seconds: a count that takes longer is kept for a while,"""
WORTH = 20
"""for so many times as long as it took."""
_KEPT: dict[tuple[str, Audience], tuple[float, Reach]] = {}


def count(shop: Shop, session: Session, wanted: Audience, *, fresh: bool) -> Reach:
    """Count whom a mail would reach, or give what was counted a moment ago.

    Who writes has it counted after every pause, and of a hundred thousand buyers that
    takes a quarter of a second. Where it is quick it is always counted anew.
    """
    key = (str(shop.home), wanted)
    began = monotonic()
    kept = _KEPT.get(key)
    if kept and began < kept[0] and not fresh:
        return kept[1]
    reach = audience.reach(session, wanted)
    took = monotonic() - began
    if took > QUICK:
        _KEPT.clear()
        _KEPT[key] = (monotonic() + WORTH * took, reach)
    return reach
