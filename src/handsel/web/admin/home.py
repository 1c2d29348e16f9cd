"""The first page of the desk: what there is to see this morning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.models.words import Level
from handsel.ops import doctor
from handsel.ops.desk import figures, first_steps, running
from handsel.ops.desk.figures import Asked, Figures
from handsel.ops.doctor import Finding
from handsel.ops.experiment_facts import takes_tests_alone
from handsel.web.admin import home_words as words
from handsel.web.admin.asking import Days, asked_days
from handsel.web.admin.desk import audited, desk, done
from handsel.web.pages import page, the_shop


@desk.get("/")
def home() -> Response:
    """Show what a time has brought, what goes on, and what wants to be looked at."""
    shop = the_shop()
    currency = request.args.get("currency", "").strip().upper()[:3]
    days = asked_days(currency=currency)
    with shop.reading() as session:
        found = figures.read(session, _asked(days, currency), shop.now().date())
        steps = first_steps.first_steps(session, shop)
        findings = doctor.at_hand(shop, session, shop.now())
        trials = running.trials(session, shop)
        sendings = running.sendings(session)
    return page(
        "admin/home.html",
        422 if days.error else 200,
        days=days,
        shown=words.shown(found, shop.now().date()),
        currencies=_currencies(found, days),
        reports=_reports(days),
        steps=[words.first_step(each) for each in steps],
        findings=_urgent(findings),
        trials=trials,
        sendings=[words.sending(each) for each in sendings],
    )


def _asked(days: Days, currency: str) -> Asked:
    shop = the_shop()
    known = currency if words.is_currency(currency) else None
    usual = shop.settings.shop.currency
    return Asked(days.period, usual, known, takes_tests_alone(shop))


@dataclass(frozen=True)
class _Currency:
    url: str
    name: str
    here: bool


def _currencies(found: Figures, days: Days) -> Sequence[_Currency]:
    """Link to the same page in the other currencies; nothing where there is but one."""
    every = dict.fromkeys((*found.currencies, found.currency))
    if len(every) < 2:
        return []
    return [
        _Currency(
            url_for("desk.home", period=days.said, currency=each),
            each,
            each == found.currency,
        )
        for each in every
    ]


def _reports(days: Days) -> dict[str, str]:
    """Give where each part of the page is told at length."""
    said: dict[str, Any] = {"period": days.said}
    return {
        "sales": url_for("desk.report_sales", **said),
        "funnel": url_for("desk.report_funnel", **said),
        "products": url_for("desk.report_sales", by="product", **said),
        "sources": url_for("desk.report_sources", **said),
        "countries": url_for("desk.report_sources", by="country", **said),
        "devices": url_for("desk.report_sources", by="device", **said),
        "tax": url_for("desk.report_tax"),
    }


def _urgent(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Leave out what is only good to know."""
    return [words.finding(each) for each in findings if each.level is not Level.INFO]


@desk.post("/first-steps/hide")
def hide_first_steps() -> AnyResponse:
    """Show the list of first steps no more."""
    with the_shop().transaction() as session:
        audited(session, first_steps.HIDDEN, the_shop().settings.shop.name)
    return done("desk.home", "The list is gone.")
