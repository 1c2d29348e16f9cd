"""A word that lowers a price: in a link, typed, used up, and given back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from handsel import worker
from handsel.kit.money import Money
from handsel.models import Coupon, CouponUse
from handsel.ops import beginning, couponing
from handsel.sales import checkout, coupons, placing, reservations
from handsel.sales.checkout import Buyer, Wish
from handsel.sales.coupons import CouponError
from handsel.shop import Shop
from tests import make
from tests.ground.till import Till, rows, untrue
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.buyers import download, facts, mails

ADA, BO = "ada@example.com", "bo@example.com"


def coupon(shop: Shop, code: str = "SPRING", **said: Any) -> None:
    """Make a coupon as `handsel coupon create` does; a fifth off, if nothing is said."""
    none: dict[str, Any] = dict.fromkeys(
        ("percent", "amount", "least", "starts_at", "ends_at", "most_uses", "most_each")
    )
    if "amount" not in said:
        said.setdefault("percent", "20")
    couponing.make(shop, code, **{**none, "products": (), **said})


def uses(shop: Shop, code: str = "SPRING") -> int:
    """Say how often a coupon is used, by its count and by who holds it."""
    with shop.reading() as session:
        found = coupons.get(session, code)
        held = select(CouponUse).where(CouponUse.coupon_id == found.id)
        assert len(session.scalars(held).all()) == found.uses
        return found.uses


@pytest.fixture
def book(till: Till) -> Till:
    """A shop with a book for 15 euros."""
    make.product(till.shop)
    return till


def press(till: Till, visitor: Visitor, code: str, **typed: str) -> Any:
    """Follow a link with a coupon, and press Buy."""
    page = visitor.get(f"/p/book?coupon={code}")
    return visitor.press(page, "/buy/book", typed or None)


def session_of(answer: Any) -> str:
    """Give the name of the payment session a buyer was sent to."""
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["Location"]).rpartition("/")[2].partition("?")[0]


def test_a_link_with_a_coupon_shows_the_lower_price_and_it_is_paid(book: Till) -> None:
    coupon(book.shop)
    visitor = book.visitor()

    page = visitor.get("/p/book?coupon=spring")
    summary = visitor.get("/buy/book?coupon=spring")
    name = session_of(visitor.press(page, "/buy/book"))
    asked = book.stripe.bank.get("session", name)
    book.stripe.bank.pay(name, email=ADA)
    opened = visitor.go_on(book.come_back(visitor, name))

    assert "€15.00" in words(page)
    assert "€12.00" in words(page)
    assert "you save €3.00" in words(page)
    assert "&minus;€3.00" in words(summary)
    assert asked["amount_total"] == 1200
    assert download(visitor, opened).data == make.BOOK
    order = facts(book.shop)
    assert (order["amount_minor"], order["discount_minor"]) == (1200, 300)
    assert (order["coupon"], order["status"]) == ("SPRING", "paid")
    [mail] = mails(book.shop)
    assert "Discount €3.00" in words_of(mail.text)
    assert "Total €12.00" in words_of(mail.text)
    assert uses(book.shop) == 1
    assert untrue(book.shop) == {}


def words_of(text: str) -> str:
    """Give a mail's words with single spaces."""
    return " ".join(text.split())


def test_a_code_can_be_typed_where_there_are_any(book: Till) -> None:
    visitor = book.visitor()
    assert "Discount code" not in words(visitor.get("/p/book"))
    coupon(book.shop)

    page = visitor.get("/p/book")
    form = form_of(page, "/p/book")
    lowered = visitor.press(page, "/p/book", {"coupon": " Spr ing "})

    assert (form.method, form.typed) == ("get", ["coupon"])
    assert "€12.00" in words(lowered)


@pytest.mark.parametrize(
    ("said", "slug", "sentence"),
    [
        (None, "book", "There is no coupon “SPRING” here."),
        ({"products": ("other",)}, "book", "is for something else in this shop"),
        ({"starts": 1}, "book", "does not count yet"),
        ({"ends": 1, "wait": 2}, "book", "has ended"),
        ({"least": "20"}, "book", "is for purchases of €20.00 or more"),
        ({"amount": "5 USD"}, "book", "is for prices in USD"),
        ({"end": True}, "book", "There is no coupon “SPRING” here."),
        ({}, "free", "This is free already."),
    ],
)
def test_a_coupon_that_does_not_count_is_said_and_the_full_price_shown(
    book: Till, said: dict[str, Any] | None, slug: str, sentence: str
) -> None:
    shop, now = book.shop, book.shop.now()
    make.product(shop, slug="other", name="Another")
    make.product(shop, slug="free", name="Free", price=Money(0, "EUR"))
    said = said if said is None else dict(said)
    if said is not None:
        days = {"starts": "starts_at", "ends": "ends_at"}
        for key, name in days.items():
            if key in said:
                said[name] = now + timedelta(days=said.pop(key))
        wait, end = said.pop("wait", 0), said.pop("end", False)
        coupon(shop, **said)
        book.move(days=wait)
        if end:
            with shop.transaction() as session:
                coupons.switch(session, "spring", active=False)
    visitor = book.visitor()

    page = visitor.get(f"/p/{slug}?coupon=SPRING")
    summary = visitor.get(f"/buy/{slug}?coupon=SPRING")

    for each in (page, summary):
        assert each.status_code == 200
        assert sentence in words(each)
        assert 'value="SPRING"' in each.get_data(as_text=True)
        assert ("€15.00" in words(each)) is (slug == "book")
    if slug == "book":
        name = session_of(visitor.press(page, "/buy/book"))
        assert book.stripe.bank.get("session", name)["amount_total"] == 1500


def test_a_coupon_for_one_product_is_not_carried_to_another(book: Till) -> None:
    make.product(book.shop, slug="other", name="Another")
    coupon(book.shop, products=("other",))
    visitor = book.visitor()
    page = visitor.get("/p/book")

    forged = visitor.press(page, "/buy/book", {"coupon": "SPRING"})

    assert forged.status_code == 422
    assert "is for something else" in words(forged)
    assert rows(book.shop)["orders"] == 0


def test_what_a_coupon_makes_free_asks_for_an_address_alone(book: Till) -> None:
    coupon(book.shop, percent="100")
    visitor = book.visitor()

    page = visitor.get("/p/book?coupon=SPRING")
    form = visitor.press(page, "/buy/book")
    given = visitor.press_and_follow(form, "/buy/book", {"email": ADA})

    assert "Free" in words(page)
    assert form_of(form, "/buy/book").typed == ["email"]
    assert download(visitor, given).data == make.BOOK
    order = facts(book.shop)
    assert (order["amount_minor"], order["discount_minor"]) == (0, 1500)
    assert uses(book.shop) == 1
    assert untrue(book.shop) == {}


def test_a_coupon_is_used_as_often_as_it_may_and_an_abandoned_one_comes_back(
    book: Till,
) -> None:
    coupon(book.shop, most_uses=1)
    first = session_of(press(book, book.visitor(), "SPRING"))

    other = book.visitor()
    page = other.get("/p/book")
    refused = other.press(page, "/buy/book", {"coupon": "SPRING"})
    book.stripe.bank.expire(first)
    book.reconcile()
    second = session_of(press(book, book.visitor(), "SPRING"))
    book.stripe.bank.pay(second, email=BO)
    book.reconcile()

    assert refused.status_code == 422
    assert "used as often as it can be" in words(refused)
    assert "€15.00" in words(refused)
    assert uses(book.shop) == 1
    assert facts(book.shop, "H-1002")["status"] == "paid"
    assert untrue(book.shop) == {}


def test_who_holds_a_scarce_coupon_has_an_hour_or_two(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    coupon(book.shop, "PLENTY")
    now = book.shop.now()

    scarce = session_of(press(book, book.visitor(), "SPRING"))
    plenty = session_of(press(book, book.visitor(), "PLENTY"))

    held = book.order(scarce)
    free = book.order(plenty)
    assert held
    assert free
    assert timedelta(minutes=30) < held.expires_at - now <= timedelta(hours=2)
    assert free.expires_at - now > timedelta(hours=20)


def test_a_buyer_who_comes_back_goes_on_with_the_same_payment(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    visitor = book.visitor()
    first = session_of(press(book, visitor, "SPRING"))

    cancelled = visitor.get(book.stripe.bank.get("session", first)["cancel_url"])
    again = session_of(visitor.press(cancelled, "/buy/book"))

    assert "you save €3.00" in words(cancelled)
    assert again == first
    assert uses(book.shop) == 1


def test_a_buyer_who_changes_their_mind_takes_the_coupon_along(book: Till) -> None:
    make.product(book.shop, slug="other", name="Another", price=Money(2000, "EUR"))
    coupon(book.shop, most_uses=1)
    visitor = book.visitor()
    first = session_of(press(book, visitor, "SPRING"))

    page = visitor.get("/p/other?coupon=SPRING")
    second = session_of(visitor.press(page, "/buy/other"))

    assert book.stripe.bank.get("session", first)["status"] == "expired"
    assert book.stripe.bank.get("session", second)["amount_total"] == 1600
    assert uses(book.shop) == 1
    assert untrue(book.shop) == {}


def test_a_coupon_for_each_buyer_asks_who_they_are(book: Till) -> None:
    coupon(book.shop, most_each=1)
    visitor, other = book.visitor(), book.visitor()

    form = press(book, visitor, "SPRING")
    name = session_of(visitor.press(form, "/buy/book", {"email": ADA}))
    book.stripe.bank.pay(name, email=ADA)
    book.reconcile()
    again = press(book, other, "SPRING")
    refused = other.press(again, "/buy/book", {"email": "ADA@Example.com"})
    friend = session_of(other.press(again, "/buy/book", {"email": BO}))

    assert form_of(form, "/buy/book").typed == ["email"]
    assert book.stripe.bank.get("session", name)["customer_email"] == ADA
    assert refused.status_code == 422
    assert "as often as one buyer can" in words(refused)
    assert book.stripe.bank.get("session", friend)["amount_total"] == 1200
    assert uses(book.shop) == 2


def test_a_payment_that_could_not_begin_gives_the_coupon_back(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    book.stripe.faults.fail_next(9)

    away = press(book, book.visitor(), "SPRING")
    book.stripe.faults.fail_next(0)

    assert away.status_code == 503
    assert uses(book.shop) == 0
    assert session_of(press(book, book.visitor(), "SPRING"))


def test_a_double_press_holds_a_coupon_once(book: Till) -> None:
    coupon(book.shop, most_uses=2)
    visitor = book.visitor()
    page = visitor.get("/p/book?coupon=SPRING")

    names = {session_of(visitor.press(page, "/buy/book")) for _ in range(3)}

    assert len(names) == 1
    assert uses(book.shop) == 1


def lose(book: Till, name: str) -> None:
    """Let the database forget an order and who held its coupon, as an old backup does."""
    with book.shop.transaction() as session:
        session.delete(session.scalars(select(CouponUse)).one())
        order = book.order(name)
        assert order
        session.delete(session.merge(order))
        session.get_one(Coupon, 1).uses = 0


def test_a_paid_order_is_never_refused_for_its_coupon(book: Till) -> None:
    """The database forgot the order, the coupon was used up meanwhile: it is delivered."""
    coupon(book.shop, most_uses=1)
    name = session_of(press(book, book.visitor(), "SPRING"))
    lose(book, name)
    other = session_of(press(book, book.visitor(), "SPRING"))
    book.stripe.bank.pay(name, email=ADA)
    book.stripe.bank.pay(other, email=BO)

    book.reconcile()

    orders = [order for each in (name, other) if (order := book.order(each))]
    assert [order.status for order in orders] == ["paid", "paid"]
    assert [order.discount_minor for order in orders] == [300, 300]
    assert uses(book.shop) == 2
    assert untrue(book.shop) == {}


def test_a_refund_keeps_the_coupon_used(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    name = session_of(press(book, book.visitor(), "SPRING"))
    book.stripe.bank.pay(name, email=ADA)
    book.reconcile()

    book.stripe.bank.refund(name, 1200)
    book.reconcile()

    assert facts(book.shop)["status"] == "refunded"
    assert uses(book.shop) == 1
    assert untrue(book.shop) == {}


def test_strangers_without_a_cookie_do_not_share_a_payment(book: Till) -> None:
    coupon(book.shop, most_uses=2)
    names = [
        session_of(
            book.visitor(f"10.1.2.{end}").post("/buy/book", {"coupon": "SPRING"})
        )
        for end in (3, 77)
    ]
    refused = book.visitor("10.1.2.99").post("/buy/book", {"coupon": "SPRING"})

    assert len(set(names)) == 2
    assert refused.status_code == 422
    states = [book.stripe.bank.get("session", name)["status"] for name in names]
    assert states == ["open", "open"]


def test_a_rebuilt_order_keeps_its_coupon_for_good(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    name = session_of(press(book, book.visitor(), "SPRING"))
    lose(book, name)
    book.stripe.bank.pay(name, email=ADA)
    book.reconcile()

    book.move(hours=30)
    worker.turn(book.shop)

    assert uses(book.shop) == 1
    assert "as often as it can be" in words(book.visitor().get("/p/book?coupon=SPRING"))
    assert untrue(book.shop) == {}


def test_a_payment_that_is_heard_of_before_its_order_is_written_counts_once(
    book: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupon(book.shop, most_uses=1)
    visitor = book.visitor()
    page = visitor.get("/p/book?coupon=SPRING")
    with monkeypatch.context() as patch:  # the process dies after Stripe has answered
        patch.setattr(placing, "place", lambda *_, **__: 1 / 0)
        assert visitor.press(page, "/buy/book").status_code == 500
    book.reconcile()

    again = session_of(visitor.press(page, "/buy/book"))

    assert uses(book.shop) == 1
    order = book.order(again)
    assert order
    assert order.checkout_key
    assert order.payment_url
    assert rows(book.shop)["orders"] == 1
    assert untrue(book.shop) == {}


def test_a_corrected_address_is_the_one_that_is_asked_to_pay(book: Till) -> None:
    coupon(book.shop, most_each=1)
    visitor = book.visitor()
    form = press(book, visitor, "SPRING")
    wrong = session_of(visitor.press(form, "/buy/book", {"email": "ada@exmaple.com"}))

    right = session_of(visitor.press(form, "/buy/book", {"email": ADA}))

    assert book.stripe.bank.get("session", right)["customer_email"] == ADA
    assert book.stripe.bank.get("session", wrong)["status"] == "expired"
    assert uses(book.shop) == 1


@pytest.mark.parametrize(
    "code", ["%00", "A%00B", "%F0%9F%98%80", "a" * 500, "'", "%25"]
)
def test_an_odd_code_is_no_coupon(book: Till, code: str) -> None:
    for page in ("/p/book", "/buy/book"):
        answer = book.visitor().get(f"{page}?coupon={code}")
        assert answer.status_code == 200
        assert "There is no coupon" in words(answer)


def test_what_is_used_up_is_said_before_the_press(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    holder = book.visitor()
    press(book, holder, "SPRING")

    page = book.visitor().get("/p/book?coupon=SPRING")

    assert "used as often as it can be" in words(page)
    assert "€12.00" not in words(page)
    assert "€12.00" in words(holder.get("/p/book?coupon=SPRING"))


def test_a_late_press_does_not_take_what_went_to_somebody_else(book: Till) -> None:
    """Two presses of one form: the first lets go, a stranger comes, the second is late."""
    coupon(book.shop, most_uses=1)
    shop = book.shop
    with shop.reading() as session:
        offer = checkout.prepare(
            session, "book", Wish("SPRING"), units=shop.units, now=shop.now()
        )
    provider = shop.provider("stripe")
    beginning._reserve(shop, offer.coupon, "late", Buyer())  # type: ignore[arg-type]  # there is one
    started = beginning._start(shop, offer, "late", provider, Buyer(), hosted=False)
    with shop.transaction() as session:
        reservations.give_back(session, "late")
    stranger = session_of(press(book, book.visitor(), "SPRING"))

    with pytest.raises(CouponError):
        beginning._place(shop, offer, started, "late", provider, Buyer())

    assert uses(shop) == 1
    assert book.order(stranger)
    assert book.order(started.session_id) is None


def test_a_payment_of_a_provider_that_is_gone_lets_the_coupon_go(book: Till) -> None:
    coupon(book.shop, most_uses=1)
    visitor = book.visitor()
    name = session_of(press(book, visitor, "SPRING"))
    with book.shop.transaction() as session:
        order = book.order(name)
        assert order
        session.merge(order).provider = "gone"

    held = press(book, visitor, "SPRING")
    book.move(hours=27)
    worker.turn(book.shop)

    assert held.status_code == 422
    assert uses(book.shop) == 0
    assert session_of(press(book, visitor, "SPRING"))
