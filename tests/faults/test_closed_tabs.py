"""P09: buyers who close the window after they have agreed to pay get what they paid for."""

import pytest

from handsel import worker
from handsel.outbound.transports.folder import read_folder
from tests import make
from tests.ground.cases import Say
from tests.ground.till import Till, rows, untrue


def test_closed_tabs(
    either_till: Till, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has to wait ten seconds to see that a call has timed out.
    monkeypatch.setattr("handsel.sales.payments.paypal_client.SLOW_TIMEOUT", (2, 0.5))
    _close_tabs(either_till, say, tabs=8)


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_100_closed_tabs(either_till: Till, say: Say) -> None:
    _close_tabs(either_till, say, tabs=100)


def _close_tabs(till: Till, say: Say, *, tabs: int) -> None:
    """Let nobody come back and no web hook come; taking money fails in two ways."""
    make.product(till.shop)
    till.far.hooks.mode = "drop"
    worker.turn(till.shop)
    names = []
    for number in range(tabs):
        names.append(till.begin(till.visitor()))
        till.far.bank.pay(names[-1], email=f"reader{number}@example.com")
    if till.provider == "paypal":
        till.paypal.faults.lose_next(1, only="/capture", hang=True)
        till.paypal.faults.fail_next(2, 500, only="/capture")
    minutes = 0
    while not all(_paid(till, name) for name in names) and minutes < 15:
        minutes += 1
        till.move(minutes=1)
        while worker.turn(till.shop):
            pass
    while worker.turn(till.shop):
        pass
    taken = _times_taken(till, names)
    mails = read_folder(till.shop.home / "mail", most=1000)
    say(
        "P09",
        tabs=tabs,
        minutes=minutes,
        taken=sum(taken),
        mails=len(mails),
        provider=till.provider,
    )
    assert taken == [1] * tabs
    assert minutes <= 5
    assert len(mails) == tabs
    assert rows(till.shop)["ledger"] == tabs
    assert untrue(till.shop) == {}


def _paid(till: Till, name: str) -> bool:
    order = till.order(name)
    return order is not None and order.paid_at is not None


def _times_taken(till: Till, names: list[str]) -> list[int]:
    """Count for each payment how often its money was taken, by calls of one name each."""
    if till.provider == "stripe":
        charges = list(till.stripe.bank.kept["charge"].values())
        intents = [
            till.stripe.bank.get("session", each)["payment_intent"] for each in names
        ]
        return [sum(c["payment_intent"] == each for c in charges) for each in intents]
    orders = [
        each["supplementary_data"]["related_ids"]["order_id"]
        for each in till.paypal.bank.kept["capture"].values()
    ]
    for name in names:
        call = f"POST /v2/checkout/orders/{name}/capture"
        assert len(set(till.paypal.api.request_ids.get(call, ["once"]))) == 1, name
    return [orders.count(name) for name in names]
