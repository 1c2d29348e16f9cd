"""Nobody who is not signed in gets through any door of the desk, whatever the verb.

The list of doors is the application's own, so a new page is in it by itself.
"""

from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from handsel.shop import Shop
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.stories.desks import Seller, hire

WORDS = {"int": "1", "string": "none", "path": "none"}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def seller(shop: Shop) -> Seller:
    """Ada, signed in."""
    return hire(shop)


def rules(visitor: Visitor) -> list[Rule]:
    """Every rule of the desk itself; its door is for strangers."""
    found = visitor.app.url_map.iter_rules()
    return [rule for rule in found if rule.endpoint.startswith(("desk.", "uploads."))]


def address(rule: Rule) -> str:
    """Fill a rule in with something that is not there."""
    values = {
        name: WORDS.get(type(rule._converters[name]).__name__[:3].lower(), "1")
        for name in rule.arguments
    }
    _, path = rule.build(values) or ("", "")
    assert path.startswith("/admin"), rule
    return path


def tried(visitor: Visitor) -> Iterator[tuple[str, str, TestResponse]]:
    """Try every door with every verb it knows."""
    for rule in rules(visitor):
        for verb in sorted(set(VERBS) & set(rule.methods or ())):
            answer = visitor._ask(verb, address(rule))
            yield verb, rule.rule, answer


def test_there_are_doors_to_try(seller: Seller) -> None:
    assert len(rules(seller)) > 10
    assert all("<path" not in rule.rule for rule in rules(seller))


def test_a_stranger_is_sent_to_sign_in_and_nothing_is_done(shop: Shop) -> None:
    for verb, rule, answer in tried(Visitor(shop)):
        # Programs that send files are told so; a browser is led to the door.
        led = verb in ("GET", "HEAD") and rule != "/admin/uploads/<number>"
        # Without the word of the browser a form is refused whoever sends it.
        assert answer.status_code in ((303,) if led else (401, 403)), (verb, rule)
        if led:
            assert answer.headers["Location"].startswith("/admin/sign-in?"), rule
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_session_that_is_over_or_invented_opens_nothing(
    seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=31)
    for verb, rule, answer in tried(seller):
        assert answer.status_code in (303, 401, 403), (verb, rule)
    for word in ("", "x", "a" * 43, "\udcff", "'; DROP TABLE staff_sessions; --"):
        seller.client.set_cookie(
            "handsel_staff", word.encode("utf-8", "replace").decode()
        )
        assert seller.get("/admin/").status_code == 303


def test_no_form_passes_without_the_word_of_this_browser(seller: Seller) -> None:
    for verb, rule, answer in tried(seller):
        if verb not in ("GET", "HEAD"):
            assert answer.status_code == 403, (verb, rule)


def test_a_buyers_cookies_open_no_desk(shop: Shop) -> None:
    buyer = Visitor(shop)
    buyer.get("/find")
    buyer.client.set_cookie("handsel_visitor", "a" * 22)
    assert buyer.get("/admin/").status_code == 303


def test_a_page_that_is_not_there_says_so_and_wrong_verbs_are_named(
    seller: Seller,
) -> None:
    assert seller.get("/admin/nothing-here").status_code == 404
    wrong = seller.post("/admin/audit", {"form_token": seller.form_word()})
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("audit?subject=%00", 200),
        ("coupons?batch=%00", 200),
        ("orders?q=%00&product=%00", 200),
        ("reports/invoices?number=%001", 422),
        ("reports/sales?product=%00", 404),
        ("products/%00", 404),
    ],
)
def test_nul_in_an_address_is_nothing_that_postgresql_cannot_look_for(
    seller: Seller, address: str, status: int
) -> None:
    assert seller.get(f"/admin/{address}").status_code == status


def test_a_form_with_files_from_an_address_with_nul_finds_no_page(
    seller: Seller,
) -> None:
    word = {"form_token": seller.form_word()}
    place = "/admin/uploads/whole?next=/admin/products/%00"
    assert seller.post(place, word).status_code == 404
