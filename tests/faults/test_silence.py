"""P08, P19: nobody tells the shop of payments, or nobody takes its mail; all get theirs.

Buyers who come back have their page at once, whatever is silent.
"""

import dataclasses
import time
from collections import Counter

import pytest

from handsel import worker
from handsel.outbound.transports.folder import read_folder
from handsel.outbound.transports.smtp import SmtpTransport
from handsel.shop import Shop
from tests import make
from tests.faults.storms import percentile
from tests.ground.cases import Say
from tests.ground.smtp import SmtpServer
from tests.ground.till import Till, rows, untrue


def test_no_web_hook_ever_comes(either_till: Till, say: Say) -> None:
    _without_hooks(either_till, say, payments=6, idle=20)


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_no_web_hook_comes_to_200_purchases(either_till: Till, say: Say) -> None:
    _without_hooks(either_till, say, payments=200, idle=60)


def _without_hooks(till: Till, say: Say, *, payments: int, idle: int) -> None:
    """Let half of the buyers come back, the others close the window; count the calls.

    `idle`: so many minutes in which nothing happens any more.
    """
    make.product(till.shop)
    till.far.hooks.mode = "drop"
    worker.turn(till.shop)
    away = []
    for number in range(payments):
        buyer = till.visitor()
        name = till.begin(buyer)
        till.far.bank.pay(name, email=f"reader{number}@example.com")
        if number % 2:
            away.append(name)
        else:
            page = buyer.go_on(till.come_back(buyer, name))
            assert page.request.path == till.link(name)
    minutes = 0
    while not all(_paid(till, name) for name in away) and minutes < 15:
        minutes += 1
        till.move(minutes=1)
        worker.turn(till.shop)
    calls = _idle_calls(till, idle)
    say(
        "P08",
        payments=payments,
        away=len(away),
        minutes=minutes,
        idle_minutes=idle,
        idle_calls=calls,
        provider=till.provider,
    )
    assert minutes < 15
    assert calls <= 2 * idle
    assert len(read_folder(till.shop.home / "mail", most=1000)) == payments
    assert untrue(till.shop) == {}


def _paid(till: Till, name: str) -> bool:
    order = till.order(name)
    return order is not None and order.paid_at is not None


def _idle_calls(till: Till, minutes: int) -> int:
    while worker.turn(till.shop):
        pass
    before = len(till.far.calls)
    for _ in range(3 * minutes):
        till.move(seconds=20)
        worker.turn(till.shop)
    return len(till.far.calls) - before


def test_the_mail_server_is_away(till: Till, say: Say, smtp_server: SmtpServer) -> None:
    _without_mail(till, say, smtp_server, payments=7)


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_the_mail_server_is_away_for_200_purchases(
    till: Till, say: Say, smtp_server: SmtpServer
) -> None:
    _without_mail(till, say, smtp_server, payments=200)


def _without_mail(
    till: Till, say: Say, smtp_server: SmtpServer, *, payments: int
) -> None:
    """Sell while nobody takes mail, then on its worst day; every reader gets one."""
    make.product(till.shop)
    transport = SmtpTransport(smtp_server.host, smtp_server.port, "none")
    shop = dataclasses.replace(till.shop, transport=transport)
    smtp_server.down()
    took = []
    for number in range(payments):
        buyer = till.visitor()
        name = till.begin(buyer)
        till.stripe.bank.pay(name, email=f"reader{number}@example.com")
        began = time.perf_counter()
        page = buyer.go_on(till.come_back(buyer, name))
        took.append(time.perf_counter() - began)
        assert page.request.path == till.link(name)
        worker.turn(shop)
    assert smtp_server.letters == []

    smtp_server.up()
    smtp_server.replies["reader1@example.com"] = "450 4.2.0 Greylisted"
    smtp_server.letters_per_connection = 3
    _work(till, shop, minutes=10)
    smtp_server.replies.clear()
    _work(till, shop, minutes=40)

    got = Counter(letter.recipients[0] for letter in smtp_server.letters)
    say(
        "P19",
        payments=payments,
        mails=sum(got.values()),
        page_p95_ms=int(1000 * percentile(took, 0.95)),
    )
    assert got == {f"reader{number}@example.com": 1 for number in range(payments)}
    assert rows(till.shop)["outbox"] == payments
    assert untrue(till.shop) == {}


def _work(till: Till, shop: Shop, *, minutes: int) -> None:
    for _ in range(minutes):
        till.move(minutes=1)
        while worker.turn(shop):
            pass
