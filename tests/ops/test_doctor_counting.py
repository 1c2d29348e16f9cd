"""The doctor says whether others who count are told of sales, and would understand it."""

from pathlib import Path

import pytest

from handsel.models.words import OutboxState
from handsel.ops.doctor import Finding, Level, examine
from handsel.outbound import hits, outbox
from handsel.outbound.counters import Hit, HitName
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests import make
from tests.ground.shops import Clock
from tests.providers.fake_ga4 import ID, SECRET


def environ(database_url: str, **analytics: str) -> dict[str, str]:
    """Give the environment of a shop with these settings."""
    return {"HANDSEL_DATABASE__URL": database_url} | {
        f"HANDSEL_ANALYTICS__{name.upper()}": value for name, value in analytics.items()
    }


def findings(shop: Shop, database_url: str, **analytics: str) -> dict[str, Finding]:
    """Give what is found about it."""
    found = examine(shop.home, shop.now(), environ(database_url, **analytics))
    return {each.id: each for each in found if each.id.startswith("H10")}


@pytest.mark.parametrize(
    ("analytics", "found"),
    [
        ({}, set()),
        ({"ga4_id": ID, "ga4_secret": SECRET}, set()),
        ({"ga4_id": ID}, {"H100"}),
        ({"ga4_secret": SECRET}, {"H101"}),
        ({"ga4_id": ID, "ga4_secret": "not one"}, {"H102"}),
        ({"matomo_url": "https://m.example", "matomo_site": "1"}, set()),
        ({"plausible_domain": "example.com"}, set()),
    ],
)
def test_keys_are_looked_at_and_what_would_be_told_is_tried(
    shop: Shop, database_url: str, analytics: dict[str, str], found: set[str]
) -> None:
    make.product(shop, name="W" * 190)
    assert set(findings(shop, database_url, **analytics)) == found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("analytics", "said"),
    [
        ({"ga4_id": "UA-1234-1"}, "it should look like 'G-ABC123DEF4'"),
        ({"ga4_base": "http://127.0.0.1:1"}, "only accepted with HANDSEL_ENV=test"),
        ({"ga4_id": ID, "own": "false"}, "analytics.own: what visitors are asked for"),
        ({"consent_cookie": "true", "own": "false"}, "analytics.own: what visitors"),
        ({"matomo_url": "https://m.example"}, "needs it and analytics.matomo_site"),
        ({"matomo_site": "1"}, "needs it and analytics.matomo_site"),
        (
            {"matomo_url": "http://m.example", "matomo_site": "1"},
            "analytics.matomo_url: write https",
        ),
        ({"plausible_url": "http://10.0.0.1"}, "analytics.plausible_url: write https"),
        (
            {"plausible_domain": "https://x.example"},
            "it should look like 'example.com'",
        ),
    ],
)
def test_settings_that_mean_nothing_are_named(
    shop: Shop, database_url: str, analytics: dict[str, str], said: str
) -> None:
    found = examine(shop.home, shop.now(), environ(database_url, **analytics))
    [wrong] = [each for each in found if each.id == "H001"]
    assert said in wrong.problem


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_secret_is_not_shown_where_it_is_wrong(
    shop: Shop, database_url: str
) -> None:
    (shop.home / "handsel.toml").write_text("[analytics]\nmatomo_token = 12345678\n")
    [found] = [
        each
        for each in examine(shop.home, shop.now(), environ(database_url))
        if each.id == "H001"
    ]
    assert "analytics.matomo_token" in found.problem
    assert "12345678" not in found.problem


def test_tests_that_are_told_in_a_public_shop_are_named(
    shop: Shop, database_url: str
) -> None:
    env = environ(database_url, test_hits="true")
    env["HANDSEL_SHOP__URL"] = "https://shop.example.com"
    found = examine(shop.home, shop.now(), env)
    assert "H105" in {each.id for each in found}


def test_what_was_given_up_and_what_waits_is_told_apart_from_mails(
    home: Path, shop: Shop, database_url: str, clock: Clock
) -> None:
    keys = {"ga4_id": ID, "ga4_secret": SECRET, "test_hits": "true"}
    told = open_shop(home, load_settings(home, environ(database_url, **keys)))
    hit = Hit(HitName.VIEW_ITEM, shop.now(), "book", "The Book", client="1.2")
    with shop.transaction() as session:
        for once in ("one", "two"):
            hits.put(session, told.settings, hit, once, now=shop.now())
    told.close()
    assert findings(shop, database_url) == {}

    with shop.transaction() as session:
        first, _ = outbox.claim(session, shop.now(), kind=outbox.HIT)
        outbox.park(session, first, "Google Analytics has refused it: HTTP 403.")
    clock.move(hours=2)

    found = findings(shop, database_url)
    assert set(found) == {"H103", "H104"}
    assert "1 things could not be told" in found["H103"].problem
    assert "HTTP 403" in found["H103"].problem
    assert found["H103"].level is Level.WARNING
    with shop.reading() as session:
        assert outbox.newest(session) == []
        kept = outbox.newest(session, OutboxState.DEAD, kind=outbox.HIT)
        assert len(kept) == 1
    everything = examine(shop.home, shop.now(), environ(database_url))
    assert not {"H033", "H034", "H035"} & {each.id for each in everything}


def test_hits_are_forgotten_after_a_week_and_mails_are_not(
    shop: Shop, clock: Clock
) -> None:
    with shop.transaction() as session:
        for topic in ("mail.test", "hit.ga4"):
            outbox.put(session, topic, topic, recipient="", now=shop.now())
        for kind in (outbox.MAIL, outbox.HIT):
            [item] = outbox.claim(session, shop.now(), kind=kind)
            outbox.done(session, item, shop.now())
    clock.move(days=8)
    with shop.transaction() as session:
        hits.forget(session, clock())
        assert outbox.newest(session, kind=outbox.HIT) == []
        assert len(outbox.newest(session)) == 1
