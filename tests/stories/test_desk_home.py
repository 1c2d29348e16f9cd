"""The first page of the desk, the reports, and the list of first steps."""

import csv
import io
import re

import pytest

from handsel import worker
from handsel.kit.money import Money
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import words
from tests.ops import keeping
from tests.stories.buyers import DISPUTED, buy
from tests.stories.desks import Seller
from tests.stories.giving_back import give_back
from tests.stories.visiting import PHONE, Reader, seen, settle

REPORTS = ("sales", "funnel", "sources", "payouts", "tax")


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def visited(shop: Shop, clock: Clock) -> Shop:
    """A shop that sold on two days, in two currencies, from a newsletter and a phone."""
    make.product(shop, name="The <Book> & more")
    make.product(shop, slug="maps", name="خرائط", price=Money(900, "USD"))
    reader = Reader(shop)
    clock.move(days=-1)
    buy(Reader(shop, address="198.51.100.1", of=reader))
    seen(reader)
    clock.move(days=1)
    buy(Reader(shop, address="198.51.100.2", agent=PHONE, of=reader), "maps")
    reader.get("/p/book?utm_source=newsletter")
    buy(reader)
    seen(reader)
    give_back(shop, "5")
    seen(reader)
    reader.close()
    return shop


def test_an_empty_shop_says_what_is_to_be_done_before_it_sells(
    shop: Shop, seller: Seller
) -> None:
    page = seller.get("/admin/")

    assert page.status_code == 200
    said = words(page)
    assert "Before you sell" in said
    assert "Put a product on sale" in said
    assert "Nobody has looked at a page in this time." in said
    assert "Test purchases" in said
    assert "nan" not in said.lower()


def test_what_is_done_is_ticked_off_by_itself(shop: Shop, seller: Seller) -> None:
    def left() -> int:
        items = re.findall(r"<li( class=\"done\")?>", seller.get("/admin/").text)
        return sum(not done for done in items)

    before = left()
    make.product(shop)
    keeping.buy(shop)

    assert left() == before - 2  # a product, and a purchase


@on_sqlite
def test_the_list_can_be_put_away_for_good(shop: Shop, seller: Seller) -> None:
    answer = seller.do(seller.get("/admin/"), "/first-steps/hide")

    assert "The list is gone." in words(answer)
    assert "Before you sell" not in words(seller.get("/admin/"))
    assert "Put away the list of first steps" in words(seller.get("/admin/audit"))


def test_the_home_page_shows_figures_beside_those_before(
    visited: Shop, seller: Seller
) -> None:
    today = words(seller.get("/admin/?period=today"))
    week = words(seller.get("/admin/?period=7d"))

    assert "Revenue €15.00" in today
    assert "was €15.00" in today
    assert "After refunds €10.00" in today
    assert "Orders 2 1 in EUR" in today
    assert "Revenue €30.00" in week
    assert "newsletter" in today
    assert "The &lt;Book&gt; &amp; more" in today


def test_currencies_are_chosen_by_a_link(visited: Shop, seller: Seller) -> None:
    page = seller.get("/admin/?period=today")
    assert 'href="/admin/?period=today&amp;currency=USD"' in page.text

    dollars = words(seller.get("/admin/?period=today&currency=usd"))
    assert "Revenue $9.00" in dollars
    assert "€" not in dollars.partition("Revenue")[2].partition("From page")[0]
    assert seller.get("/admin/?currency=XXQ").status_code == 200
    assert seller.get("/admin/?currency=%00%ff").status_code == 200


PERIODS = {
    "period=12m": 200,
    "period=all": 200,
    "period=2020": 200,
    "period=2030": 200,
    "from=2026-11-23&to=2026-11-01": 200,
    "from=2026-11-01": 200,
    "period=yesteryear": 422,
    "from=1.11.2026&to=2026-11-23": 422,
    "period=0001-01-01..9999-12-31": 200,
}


@on_sqlite
@pytest.mark.parametrize("path", ["", *(f"reports/{name}" for name in REPORTS[:3])])
def test_any_period_is_shown_or_refused_in_a_sentence(
    visited: Shop, seller: Seller, path: str
) -> None:
    for asked, status in PERIODS.items():
        page = seller.get(f"/admin/{path}?{asked}")
        assert page.status_code == status, asked
        assert ("is no period" in words(page)) == (status == 422)
        assert "style=" not in page.text
        assert "<script" not in page.text


def test_every_report_has_its_page_and_its_spreadsheet(
    visited: Shop, seller: Seller
) -> None:
    for name in REPORTS:
        assert seller.get(f"/admin/reports/{name}").status_code == 200
        sheet = seller.get(f"/admin/reports/{name}.csv")
        assert sheet.mimetype == "text/csv"
        assert sheet.headers["Content-Disposition"].startswith("attachment")
        assert len(next(csv.reader(io.StringIO(sheet.text)))) >= 5
    assert seller.get("/admin/reports").headers["Location"] == "/admin/reports/sales"


def test_reports_tell_apart_what_is_asked(visited: Shop, seller: Seller) -> None:
    for name in ("sales", "funnel", "sources"):
        for by in ("day", "product", "source", "country", "device"):
            asked = f"/admin/reports/{name}?period=7d&by={by}&product=book"
            page = seller.get(asked)
            assert page.status_code == 200
            assert f'<option value="{by}" selected>' in page.text
            assert f"by={by}" in page.text  # the address of the spreadsheet
            assert "maps" not in page.text.partition("<tbody>")[2]


@on_sqlite
def test_a_product_that_is_none_is_not_found(visited: Shop, seller: Seller) -> None:
    assert seller.get("/admin/reports/sales?product=never").status_code == 404


@on_sqlite
def test_tax_of_a_quarter_and_what_is_none(visited: Shop, seller: Seller) -> None:
    assert "2026-Q4 in EUR" in words(seller.get("/admin/reports/tax"))
    assert "no invoices of that time" in words(
        seller.get("/admin/reports/tax?period=2020")
    )
    wrong = seller.get("/admin/reports/tax?period=soon")
    assert wrong.status_code == 422
    assert "Write a quarter" in words(wrong)


@on_sqlite
@pytest.mark.parametrize("name", ["sales", "funnel", "sources", "tax", "invoices"])
def test_a_file_of_a_time_that_is_none_says_so_instead(
    seller: Seller, name: str
) -> None:
    assert seller.get(f"/admin/reports/{name}.csv?period=2026-q4").status_code == 200

    answer = seller.get(f"/admin/reports/{name}.csv?period=soon")

    assert answer.status_code == 422
    assert "Write" in words(answer)


@on_sqlite
def test_what_wants_to_be_looked_at_stands_on_top(shop: Shop, seller: Seller) -> None:
    make.product(shop)
    visitor = Reader(shop)
    buy(visitor, number=DISPUTED)
    visitor.close()
    settle(shop)

    said = words(seller.get("/admin/"))

    assert "1 payment is disputed" in said
    assert said.index("disputed") < said.index("Revenue")


@on_sqlite
def test_the_page_waits_for_nobody_else(shop: Shop, seller: Seller) -> None:
    """What is looked up in the net is what the worker found."""
    (shop.home / "templates" / "product.html").write_text("{% if")
    assert "product.html" not in words(seller.get("/admin/"))
    worker.turn(shop)
    assert "product.html" in words(seller.get("/admin/"))
