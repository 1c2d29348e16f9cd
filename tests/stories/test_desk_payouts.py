"""Payouts at the desk: of the last weeks unless it is asked for more."""

from datetime import date, timedelta
from importlib import import_module

import pytest
from sqlalchemy import text, update

from handsel import worker
from handsel.models import BalanceLine, Payout
from handsel.ops import payouts
from tests import make
from tests.ground.till import Till
from tests.ground.visitor import words
from tests.stories.desks import Seller, hire
from tests.stories.test_payouts import buy, told

PAGE = "/admin/reports/payouts"
STEP = import_module("handsel.migrations.versions.0023_orders_of_balance_lines")


@pytest.fixture(autouse=True)
def _paid_out(till: Till) -> None:
    """An old payout and a new one have reached the bank."""
    make.product(till.shop)
    for days in (35, 6):
        buy(till)
        till.move(days=days)
        worker.turn(till.shop)


@pytest.fixture
def seller(till: Till) -> Seller:
    """Ada at her desk, from now on."""
    return hire(till.shop)


def names(till: Till) -> tuple[str, str]:
    """Give the new payout and the old one."""
    new, old = told(till)["payouts"]
    return new["id"], old["id"]


def shown(seller: Seller, till: Till, asked: str) -> list[str]:
    """Give the payouts on the page that is asked for."""
    page = seller.get(f"{PAGE}{asked}")
    assert page.status_code == 200
    return [name for name in names(till) if name in page.text]


def test_the_last_weeks_are_shown_and_all_of_them_if_it_is_asked_for(
    till: Till, seller: Seller
) -> None:
    new, old = names(till)
    arrived = told(till)["payouts"][1]["arrives_on"]
    after = date.fromisoformat(arrived) + timedelta(days=1)

    assert shown(seller, till, "") == [new]
    assert shown(seller, till, "?currency=EUR") == [new]
    assert shown(seller, till, "?since=") == [new, old]
    assert shown(seller, till, f"?since=&until={arrived}") == [old]
    assert shown(seller, till, f"?since=2030-01-01&until={after}") == [new]
    assert shown(seller, till, "?since=&currency=USD") == []
    assert shown(seller, till, "?since=&until=9999-12-31") == [new, old]
    assert "since=" in seller.get(f"{PAGE}/{old}").text


def test_one_that_is_not_there_is_not_found(seller: Seller) -> None:
    assert seller.get(f"{PAGE}/po_nobody").status_code == 404


def test_the_sheet_has_what_the_page_has(till: Till, seller: Seller) -> None:
    new, old = names(till)

    sheet = seller.get(f"{PAGE}.csv?since=").text
    few = seller.get(f"{PAGE}.csv").text

    assert new in sheet
    assert old in sheet
    assert new in few
    assert old not in few


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=soon", "Write a day"),
        ("since=&until=2026-02-30", "Write a day"),
        ("since=&currency=XXQ", "three letters"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(
    seller: Seller, asked: str, said: str
) -> None:
    page = seller.get(f"{PAGE}?{asked}")
    sheet = seller.get(f"{PAGE}.csv?{asked}")

    assert page.status_code == sheet.status_code == 422
    assert said in words(page)
    assert said in words(sheet)


def test_a_wrong_last_day_leaves_the_first_as_it_was(
    till: Till, seller: Seller
) -> None:
    page = seller.get(f"{PAGE}?since=2026-01-01&until=soon&currency=eur")

    assert 'name="since" type="date" value="2026-01-01"' in page.text
    assert 'maxlength="3" autocomplete="off" value="EUR"' in page.text
    assert all(name in page.text for name in names(till))


def test_a_part_of_a_month_is_called_that(till: Till) -> None:
    buy(till)
    till.move(hours=2)
    worker.turn(till.shop)
    today, seller = till.shop.now().date(), hire(till.shop)

    whole = words(seller.get(f"{PAGE}?since={today.replace(day=1)}"))
    part = words(seller.get(f"{PAGE}?since={today}&until={today}"))

    assert f"{today:%Y-%m} Stripe" in whole
    assert (
        f"{today:%Y-%m}, from {today.day} {today:%b}, to {today.day} {today:%b}" in part
    )


def test_one_that_does_not_add_up_is_found_from_the_first_page_however_old(
    till: Till,
) -> None:
    _, old = names(till)
    with till.shop.transaction() as session:
        wrong = update(Payout).where(Payout.object_id == old)
        session.execute(wrong.values(amount_minor=1))
    till.move(hours=25)
    worker.turn(till.shop)

    seller = hire(till.shop)
    home = seller.get("/admin/")

    assert "Payouts are not what they are made up of" in words(home)
    link = f'href="{PAGE}?since="'
    assert link in home.text
    assert "does not add up" in words(seller.get(f"{PAGE}?since="))


def test_what_was_read_before_orders_stood_beside_it_is_the_same(
    till: Till,
) -> None:
    """A shop whose lines have no order yet, until it is upgraded."""
    before = told(till)
    with till.shop.transaction() as session:
        session.execute(update(BalanceLine).values(order_id=None))

    assert told(till) == before
    with till.shop.transaction() as session:
        session.execute(text(STEP.KNOWN))
    with till.shop.reading() as session:
        lines = session.query(BalanceLine).all()
    assert {line.order_id for line in lines if line.kind == "sale"} == {1, 2}
    assert told(till) == before


def test_reading_them_again_finds_their_orders(till: Till) -> None:
    before = told(till)
    with till.shop.transaction() as session:
        session.execute(update(BalanceLine).values(order_id=None))

    payouts.read(till.shop, since=till.shop.now().replace(year=2026, month=1))
    with till.shop.reading() as session:
        lines = session.query(BalanceLine).all()
    assert {line.order_id for line in lines if line.kind == "sale"} == {1, 2}
    assert told(till)["payouts"] == before["payouts"]
