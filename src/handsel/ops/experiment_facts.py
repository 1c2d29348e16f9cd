"""What a seller is told of an experiment: its plan, its figures, its verdict."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from handsel.analytics import experiments, verdicts
from handsel.analytics.periods import Period
from handsel.analytics.reports import experiments as report
from handsel.analytics.reports.tallies import Wanted, tally
from handsel.analytics.stats import Metric, Plan, Verdict, judge, plan_price, plan_rate
from handsel.models import Experiment, Product
from handsel.models.words import DecidedBy, EventKind, ExperimentState, Part
from handsel.ops import variants
from handsel.sales import catalogue
from handsel.shop import Shop

LOOK_BACK = timedelta(days=28)
TOO_LONG = 90
"""Days after which too many visitors have come to be somebody else."""
ASSUMED_RATE = 0.02
"""How many visitors are thought to buy where nobody knows yet."""


def product_of(session: Session, found: Experiment) -> Product:
    """Give the product of an experiment, with all that belongs to it."""
    product = session.get_one(Product, found.product_id)
    return catalogue.get(session, product.slug)


def takes_tests_alone(shop: Shop) -> bool:
    """Whether no payment here moves real money: then test purchases are what counts."""
    return bool(shop.providers) and all(p.test for p in shop.providers.values())


@dataclass(frozen=True)
class Before:
    """What came of the page in the four weeks before an experiment."""

    visitors: int
    sales: int

    @property
    def daily(self) -> float:
        """Visitors of a day."""
        return self.visitors / LOOK_BACK.days


def before_of(session: Session, shop: Shop, product: Product) -> Before:
    """Look back on the page of a product."""
    today = shop.now().date()
    period = Period(today - LOOK_BACK, today - timedelta(days=1))
    test = takes_tests_alone(shop)
    seen = tally(session, Wanted(period, product_id=product.id, test=test))
    return Before(
        sum(each.visitors for each in seen if each.kind is EventKind.VIEWED),
        sum(each.times for each in seen if each.kind is EventKind.PAID),
    )


def plan_for(found: Experiment, product: Product, before: Before, lift: float) -> Plan:
    """Work out how many visitors it takes to find a difference."""
    known = before.sales and before.visitors
    rate = before.sales / before.visitors if known else ASSUMED_RATE
    rate, count = min(rate, 0.9 / (1 + lift)), len(found.variants)
    if found.decided_by is DecidedBy.CONVERSION:
        return plan_rate(rate, lift, count)
    return plan_price(rate, max(1, product.price_minor), lift, count)


def _findable(found: Experiment, product: Product, before: Before) -> int | None:
    """Give the difference that could be found in time, in basis points."""
    if not before.visitors:
        return None
    for lift in _LIFTS:
        days = plan_for(found, product, before, lift / 100).days(before.daily)
        if days <= TOO_LONG and lift * 100 > found.lift_bp:
            return lift * 100
    return None


_LIFTS = (15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300)


def listed(shop: Shop) -> list[dict[str, Any]]:
    """Give every experiment, newest first; what has ended without its figures, which
    are the more to count the longer a shop tries things."""
    with shop.reading() as session:
        return [
            _said(session, shop, each)[0]
            if each.state is ExperimentState.STOPPED
            else facts(session, shop, each)
            for each in experiments.listed(session)
        ]


def facts_of(shop: Shop, name: str) -> dict[str, Any]:
    """Give an experiment as `--json` shows it."""
    with shop.reading() as session:
        return facts(session, shop, experiments.get(session, name))


def facts(session: Session, shop: Shop, found: Experiment) -> dict[str, Any]:
    """The same for one that was read; a draft's plan is that of today."""
    said, plan = _said(session, shop, found)
    if found.state is ExperimentState.DRAFT:
        return said
    verdict = _verdict(session, shop, found, plan)
    figures = _figures(said["variants"], verdict)
    return said | _judged(found, verdict) | {"variants": figures}


def _said(
    session: Session, shop: Shop, found: Experiment
) -> tuple[dict[str, Any], Plan]:
    """Give all but the figures, and the plan."""
    product = product_of(session, found)
    plan, before = _planned(session, shop, found, product)
    days = plan.days(before.daily) if before.visitors else None
    said: dict[str, Any] = {
        "name": found.name,
        "product": product.slug,
        "part": str(found.part),
        "metric": str(found.decided_by),
        "state": str(found.state),
        "shipped": found.shipped,
        "started_at": _iso(found.started_at),
        "stopped_at": _iso(found.stopped_at),
        "lift_bp": found.lift_bp,
        "currency": found.currency,
        "planned_visitors": plan.total,
        "planned_days": days,
        "test": takes_tests_alone(shop),
        "variants": [
            {
                "variant": each.name,
                "value": variants.told(shop, found.part, each.value, found.currency),
            }
            for each in found.variants
        ],
    }
    if found.part is Part.PAGE:
        said["script"] = f"{shop.settings.public_url}/embed/variants.js"
    if days and days > TOO_LONG and found.state is not ExperimentState.STOPPED:
        before = before_of(session, shop, product)
        said["findable_bp"] = _findable(found, product, before)
    return said, plan


def _planned(
    session: Session, shop: Shop, found: Experiment, product: Product
) -> tuple[Plan, Before]:
    """Give the plan: what was fixed at the start, or before that what it would be now."""
    lift = found.lift_bp / 10_000
    if found.planned_visitors is None:
        before = before_of(session, shop, product)
        return plan_for(found, product, before, lift), before
    plan = Plan(found.planned_visitors, lift, len(found.variants))
    return plan, Before(visitors=found.visitors_before or 0, sales=0)


def _verdict(session: Session, shop: Shop, found: Experiment, plan: Plan) -> Verdict:
    arms = report.arms(session, found, test=takes_tests_alone(shop))
    assert found.started_at
    end = found.stopped_at or shop.now()
    days = (end - found.started_at) / timedelta(days=1)
    seen = sum(each.visitors for each in arms)
    before = (found.visitors_before or 0) / LOOK_BACK.days
    daily = seen / days if days >= 1 else before
    return judge(arms, plan, Metric(found.decided_by), daily=daily)


def _judged(found: Experiment, verdict: Verdict) -> dict[str, Any]:
    ended = found.state is ExperimentState.STOPPED
    open_end = ended and verdict.state in verdicts.UNDECIDED
    return {
        "verdict": "undecided" if open_end else verdict.state.name.lower(),
        "winner": verdict.winner,
        "visitors_left": 0 if ended else verdict.visitors_left,
        "days_left": None if ended else verdict.days_left,
        "split_p": verdict.split_p,
        "says": verdicts.sentences(verdict, ended=ended),
    }


def _figures(said: list[dict[str, Any]], verdict: Verdict) -> list[dict[str, Any]]:
    found = []
    for each, figures in zip(said, verdict.figures, strict=True):
        known = asdict(figures)
        known.pop("name")
        known["outcome"] = str(figures.outcome) if figures.outcome else None
        found.append(each | known)
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
