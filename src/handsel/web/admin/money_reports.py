"""Reports of money: what was paid out to the bank, and the tax in the sales."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from flask import Response, request, url_for

from handsel.kit.errors import BadInputError
from handsel.kit.money import currencies
from handsel.ops import payout_notes, reporting
from handsel.ops.experiment_facts import takes_tests_alone
from handsel.sales import payout_report, tax_report
from handsel.sales.payout_report import SUMS, Period
from handsel.sales.tax_report import Span
from handsel.web.admin import report_words as words
from handsel.web.admin import written
from handsel.web.admin.desk import desk
from handsel.web.admin.reports import as_csv, tabs
from handsel.web.pages import page, the_shop

USUAL = timedelta(days=31)
"""What payouts are shown of where nothing is asked for."""


@desk.get("/reports/payouts")
def report_payouts() -> Response:
    """Show what was paid out, what it is made up of, and what it cost."""
    period, error = _period()
    with the_shop().reading() as session:
        data = payout_report.everything(session, period)
    return page(
        "admin/report_payouts.html",
        422 if error else 200,
        tabs=tabs("payouts"),
        error=error,
        since=period.since,
        until=period.until,
        currency=period.currency or "",
        payouts=[_payout(each) for each in data["payouts"]],
        totals=[_total(each) for each in data["totals"]],
        months=[_month(each, period) for each in data["in_no_payout"]],
        notes=list(payout_notes.notes(data)),
        csv_url=url_for("desk.report_payouts_csv", **_said(period)),
    )


@desk.get("/reports/payouts.csv")
def report_payouts_csv() -> Response:
    """Give payouts for a spreadsheet. Raises BadInputError."""
    period, error = _period()
    if error:
        raise BadInputError(error)
    with the_shop().reading() as session:
        data = payout_report.everything(session, period)
    return as_csv(reporting.payouts_sheet(data), "payouts")


@desk.get("/reports/payouts/<payout_id>")
def report_payout(payout_id: str) -> Response:
    """Show the lines of one payout. Raises NotFoundError."""
    with the_shop().reading() as session:
        data = payout_report.payout(session, payout_id)
    return page(
        "admin/report_payout.html",
        tabs=tabs("payouts"),
        payout=_payout(data),
        lines=[_line(each) for each in data["made_up_of"]],
        notes=list(payout_notes.remarks(data)),
        strange=data["lines_of_no_order"],
        csv_url=url_for("desk.report_payout_csv", payout_id=payout_id),
    )


@desk.get("/reports/payouts/<payout_id>/lines.csv")
def report_payout_csv(payout_id: str) -> Response:
    """Give the lines of one payout for a spreadsheet. Raises NotFoundError."""
    with the_shop().reading() as session:
        data = payout_report.payout(session, payout_id)
    return as_csv(reporting.payout_sheet(data), "payout")


def _period() -> tuple[Period, str]:
    """Read which days of which currency; what is wrong is left out, and said.

    Where no first day is asked for it is the last weeks: a whole past may be long.
    """
    since, wrong_since = _day("since", the_shop().now().date() - USUAL)
    until, wrong_until = _day("until", None)
    if since and until and since > until:
        since, until = until, since
    code = request.args.get("currency", "").strip().upper()
    if code and code not in currencies():
        return Period(since, until), "Write a currency as three letters, like EUR."
    return Period(since, until, code or None), wrong_since or wrong_until


def _day(name: str, usual: date | None) -> tuple[date | None, str]:
    """Read a day of the address, and what is wrong with it; the usual for none."""
    said = request.args.get(name)
    try:
        day = date.fromisoformat(said.strip()) if said and said.strip() else None
    except ValueError:
        return usual, "Write a day like 2027-01-31."
    return (usual if said is None else day), ""


def _said(period: Period) -> dict[str, Any]:
    values = {
        "until": period.until and period.until.isoformat(),
        "currency": period.currency,
    }
    # Also where it is empty: without it, it would be the last weeks.
    since = period.since.isoformat() if period.since else ""
    return {"since": since} | {name: value for name, value in values.items() if value}


def _payout(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": found["id"],
        "url": url_for("desk.report_payout", payout_id=found["id"]),
        "who": payout_notes.who(found),
        "arrives": found["arrives_on"],
        "state": payout_notes.state(found),
        "amount": written.money(found["amount_minor"], found["currency"]),
        "wrong": found["adds_up"] is False,
        **_sums(found),
    }


def _total(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{'Arrived' if found['arrived'] else 'On its way'}, "
        f"{payout_notes.who(found)}, {found['currency']}",
        "payouts": written.count(found["payouts"]),
        "amount": written.money(found["amount_minor"], found["currency"]),
        **_sums(found),
    }


def _month(found: dict[str, Any], period: Period) -> dict[str, Any]:
    became = found["received_currency"]
    return {
        "month": f"{found['month']}{_part(found['month'], period)}",
        "who": payout_notes.who(found),
        "net": written.money(found["lines_minor"], found["currency"]),
        "became": written.money(found["received_minor"], became) if became else "",
        **_sums(found),
    }


def _part(month: str, period: Period) -> str:
    """Say which part of a month lies within the days, if it is not all of it."""
    since, until = period.since, period.until
    begins = since if since and since.day > 1 and f"{since:%Y-%m}" == month else None
    ends = until if until and f"{until:%Y-%m}" == month else None
    if ends and ends.day == monthrange(ends.year, ends.month)[1]:
        ends = None
    words = (("from", begins), ("to", ends))
    return "".join(f", {word} {day.day} {day:%b}" for word, day in words if day)


def _sums(found: dict[str, Any]) -> dict[str, str]:
    """Write what it is made up of; what is not known is not nothing."""
    return {
        name.removesuffix("_minor"): "?"
        if found[name] is None
        else written.money(found[name], found["currency"])
        for name in SUMS
    }


def _line(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "when": found["at"][:10],
        "kind": found["kind"],
        "order": found["order"] or "",
        "name": found["note"] or found["id"],
        **{
            name: written.money(found[f"{name}_minor"], found["currency"])
            for name in ("amount", "fee", "net")
        },
    }


@desk.get("/reports/tax")
def report_tax() -> Response:
    """Show the tax in the sales of a quarter, or of a year."""
    said, span, error = asked_span()
    with the_shop().reading() as session:
        rows = tax_report.by_country(session, span)
    totals = tax_report.totals(rows)
    return page(
        "admin/report_tax.html",
        422 if error else 200,
        tabs=tabs("tax"),
        error=error,
        said=said,
        quarters=quarters(),
        papers_url=url_for("desk.report_invoices", **said_span(said, span)),
        test=span.test,
        tables=words.quarters(rows, totals),
        unconfirmed=sum(row["unconfirmed"] for row in rows),
        csv_url=url_for("desk.report_tax_csv", **said_span(said, span)),
    )


@desk.get("/reports/tax.csv")
def report_tax_csv() -> Response:
    """Give the tax for a spreadsheet. Raises BadInputError."""
    said, span = sure_span()
    with the_shop().reading() as session:
        rows = tax_report.by_country(session, span)
    return as_csv(reporting.tax_sheet(rows), f"tax-{said.lower()}")


def asked_span() -> tuple[str, Span, str]:
    """Read the quarter or year of the address, and what is wrong with it.

    Gives it as it is said, from when to when, and a sentence; this quarter if none is
    said, or none that is one.
    """
    said, error = request.args.get("period", "").strip().upper(), ""
    try:
        span = reporting.read_quarter(said) if said else None
    except BadInputError as problem:
        span, error = None, f"{problem.message} {problem.hint}"
    if span is None:
        said = quarters()[0]
        span = reporting.read_quarter(said)
    test = request.args.get("test") == "1" or takes_tests_alone(the_shop())
    return said, Span(span.since, span.until, test), error


def sure_span() -> tuple[str, Span]:
    """Give the same for a file, which cannot say what is wrong. Raises BadInputError."""
    said, span, error = asked_span()
    if error:
        raise BadInputError(error)
    return said, span


def said_span(said: str, span: Span) -> dict[str, Any]:
    """Give what `asked_span` read, as an address has it."""
    return {"period": said} | ({"test": "1"} if span.test else {})


def quarters() -> list[str]:
    """Name this quarter and the seven before it."""
    today = the_shop().now().date()
    number = today.year * 4 + (today.month - 1) // 3
    return [f"{each // 4}-Q{each % 4 + 1}" for each in range(number, number - 8, -1)]
