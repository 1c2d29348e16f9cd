"""What is told to those who count elsewhere, to the letter; and Google's own rules."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.money import currencies
from handsel.outbound.counters import (
    Answer,
    CannotTellError,
    GoogleAnalytics,
    Hit,
    HitName,
    Matomo,
    Plausible,
    ga4,
    ga4rules,
)
from handsel.outbound.counters.base import read_hit
from tests.providers.fake_ga4 import ID, SECRET, faults

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
SHOP = "https://shop.example.com"
SALE = Hit(
    HitName.PURCHASE,
    NOW - timedelta(minutes=1),
    "book",
    "The Book",
    1500,
    "EUR",
    tax_minor=250,
    discount_minor=300,
    coupon="SPRING",
    transaction="H-1042",
    client="1234567890.1700000000",
    session="1795435200",
    visitor=2**63 - 1,
    source="newsletter",
    medium="email",
    campaign="Spring & more",
    referrer="news.example.org",
)
REFUND = replace(SALE, name=HitName.REFUND, amount_minor=500, whole=False)
GOOGLE = GoogleAnalytics(ID, SECRET)


def test_a_hit_is_read_as_it_was_kept_also_by_another_version() -> None:
    kept = json.loads(json.dumps(SALE.kept()))

    assert read_hit(kept) == SALE
    assert read_hit(kept | {"of a later version": 1}) == SALE
    assert "1500" not in repr(GOOGLE.call(SALE, NOW))


def test_google_is_told_to_the_letter() -> None:
    call = GOOGLE.call(SALE, NOW)

    assert call.url == (
        "https://www.google-analytics.com/mp/collect"
        f"?measurement_id={ID}&api_secret={SECRET}"
    )
    assert json.loads(call.body) == {
        "client_id": "1234567890.1700000000",
        "timestamp_micros": 1795435140123456,
        "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
        "events": [
            {
                "name": "purchase",
                "params": {
                    "engagement_time_msec": 1,
                    "session_id": "1795435200",
                    "transaction_id": "H-1042",
                    "currency": "EUR",
                    "value": 15.0,
                    "tax": 2.5,
                    "coupon": "SPRING",
                    "items": [
                        {
                            "item_id": "book",
                            "item_name": "The Book",
                            "quantity": 1,
                            "price": 15.0,
                            "discount": 3.0,
                        }
                    ],
                },
            }
        ],
    }


HITS = st.builds(
    Hit,
    name=st.sampled_from(HitName),
    at=st.just(NOW),
    slug=st.from_regex("[a-z][a-z0-9-]{0,150}", fullmatch=True),
    title=st.text(min_size=1, max_size=300),
    amount_minor=st.integers(0, 99_999_999),
    currency=st.sampled_from(sorted(currencies())),
    tax_minor=st.none() | st.integers(0, 1000),
    coupon=st.from_regex("[A-Z0-9]{0,24}", fullmatch=True),
    transaction=st.integers(1001, 10**9).map("H-{}".format),
    whole=st.booleans(),
    client=st.from_regex("[0-9]{1,10}[.][0-9]{1,10}", fullmatch=True),
    session=st.from_regex("[0-9]{0,20}", fullmatch=True),
    test=st.booleans(),
)


@given(HITS)
def test_whatever_is_sold_google_would_take_it(hit: Hit) -> None:
    told = json.loads(GOOGLE.call(hit, NOW).body)
    assert faults(told) == []
    assert ga4rules.check(told, NOW) == []


Spoil = Callable[[dict[str, Any]], object]


def params(body: dict[str, Any]) -> dict[str, Any]:
    """Give the parameters of the one event."""
    found: dict[str, Any] = body["events"][0]["params"]
    return found


WRONG: dict[str, tuple[Spoil, str]] = {
    "no client": (lambda b: b.pop("client_id"), "client_id (VALUE_REQUIRED)"),
    "a client of another shape": (
        lambda b: b.update(client_id="GA1.1.12.34"),
        "client_id (VALUE_INVALID)",
    ),
    "no events": (lambda b: b.update(events=[]), "events (VALUE_REQUIRED)"),
    "many events": (
        lambda b: b.update(events=b["events"] * 26),
        "events (EXCEEDED_MAX_ENTITIES)",
    ),
    "a name with a blank": (
        lambda b: b["events"][0].update(name="my event"),
        "events.name (NAME_INVALID)",
    ),
    "a name that is too long": (
        lambda b: b["events"][0].update(name="n" * 41),
        "events.name (NAME_INVALID)",
    ),
    "a name of Google's": (
        lambda b: b["events"][0].update(name="session_start"),
        "events.name session_start (NAME_RESERVED)",
    ),
    "a prefix of Google's": (
        lambda b: params(b).update(ga_x=1),
        "events.params.ga_x (NAME_RESERVED)",
    ),
    "many parameters": (
        lambda b: params(b).update({f"p{n}": n for n in range(20)}),
        "events.params (EXCEEDED_MAX_ENTITIES)",
    ),
    "a long value": (
        lambda b: params(b).update(coupon="x" * 101),
        "events.params.coupon (VALUE_OUT_OF_BOUNDS)",
    ),
    "a value that is none": (
        lambda b: params(b).update(colour=None),
        "events.params.colour (VALUE_INVALID)",
    ),
    "no currency": (
        lambda b: params(b).pop("currency"),
        "events.params.currency (VALUE_REQUIRED)",
    ),
    "an unknown currency": (
        lambda b: params(b).update(currency="ABC"),
        "events.params.currency (VALUE_INVALID)",
    ),
    "a negative value": (
        lambda b: params(b).update(value=-1),
        "events.params.value (VALUE_INVALID)",
    ),
    "no number": (
        lambda b: params(b).update(transaction_id=""),
        "events.params.transaction_id (VALUE_REQUIRED)",
    ),
    "no items": (
        lambda b: params(b).pop("items"),
        "events.params.items (VALUE_REQUIRED)",
    ),
    "items that are none": (
        lambda b: params(b).update(items="book"),
        "events.params.items (VALUE_INVALID)",
    ),
    "many items": (
        lambda b: params(b).update(items=params(b)["items"] * 201),
        "events.params.items (EXCEEDED_MAX_ENTITIES)",
    ),
    "an item without a name": (
        lambda b: params(b).update(items=[{"price": 1.0}]),
        "events.params.items.item_id (VALUE_REQUIRED)",
    ),
    "a visit of another shape": (
        lambda b: params(b).update(session_id="GS1.1"),
        "events.params.session_id (VALUE_INVALID)",
    ),
    "a time of no kind": (
        lambda b: b.update(timestamp_micros="now"),
        "timestamp_micros (VALUE_INVALID)",
    ),
    "a time in milliseconds": (
        lambda b: b.update(timestamp_micros=b["timestamp_micros"] // 1000),
        "timestamp_micros (VALUE_OUT_OF_BOUNDS)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_google_would_drop_is_found_before_it_is_sent(name: str) -> None:
    spoil, wanted = WRONG[name]
    body = json.loads(json.dumps(ga4.body(SALE)))
    spoil(body)

    assert wanted in [str(each) for each in ga4rules.check(body, NOW)]


def test_a_clock_that_is_ahead_costs_no_sale() -> None:
    ahead = replace(SALE, at=NOW + timedelta(minutes=5))
    told = json.loads(GOOGLE.call(ahead, NOW).body)
    assert told["timestamp_micros"] == 1795435200123456


def test_a_hit_that_google_would_drop_is_not_written() -> None:
    with pytest.raises(CannotTellError, match=r"timestamp_micros \(VALUE_OUT_OF"):
        GOOGLE.call(SALE, NOW + timedelta(hours=73))


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ((ID, SECRET), []),
        (("UA-1234-1", SECRET), ["analytics.ga4_id"]),
        ((ID, "short"), ["analytics.ga4_secret"]),
        ((ID, "two words of a secret"), ["analytics.ga4_secret"]),
    ],
)
def test_keys_that_cannot_be_right_are_named(
    keys: tuple[str, str], wrong: list[str]
) -> None:
    assert ga4rules.check_keys(*keys) == wrong


def test_plausible_is_told_to_the_letter() -> None:
    plausible = Plausible("https://plausible.io/", "example.com", SHOP)
    call = plausible.call(SALE, NOW)

    assert call.url == "https://plausible.io/api/event"
    assert call.headers["X-Forwarded-For"] == "2001:db8::7fff:ffff:ffff:ffff"
    assert json.loads(call.body) == {
        "name": "Purchase",
        "domain": "example.com",
        "url": f"{SHOP}/p/book?utm_source=newsletter&utm_medium=email"
        "&utm_campaign=Spring+%26+more",
        "referrer": "https://news.example.org/",
        "props": {"product": "book", "order": "H-1042"},
        "revenue": {"currency": "EUR", "amount": 15.0},
    }
    back = json.loads(plausible.call(REFUND, NOW).body)
    assert (back["name"], back["revenue"]["amount"]) == ("Refund", 5.0)
    bare = replace(SALE, source="", medium="", campaign="", referrer="")
    assert json.loads(plausible.call(bare, NOW).body)["url"] == f"{SHOP}/p/book"
    assert not plausible.takes(replace(SALE, name=HitName.VIEW_ITEM))


def test_what_plausible_throws_away_is_noticed() -> None:
    plausible = Plausible("https://plausible.io", "example.com", SHOP)

    assert plausible.refusal(Answer(202, {})) == ""
    dropped = plausible.refusal(Answer(202, {"x-plausible-dropped": "1"}))
    assert "analytics.plausible_domain" in dropped


def test_matomo_is_told_to_the_letter() -> None:
    matomo = Matomo("https://matomo.example.com", 3, "0123456789abcdef", SHOP)
    call = matomo.call(SALE, NOW)

    assert call.url == "https://matomo.example.com/matomo.php"
    said = dict(parse_qsl(call.body.decode()))
    assert json.loads(said.pop("ec_items")) == [["book", "The Book", "", 15.0, 1]]
    assert urlsplit(said.pop("url")).path == "/p/book"
    assert said == {
        "idsite": "3",
        "rec": "1",
        "apiv": "1",
        "send_image": "0",
        "bots": "1",
        "idgoal": "0",
        "ec_id": "H-1042",
        "revenue": "15.00",
        "ec_tx": "2.50",
        "ec_dt": "3.00",
        "_id": "7fffffffffffffff",
        "urlref": "https://news.example.org/",
        "cdt": "1795435140",
        "token_auth": "0123456789abcdef",
    }
    assert matomo.takes(SALE)
    assert not matomo.takes(REFUND)


def test_without_a_token_matomo_is_not_told_of_a_time_that_it_would_not_believe() -> (
    None
):
    matomo = Matomo("https://matomo.example.com", 3, "", SHOP)
    late = matomo.call(SALE, NOW + timedelta(hours=30)).body.decode()

    assert "cdt=" not in late
    assert "token_auth" not in late
    assert "cdt=" in matomo.call(SALE, NOW).body.decode()
