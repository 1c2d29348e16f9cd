"""Businesses of other EU countries pay without VAT, once the register knows them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update

from handsel import worker
from handsel.kit.money import Money
from handsel.models import (
    Entitlement,
    Invoice,
    LedgerEntry,
    Order,
    OutboxItem,
    RateCounter,
    VatCheck,
)
from handsel.models.words import TaxClass, TaxTreatment
from handsel.sales import catalogue, checkout
from handsel.sales.asking import Asking
from handsel.sales.catalogue import Changes
from handsel.sales.checkout import Offer
from handsel.shop import Shop
from handsel.web import create_app
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.ground.waiting import wait_until
from tests.providers.fake_vies import FakeVies
from tests.stories.buyers import facts, mails, order, pay, with_settings

AUSTRIAN = "ATU13585627"
GERMAN = "DE136695976"


@pytest.fixture
def vies() -> Iterator[FakeVies]:
    """The register, which knows one company."""
    with FakeVies() as fake:
        fake.companies[AUSTRIAN] = "Ada Bücher GmbH"
        fake.companies[GERMAN] = "The seller"
        yield fake


@pytest.fixture
def union(shop: Shop, vies: FakeVies) -> Shop:
    """A German shop that owes the VAT of its buyers' countries."""
    make.product(shop)
    return with_settings(
        shop,
        "tax",
        mode="eu",
        country="DE",
        number=GERMAN,
        vies_base=vies.base_url,
    )


@pytest.fixture
def buyer(union: Shop) -> Visitor:
    """Somebody who was never at that shop."""
    return Visitor(union, app=create_app(union))


def test_a_business_pays_the_price_without_the_tax(
    union: Shop, vies: FakeVies, buyer: Visitor
) -> None:
    page = buyer.get("/p/book?vat_id=atu+13585627")

    assert "Business ATU13585627: no VAT, you pay €2.50 less." in words(page)
    assert "€12.50" in words(page)
    assert "reverse charge" in words(page)
    opened = pay(buyer, buyer.press_and_follow(page, "/buy/book"))
    assert facts(union)["amount_minor"] == 1250
    paper = words(buyer.get(f"{opened.request.path}/invoice/1"))
    assert "Ada Bücher GmbH" in paper
    assert "VAT number ATU13585627" in paper
    assert "The Book €12.50 Total €12.50" in paper
    assert "Reverse charge" in paper
    assert "Including" not in mails(union)[0].text
    with union.reading() as session:
        found = session.scalars(select(Invoice)).one()
        check = session.scalars(select(VatCheck)).one()
    assert (found.treatment, found.country) == (TaxTreatment.REVERSE_CHARGE, "AT")
    assert (found.tax_minor, found.confirmed) == (0, True)
    assert (check.valid, check.name) == (True, "Ada Bücher GmbH")
    assert check.consultation
    told = facts(union)
    assert told["vat_number"] == AUSTRIAN
    assert told["vat_consultation"] == check.consultation
    assert len(vies.asked) == 1
    assert untrue(union) == {}


def test_the_sum_is_shown_with_coupon_and_tax_apart(
    union: Shop, buyer: Visitor
) -> None:
    with union.transaction() as session:
        changes = Changes(tax_class=TaxClass.EBOOK)
        catalogue.edit(session, "book", changes, union.now())

    page = words(buyer.get(f"/buy/book?vat_id={AUSTRIAN}"))

    # An e-book has 10 % in it in Austria.
    assert "Price €15.00 VAT −€1.36" in page.replace("&minus;", "−")
    assert "Total €13.64" in page
    assert "Pay €13.64" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (GERMAN, "of the seller’s own country"),
        ("ATU13585628", "slip"),
        ("FR40303265045", "does not know FR40303265045"),
        ("GB980780684", "the United Kingdom"),
        ("<script>", "No country of the EU has VAT numbers that begin with SC"),
        ("x" * 2000, "too long"),
    ],
)
def test_who_is_no_such_business_pays_the_price_and_is_told_why(
    union: Shop, buyer: Visitor, typed: str, said: str
) -> None:
    for page in (
        buyer.get("/p/book", query_string={"vat_id": typed}),
        buyer.get("/buy/book", query_string={"vat_id": typed}),
    ):
        text = words(page).replace("&#39;", "’").replace("'", "’")
        assert said in text
        assert "€15.00" in text
        assert '<script>"' not in page.text
        assert page.status_code in (200, 422)


def test_a_register_that_is_away_keeps_nobody_from_buying(
    union: Shop, vies: FakeVies, buyer: Visitor
) -> None:
    vies.say_next({"valid": False, "userError": "MS_UNAVAILABLE"})

    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")

    assert "does not answer at the moment" in words(page)
    opened = pay(buyer, buyer.press_and_follow(page, "/buy/book"))
    assert facts(union)["amount_minor"] == 1500
    assert opened.request.path.startswith("/d/")
    again = buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    assert "no VAT" in words(again)


def test_a_seller_the_register_does_not_know_asks_without_a_name(
    union: Shop, vies: FakeVies, buyer: Visitor
) -> None:
    del vies.companies[GERMAN]

    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")

    assert "no VAT" in words(page)
    with union.reading() as session:
        assert session.scalars(select(VatCheck)).one().consultation == ""


def test_a_yes_holds_for_a_day_and_a_no_for_minutes(
    union: Shop, vies: FakeVies, buyer: Visitor, clock: Clock
) -> None:
    stranger = "FR40303265045"
    buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    buyer.get(f"/p/book?vat_id={stranger}")
    clock.move(minutes=9)
    buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    buyer.get(f"/p/book?vat_id={stranger}")
    assert len(vies.asked) == 2

    clock.move(minutes=2)
    buyer.get(f"/p/book?vat_id={stranger}")
    assert len(vies.asked) == 3
    clock.move(hours=24)
    buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    assert len(vies.asked) == 4


def test_a_number_that_is_void_by_the_time_of_the_press_is_not_believed(
    union: Shop, vies: FakeVies, buyer: Visitor, clock: Clock
) -> None:
    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    vies.companies.clear()
    clock.move(hours=25)

    answer = buyer.press(page, "/buy/book")

    assert answer.status_code == 422
    assert "does not know ATU13585627" in words(answer)
    assert "You were not charged" in words(answer)


def test_where_the_tax_is_not_by_country_nobody_is_asked(
    shop: Shop, visitor: Visitor, vies: FakeVies
) -> None:
    make.product(shop)

    page = visitor.get(f"/p/book?vat_id={AUSTRIAN}")

    assert "VAT number" not in words(page)
    assert "€15.00" in words(page)
    assert vies.asked == []


def test_an_order_that_is_forgotten_is_known_again_as_a_business(
    union: Shop, vies: FakeVies, buyer: Visitor
) -> None:
    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    paid = pay(buyer, buyer.press_and_follow(page, "/buy/book"))
    name = order(union).session_id
    with union.transaction() as session:
        for table in (Invoice, OutboxItem, LedgerEntry, Entitlement, Order, VatCheck):
            session.execute(delete(table))

    union.hear("test", name)

    with union.reading() as session:
        found = session.scalars(select(Invoice)).one()
    assert (found.treatment, found.country) == (TaxTreatment.REVERSE_CHARGE, "AT")
    assert "VAT number ATU13585627" in words(
        buyer.get(f"{paid.request.path}/invoice/{found.id}")
    )


def test_who_names_the_price_keeps_it_whatever_is_cancelled(
    union: Shop, vies: FakeVies
) -> None:
    asking = Asking(Money(500, "EUR"), open_price=True)
    make.product(union, slug="open", name="Open", asking=asking)
    door = Visitor(union, app=create_app(union))
    page = door.get(f"/p/open?vat_id={AUSTRIAN}&amount=12")

    for _ in range(3):
        pressed = door.press(page, "/buy/open", {"other": "12"})
        offer = offer_of(union, pressed.headers["Location"])
        assert offer.price.minor == 1000
        assert offer.wish["amount"] == "12.00"
        page = door.get(checkout.back_path(offer))
    assert "€10.00" in words(page)


def offer_of(shop: Shop, location: str) -> Offer:
    """Give the offer of the payment that somebody was sent to."""
    name = location.rpartition("/")[2].partition("?")[0]
    with shop.reading() as session:
        found = checkout.of_session(session, "test", name)
        assert found, location
        return checkout.offered_before(session, found)


def test_the_number_that_was_looked_up_stays_on_the_invoice(
    union: Shop, buyer: Visitor
) -> None:
    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    opened = pay(buyer, buyer.press_and_follow(page, "/buy/book"))
    link = f"{opened.request.path}/invoice/1"
    shown = buyer.get(link)
    fields = form_of(shown, link).fields
    assert "tax_number" not in fields

    buyer.post(link, fields | {"name": "Mickey", "tax_number": "XX 1"})

    paper = words(buyer.get(link))
    assert "To Mickey Austria VAT number ATU13585627" in paper
    assert "XX 1" not in paper


def test_evidence_that_names_another_country_leaves_a_business_unconfirmed(
    union: Shop,
) -> None:
    behind = with_settings(union, "server", country_header="CF-IPCountry")
    door = Visitor(behind, app=create_app(behind))
    form = form_of(door.get(f"/p/book?vat_id={AUSTRIAN}"), "/buy/book")
    line = {"CF-IPCountry": "DE"}
    pressed = door.post("/buy/book", form.fields, headers=line)
    pay(door, door.get(pressed.headers["Location"]))

    with behind.reading() as session:
        found = session.scalars(select(Invoice)).one()
    assert found.treatment is TaxTreatment.REVERSE_CHARGE
    assert (found.country, found.confirmed) == ("AT", False)
    assert (found.vat_number, found.tax_minor) == (AUSTRIAN, 0)


def test_a_register_that_hangs_keeps_nobody_from_paying(
    union: Shop, vies: FakeVies, buyer: Visitor
) -> None:
    vies.hang()
    numbers = ["FR40303265045", "ATU13585627", "IT00743110157", "LU15027442"]

    with ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(buyer.device().get, f"/p/book?vat_id={n}") for n in numbers
        ]
        wait_until(lambda: len(vies.waiting) == len(numbers))
        fifth = words(buyer.get("/p/book?vat_id=BE0428759497"))
        opened = pay(buyer, buyer.press_and_follow(buyer.get("/p/book"), "/buy/book"))
        vies.let_go()
        pages = [words(each.result()) for each in waiting]

    assert "does not answer at the moment" in fifth
    assert opened.request.path.startswith("/d/")
    assert all("The Book" in page for page in pages)


def test_only_real_questions_count_and_too_many_are_refused_at_the_field(
    union: Shop, vies: FakeVies
) -> None:
    door = Visitor(union, app=create_app(union), address="203.0.113.9")
    for _ in range(15):
        assert "no VAT" in words(door.get(f"/p/book?vat_id={AUSTRIAN}"))
    assert len(vies.asked) == 1
    with union.transaction() as session:
        session.execute(delete(VatCheck))
        session.execute(update(RateCounter).values(hits=10))

    page = door.get(f"/p/book?vat_id={AUSTRIAN}")

    assert page.status_code == 200
    assert "That was too often in a short time." in words(page)
    assert "€15.00" in words(page)
    assert len(vies.asked) == 1


def test_what_was_asked_about_nobody_who_bought_is_forgotten(
    union: Shop, vies: FakeVies, buyer: Visitor, clock: Clock
) -> None:
    vies.companies["LU15027442"] = "Nobody"
    buyer.get("/p/book?vat_id=LU15027442")
    page = buyer.get(f"/p/book?vat_id={AUSTRIAN}")
    pay(buyer, buyer.press_and_follow(page, "/buy/book"))

    clock.move(hours=49)
    worker.turn(union)

    with union.reading() as session:
        assert [each.number for each in session.scalars(select(VatCheck))] == [AUSTRIAN]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("at", ("AT", TaxTreatment.DESTINATION, 2000)),
        ("US", ("US", TaxTreatment.OUTSIDE, 0)),
        ("XX", ("DE", TaxTreatment.DOMESTIC, 1900)),
        ("<b>", ("DE", TaxTreatment.DOMESTIC, 1900)),
    ],
)
def test_the_line_a_buyer_comes_by_says_where_they_are(
    union: Shop, said: str, expected: tuple[str, TaxTreatment, int]
) -> None:
    behind = with_settings(union, "server", country_header="CF-IPCountry")
    door = Visitor(behind, app=create_app(behind))
    form = form_of(door.get("/p/book"), "/buy/book")
    pressed = door.post("/buy/book", form.fields, headers={"CF-IPCountry": said})
    pay(door, door.get(pressed.headers["Location"]))

    with behind.reading() as session:
        found = session.scalars(select(Invoice)).one()
    assert (found.country, found.treatment, found.basis_points) == expected
    assert found.confirmed is False
