"""The books at the desk: proved, and compared with what the providers know."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from handsel.kit.errors import ConflictError
from handsel.models import AuditEntry
from handsel.ops.desk import books
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, untrue
from tests.ground.visitor import words
from tests.ground.waiting import wait_until
from tests.providers.fake_stripe import FakeStripe
from tests.stories.desks import Seller, hire
from tests.stories.running import cut_off, that_runs

BOOKS = "/admin/books"


def proved(shop: Shop, seller: Seller, files: str = "") -> str:
    """Press the button of the proof; give the page when it is over."""
    begun = seller.do(seller.get(BOOKS), "/books/prove", {"files": files})
    assert "The books are being proved" in words(begun)
    wait_until(lambda: not books.proof(shop).run.running)
    return words(seller.get(BOOKS))


def asked(shop: Shop, seller: Seller, **fields: str) -> TestResponse:
    """Press the button that asks the providers; give the page when it is over."""
    begun = seller.do(seller.get(BOOKS), "/books/ask", fields)
    assert "The providers are being asked" in words(begun)
    wait_until(lambda: not books.answers(shop).run.running, seconds=30)
    return seller.get(BOOKS)


def noted(shop: Shop) -> list[tuple[str, object]]:
    """Give what the log has about the books."""
    with shop.reading() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [
            (each.action, dict(each.detail))
            for each in found
            if each.subject == "books"
        ]


def test_the_books_are_proved_beside_the_pages_and_what_is_wrong_is_said(
    shop: Shop, seller: Seller
) -> None:
    make.product(shop)
    assert "not proved here yet" in words(seller.get(BOOKS))

    well = proved(shop, seller)
    assert "The books are right" in well
    assert "were not read" in well
    assert "ok I11" in well
    assert "NOT SO" not in well

    (name,) = shop.storage.names()
    file = shop.storage.path(name)
    file.write_bytes(bytes(file.stat().st_size))
    assert "The books are right" in proved(shop, seller)  # as long as it should be
    bad = proved(shop, seller, files="yes")

    assert "Something is not so. Keep a copy of everything" in bad
    assert "NOT SO I11" in bad
    assert "were read whole" in bad
    assert [detail for _, detail in noted(shop)] == [
        *({"files": "no"}, {"files": "no"}, {"files": "yes"})
    ]
    assert "Began to prove the books" in words(seller.get("/admin/audit"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_of_many_presses_at_once_one_proves_the_books(shop: Shop) -> None:
    def press(_: int) -> bool:
        try:
            books.prove(shop, files=False)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(8))) == 1
    wait_until(lambda: not books.proof(shop).run.running)
    assert books.proof(shop).is_right


def test_what_runs_is_not_begun_twice_and_its_part_of_the_page_comes_anew(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    with that_runs(shop.home / "desk" / "proof.run"):
        page = seller.get(BOOKS)
        assert "being proved, since 2026-11-23 11:59 UTC" in words(page)
        again = seller.do(page, "/books/prove")
        assert again.status_code == 409
        assert "being proved already" in words(again)
        assert f'id="proof" hx-get="{BOOKS}" hx-trigger="every 3s"' in page.text
        for _ in range(8):
            clock.move(minutes=5)
            seen = seller.get(BOOKS, headers={"HX-Request": "true"})
        assert seen.status_code == 401  # signed out, as nobody was there
    assert [action for action, _ in noted(shop)] == [
        *("books.proving", "books.proving_failed")
    ]
    assert "hx-get" not in hire(shop, "bob@example.com").get(BOOKS).text


def test_what_is_typed_while_something_runs_stays_without_scripts(till: Till) -> None:
    seller = hire(till.shop)
    with that_runs(till.shop.home / "desk" / "proof.run"):
        page = seller.get(BOOKS)
        wrong = seller.do(page, "/books/ask", {"since": "date", "date": "2026-13-01"})

    assert wrong.status_code == 422
    for each in (page, wrong):
        assert "refresh" not in each.text
        assert f'<noscript><p><a class="target" href="{BOOKS}">Look again' in each.text


def test_a_proof_that_was_cut_off_says_so_and_another_can_be_made(
    shop: Shop, seller: Seller
) -> None:
    cut_off(shop.home / "desk" / "proof.run", '{"ok": tr')
    cut_off(shop.home / "desk" / "providers.run")
    assert words(seller.get(BOOKS)).count("It was cut off before it was done") == 2
    assert "The books are right" in proved(shop, seller)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_desk_that_dies_at_the_beginning_leaves_what_runs_where_it_is_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiesError(Exception):
        pass

    begin = subprocess.Popen
    begun: list[subprocess.Popen[bytes]] = []

    def and_die(_command: object, **how: Any) -> None:
        begun.append(begin(["sleep", "60"], **how))
        raise DiesError

    with monkeypatch.context() as dying:
        dying.setattr(subprocess, "Popen", and_die)
        with pytest.raises(DiesError):
            books.prove(shop, files=False)
    with pytest.raises(ConflictError):
        books.prove(shop, files=False)
    begun[0].kill()
    begun[0].wait()
    assert books.proof(shop).run.cut_off

    books.prove(shop, files=False)
    wait_until(lambda: not books.proof(shop).run.running)
    assert books.proof(shop).is_right


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_service_that_steps_back_further_than_its_proofs_proves_the_books(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError("Only root may come forward.")

    monkeypatch.setattr(os, "setpriority", refuse)

    books.prove(shop, files=False)

    wait_until(lambda: not books.proof(shop).run.running)
    assert books.proof(shop).is_right


def test_a_payment_that_nobody_told_of_is_found_and_delivered(till: Till) -> None:
    shop = till.shop
    make.product(shop)
    seller = hire(shop)
    till.stripe.hooks.url = None
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name)
    assert "ask the providers" in words(seller.get("/admin/hooks"))

    page = asked(shop, seller, since="date", date="2026-11-20")

    assert "for the time since 2026-11-20" in words(page)
    assert "Paid, and nobody had told us: H-1001." in words(page)
    assert 'href="/admin/orders/H-1001"' in page.text
    assert untrue(shop) == {}
    again = asked(shop, seller, since="date", date="2026-11-20")
    assert "Nothing was missed." in words(again)
    assert noted(shop) == [("books.asked", {"since": "2026-11-20"})] * 2


def test_what_could_not_be_asked_is_said_in_words(till: Till) -> None:
    seller = hire(till.shop)
    till.stripe.faults.fail_next(9, 401)
    page = words(asked(till.shop, seller, since="7d"))
    assert "for the last 7 days" in page
    assert "Could not be asked: stripe: " in page
    assert "stripe.secret_key" in page
    assert "Nothing was missed, as far as could be asked." in page
    assert "Try again in a few minutes" in page


@pytest.mark.parametrize(
    ("date", "said"),
    [
        *(("", "That is no date"), ("tomorrow", "no date"), ("2026-02-30", "no date")),
        *(("2026-11-24", "still to come"), ("0001-01-01", "more than ten years")),
    ],
)
def test_a_day_that_cannot_be_asked_for_is_said_at_its_field(
    stripe_home: tuple[object, FakeStripe], shop: Shop, seller: Seller, date: str,
    said: str,
) -> None:  # fmt: skip
    fields = {"since": "date", "date": date}
    answer = seller.press(seller.get(BOOKS), "/books/ask", fields)
    assert answer.status_code == 422
    assert said in words(answer)
    assert f'value="{date}"' in answer.text
    assert noted(shop) == []


def test_without_a_provider_there_is_nobody_to_ask(seller: Seller) -> None:
    page = seller.get(BOOKS)
    assert "no payment provider is set up" in words(page)
    assert 'href="/admin/settings/payments"' in page.text
    fields = {"since": "7d", "form_token": seller.form_word()}
    assert seller.post("/admin/books/ask", fields).status_code == 409
    assert "/admin/books" in seller.get("/admin/settings/doctor").text
