"""Reports: the numbers of `handsel report`, as tables with charts, and as CSV."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.analytics.reports import funnel as funnels
from handsel.analytics.reports import sales as sums
from handsel.analytics.reports.tallies import By, Wanted
from handsel.kit.errors import BadInputError
from handsel.models import Product
from handsel.ops import reporting
from handsel.web.admin import report_words as words
from handsel.web.admin.asking import Days, asked_days
from handsel.web.admin.desk import desk
from handsel.web.pages import page, the_shop

MOST_ROWS = 200
"""What a page shows of a table; the rest is in its CSV."""
TABS = {
    "sales": "Sales",
    "funnel": "Funnel",
    "sources": "Sources",
    "payouts": "Payouts",
    "tax": "Tax",
    "invoices": "Invoices",
}


@dataclass(frozen=True)
class Tab:
    """One of the reports."""

    url: str
    name: str
    here: bool


def tabs(here: str) -> list[Tab]:
    """Link to all reports."""
    return [
        Tab(url_for(f"desk.report_{short}"), name, short == here)
        for short, name in TABS.items()
    ]


def as_csv(sheet: str, name: str) -> Response:
    """Answer with a file for a spreadsheet."""
    response = Response(sheet, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


@dataclass(frozen=True)
class Asked:
    """What a report of visits is asked for, by its address."""

    days: Days
    by: By
    product: str
    test: bool

    @property
    def values(self) -> dict[str, Any]:
        """Give it as the address has it."""
        values = {"period": self.days.said, "by": str(self.by), "product": self.product}
        if self.test:
            values["test"] = "1"
        if self.by is By.NOTHING:
            values.pop("by")
        return {name: value for name, value in values.items() if value}

    def wanted(self, session: Session) -> Wanted:
        """Say what is to be counted. Raises NotFoundError for a product that is none."""
        return reporting.wanted(
            the_shop(),
            session,
            self.days.period,
            by=self.by,
            slug=self.product or None,
            test=self.test,
        )


def _asked(usual: By) -> Asked:
    known = {str(each): each for each in By}
    by = known.get(request.args.get("by", ""), usual)
    product = request.args.get("product", "")
    test = request.args.get("test") == "1"
    kept = {"by": "" if by is usual else str(by), "product": product}
    days = asked_days(**kept, test="1" if test else "")
    return Asked(days, by, product, test)


_TEMPLATES = {
    "sales": "admin/report_sales.html",
    "funnel": "admin/report_funnel.html",
    "sources": "admin/report_sources.html",
}


def _page(
    name: str, asked: Asked, wanted: Wanted, products: Sequence[str], **shown: Any
) -> Response:
    return page(
        _TEMPLATES[name],
        422 if asked.days.error else 200,
        tabs=tabs(name),
        days=asked.days,
        today=the_shop().now().date(),
        by=str(asked.by),
        ways=words.WAYS,
        product=asked.product,
        products=products,
        asked_test=asked.test,
        test=wanted.test,
        csv_url=url_for(f"desk.report_{name}_csv", **asked.values),
        **shown,
    )


def _slugs(session: Session) -> Sequence[str]:
    return session.scalars(select(Product.slug).order_by(Product.slug)).all()


@desk.get("/reports")
def reports() -> AnyResponse:
    """Go to the first of them."""
    return redirect(url_for("desk.report_sales"), 303)


@desk.get("/reports/sales")
def report_sales() -> Response:
    """Show what was sold and what went back."""
    asked = _asked(By.NOTHING)
    with the_shop().reading() as session:
        wanted = asked.wanted(session)
        rows = sums.sales(session, wanted)
        days = (
            rows
            if wanted.by is By.DAY
            else sums.sales(session, replace(wanted, by=By.DAY))
        )
        products = _slugs(session)
    today = the_shop().now().date()
    return _page(
        "sales",
        asked,
        wanted,
        products,
        rows=words.sales(rows[:MOST_ROWS], wanted.by),
        more=max(0, len(rows) - MOST_ROWS),
        charts=words.sales_charts(wanted.period, days, today),
    )


@desk.get("/reports/funnel")
def report_funnel() -> Response:
    """Show how many came how far."""
    asked = _asked(By.NOTHING)
    with the_shop().reading() as session:
        wanted = asked.wanted(session)
        rows = funnels.funnel(session, wanted)
        products = _slugs(session)
    return _page(
        "funnel",
        asked,
        wanted,
        products,
        stages=words.stages(rows[0]["stages"]) if wanted.by is By.NOTHING else [],
        names=words.stage_names(),
        rows=words.funnels(rows[:MOST_ROWS], wanted.by)
        if wanted.by is not By.NOTHING
        else [],
        more=max(0, len(rows) - MOST_ROWS),
    )


@desk.get("/reports/sources")
def report_sources() -> Response:
    """Show where visitors and sales come from."""
    asked = _asked(By.SOURCE)
    with the_shop().reading() as session:
        wanted = asked.wanted(session)
        rows = sums.sources(session, wanted)
        products = _slugs(session)
    return _page(
        "sources",
        asked,
        wanted,
        products,
        rows=words.sources(rows[:MOST_ROWS], wanted.by),
        more=max(0, len(rows) - MOST_ROWS),
    )


@desk.get("/reports/sales.csv")
def report_sales_csv() -> Response:
    """Give sales for a spreadsheet."""
    return _csv("sales", By.NOTHING, sums.sales, reporting.sales_sheet)


@desk.get("/reports/funnel.csv")
def report_funnel_csv() -> Response:
    """Give the funnel for a spreadsheet."""
    return _csv("funnel", By.NOTHING, funnels.funnel, reporting.funnel_sheet)


@desk.get("/reports/sources.csv")
def report_sources_csv() -> Response:
    """Give sources for a spreadsheet."""
    return _csv("sources", By.SOURCE, sums.sources, reporting.sources_sheet)


Rows = list[dict[str, Any]]


def _csv(
    name: str,
    usual: By,
    read: Callable[[Session, Wanted], Rows],
    write: Callable[[Rows], str],
) -> Response:
    asked = _asked(usual)
    if asked.days.error:
        raise BadInputError(asked.days.error)
    with the_shop().reading() as session:
        rows = read(session, asked.wanted(session))
    return as_csv(write(rows), f"{name}-{_file_name(asked.days.period.last)}")


def _file_name(day: date) -> str:
    return day.isoformat()
