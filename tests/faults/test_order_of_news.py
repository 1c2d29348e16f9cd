"""P03: in whatever order the news of a payment come, the order ends up the same."""

import itertools
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handsel.kit.money import Money
from handsel.models import Entitlement, LedgerEntry, Order
from handsel.models.words import FactKind, OrderStatus, PaymentState
from handsel.sales import orders, rebuilding
from handsel.sales.payments.base import Fact, Payment
from handsel.sales.standing import sum_up
from handsel.shop import Shop
from tests import make
from tests.ground.cases import Say
from tests.ground.till import untrue

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PRICE = Money(1500, "EUR")
SEED = 3

# Completed but not yet paid, then paid, a third back, the rest back, disputed, lost.
NEWS: list[tuple[PaymentState, Fact | None]] = [
    (PaymentState.PROCESSING, None),
    (PaymentState.COMPLETE, Fact(FactKind.CAPTURE, "pi_1", PRICE, NOON)),
    (PaymentState.COMPLETE, Fact(FactKind.REFUND, "re_1", Money(500, "EUR"), NOON)),
    (PaymentState.COMPLETE, Fact(FactKind.REFUND, "re_2", Money(1000, "EUR"), NOON)),
    (PaymentState.COMPLETE, Fact(FactKind.DISPUTE_OPEN, "du_1", PRICE, NOON)),
    (PaymentState.COMPLETE, Fact(FactKind.DISPUTE_LOST, "du_1", PRICE, NOON)),
]
ALL = [list(order) for order in itertools.permutations(range(len(NEWS)))]
END = (PaymentState.COMPLETE, OrderStatus.DISPUTED, 1500, False, 5, 6000)
End = tuple[PaymentState, OrderStatus, int, bool, int, int]


def test_the_sum_of_facts_is_the_same_in_all_720_orders(say: Say) -> None:
    ends = {
        sum_up(
            [fact for _, fact in (NEWS[each] for each in order) if fact],
            PaymentState.COMPLETE,
        )
        for order in ALL
    }
    say("P03", orders=len(ALL), ends=len(ends), of="sums")
    (end,) = ends
    assert (end.status, end.access) == (OrderStatus.DISPUTED, False)
    assert (end.captured, end.refunded) == (1500, 1500)


def test_a_refund_that_failed_and_a_dispute_that_was_won_leave_access() -> None:
    facts = [
        Fact(FactKind.CAPTURE, "pi_1", PRICE, NOON),
        Fact(FactKind.REFUND, "re_1", Money(500, "EUR"), NOON),
        Fact(FactKind.REFUND, "re_2", Money(1000, "EUR"), NOON),
        Fact(FactKind.VOID, "re_2", Money(1000, "EUR"), NOON),
        Fact(FactKind.DISPUTE_OPEN, "du_1", PRICE, NOON),
        Fact(FactKind.DISPUTE_WON, "du_1", PRICE, NOON),
    ]
    (end,) = {
        sum_up(order, PaymentState.COMPLETE) for order in itertools.permutations(facts)
    }
    assert (end.status, end.access) == (OrderStatus.PARTLY_REFUNDED, True)
    (lost,) = {
        sum_up(order, PaymentState.COMPLETE)
        for order in itertools.permutations([facts[0], facts[4]])
    }
    assert (lost.status, lost.access) == (OrderStatus.DISPUTED, False)


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "piecemeal"])
def test_an_order_ends_up_the_same_in_some_orders(
    shop: Shop, say: Say, whole: bool, provider: str
) -> None:
    some = random.Random(SEED).sample(ALL, 25)  # noqa: S311 - repeatable, not secret
    _record_all(shop, say, some, provider, whole=whole)


@pytest.mark.storm
@pytest.mark.timeout(600)
@pytest.mark.parametrize("provider", ["stripe", "paypal"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "piecemeal"])
def test_an_order_ends_up_the_same_in_all_orders(
    shop: Shop, say: Say, whole: bool, provider: str
) -> None:
    _record_all(shop, say, ALL, provider, whole=whole)


def _record_all(
    shop: Shop,
    say: Say,
    each_order: Iterable[Sequence[int]],
    provider: str,
    *,
    whole: bool,
) -> None:
    make.product(shop)
    ends = [
        _end(shop, f"cs_{number}", order, provider, whole=whole)
        for number, order in enumerate(each_order)
    ]
    kind = "sqlite" if shop.database.is_sqlite else "postgres"
    say(
        "P03",
        orders=len(ends),
        ends=len(set(ends)),
        provider=provider,
        database=kind,
        seed=SEED,
    )
    assert set(ends) == {END}
    assert untrue(shop) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.permutations(range(len(NEWS))).flatmap(
        lambda order: st.lists(st.sampled_from(order), max_size=6).map(
            lambda more: [*more, *order]
        )
    )
)
def test_news_at_random_with_repeats(shop: Shop, order: list[int]) -> None:
    with shop.reading() as session:
        number = session.query(LedgerEntry).count()
    if not number:
        make.product(shop)
    assert _end(shop, f"cs_{number}", order, "test", whole=False) == END


def _end(
    shop: Shop, name: str, order: Sequence[int], provider: str, *, whole: bool
) -> End:
    """Record the news of one payment in this order; give what its order has come to.

    `whole`: each answer holds all that happened up to then, as a provider's does;
    otherwise only the one thing.
    """
    for last in order:
        first = 0 if whole else last
        facts = tuple(
            Fact(fact.kind, f"{name}_{fact.object_id}", fact.amount, _at(number))
            for number, (_, fact) in enumerate(NEWS)
            if fact and first <= number <= last
        )
        with shop.transaction() as session:
            orders.record(
                session,
                shop.keys,
                provider,
                _payment(shop, name, NEWS[last][0], facts),
                shop.now(),
            )
    return _come_to(shop, name)


def test_money_for_a_product_that_was_forgotten_is_never_taken_for_another_shops(
    shop: Shop,
) -> None:
    """After an old backup: the payment is ours, only the product is not there yet."""
    news = (PaymentState.COMPLETE, (Fact(FactKind.CAPTURE, "pi_1", PRICE, NOON),))
    payment = _payment(shop, "forgotten", *news)
    with pytest.raises(rebuilding.ForgottenProductError), shop.transaction() as session:
        orders.record(session, shop.keys, "test", payment, shop.now())

    make.product(shop)

    with shop.transaction() as session:
        order = orders.record(session, shop.keys, "test", payment, shop.now())
    assert order.status is OrderStatus.PAID


def _at(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def _payment(
    shop: Shop, name: str, state: PaymentState, facts: tuple[Fact, ...]
) -> Payment:
    return Payment(
        session_id=name,
        state=state,
        price=PRICE,
        email=f"{name}@example.com",
        test=True,
        reference={
            "shop": rebuilding.offer_mark(shop.keys, "book", PRICE),
            "product": "book",
            "price": "1500",
            "currency": "EUR",
        },
        facts=facts,
    )


def _come_to(shop: Shop, name: str) -> End:
    with shop.reading() as session:
        order = session.query(Order).filter_by(session_id=name).one()
        ledger = session.query(LedgerEntry).filter_by(order_id=order.id).all()
        right = session.query(Entitlement).filter_by(order_id=order.id).one()
        return (
            order.session_state,
            order.status,
            order.refunded_minor,
            right.access,
            len(ledger),
            sum(entry.amount_minor for entry in ledger),
        )
