"""P01, P02: news that comes ten times, and four that learn of one payment at once."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import make
from tests.faults.storms import percentile, race
from tests.ground.cases import Say
from tests.ground.till import Till, rows, untrue

SEED = 1


@pytest.fixture
def till(either_till: Till) -> Till:
    """Each of these cases happens at both providers."""
    return either_till


def test_news_that_comes_ten_times_is_one_order(till: Till, say: Say) -> None:
    _storm(till, say, payments=8)


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_a_storm_of_repeats(till: Till, say: Say) -> None:
    _storm(till, say, payments=500)


def _storm(till: Till, say: Say, *, payments: int) -> None:
    """Send each of so many events ten times, half of it under new names, by eight."""
    make.product(till.shop)
    till.far.hooks.mode = "hold"
    for number in range(payments):
        name = till.begin(till.visitor())
        till.far.bank.pay(name, email=f"reader{number}@example.com")
    events = till.far.hooks.held
    news = events * 5 + [
        till.far.hooks.again(event) for event in events for _ in range(5)
    ]
    random.Random(SEED).shuffle(news)  # noqa: S311 - repeatable, not secret

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(till.far.hooks.send, news))

    counted = rows(till.shop)
    say(
        "P01",
        payments=payments,
        messages=len(news),
        orders=counted["orders"],
        receipts=counted["outbox"],
        refused=sum(answer != 200 for answer in answers),
        provider=till.provider,
        database=_kind(till),
        seed=SEED,
    )
    assert set(answers) == {200}
    assert {
        table: counted[table]
        for table in ("orders", "ledger", "entitlements", "outbox")
    } == dict.fromkeys(("orders", "ledger", "entitlements", "outbox"), payments)
    assert counted["inbox"] == payments * 6
    assert untrue(till.shop) == {}


def test_four_that_learn_of_it_at_once_see_one_order(till: Till, say: Say) -> None:
    _race(till, say, rounds=8)


@pytest.mark.storm
@pytest.mark.timeout(1200)
def test_a_long_race(till: Till, say: Say) -> None:
    assert _race(till, say, rounds=2000) < 0.5


def _race(till: Till, say: Say, *, rounds: int) -> float:
    make.product(till.shop)
    took = percentile(race(till, rounds), 0.95)
    say(
        "P02",
        rounds=rounds,
        return_p95_ms=int(took * 1000),
        provider=till.provider,
        database=_kind(till),
    )
    return took


def _kind(till: Till) -> str:
    return "sqlite" if till.shop.database.is_sqlite else "postgres"
