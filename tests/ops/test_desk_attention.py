"""What the first page of the desk wants looked at: the doctor's findings, without waiting."""

from datetime import timedelta

import pytest

from handsel import worker
from handsel.models import Duty, Inbox, Order
from handsel.models.database import insert_new
from handsel.ops import doctor
from handsel.ops.desk import running
from handsel.settings import CONFIG_FILE
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor
from tests.ops import keeping
from tests.stories.buyers import DISPUTED, buy, with_settings


def at_hand(shop: Shop) -> dict[str, str]:
    """Give what the page would say, by id, but for the machine's own disk."""
    with shop.reading() as session:
        found = doctor.at_hand(shop, session, shop.now())
    return {each.id: each.problem for each in found if each.id not in ("H018", "H019")}


def test_a_new_shop_wants_nothing(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    worker.turn(shop)

    assert at_hand(shop) == {}


def test_a_disputed_payment_is_named(shop: Shop) -> None:
    make.product(shop)
    buy(Visitor(shop), number=DISPUTED)
    worker.turn(shop)

    assert at_hand(shop)["H073"].startswith("1 payment is disputed")


def test_what_takes_its_time_is_what_the_worker_found(shop: Shop, clock: Clock) -> None:
    folder = shop.home / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "product.html").write_text("{% if")
    assert "H050" not in at_hand(shop)

    worker.turn(shop)
    assert "H050" in at_hand(shop)

    (folder / "product.html").unlink()
    clock.move(hours=2)
    worker.turn(shop)
    assert "H050" not in at_hand(shop)


def test_the_worst_comes_first(shop: Shop, clock: Clock) -> None:
    public = with_settings(shop, "shop", url="https://books.example.com", email="")
    with shop.reading() as session:
        levels = [each.level for each in doctor.at_hand(public, session, shop.now())]

    assert levels == sorted(levels, key=list(doctor.Level).index)
    assert len(set(levels)) > 1


@pytest.mark.parametrize("ago", [30, 2])
def test_a_web_hook_is_missed_when_the_last_is_long_ago(shop: Shop, ago: int) -> None:
    """The newest of many messages counts."""
    now = shop.now()
    make.product(shop)
    keeping.buy(shop)
    with shop.transaction() as session:
        for hours in (200, ago, 400):
            insert_new(
                session,
                Inbox,
                provider="stripe",
                event_id=f"evt_{hours}",
                kind="x",
                object_id=None,
                raw="",
                received_at=now - timedelta(hours=hours),
                applied_at=now,
            )
        for order in session.query(Order):
            order.provider = "stripe"
            order.paid_at = now - timedelta(hours=3)
    stripe = with_settings(shop, "payments", enabled=["stripe"])

    assert ("H024" in at_hand(stripe)) == (ago == 30)


def test_a_test_mail_is_no_sign_of_life_of_the_worker(shop: Shop, clock: Clock) -> None:
    worker.turn(shop)
    clock.move(hours=1)
    with shop.transaction() as session:
        insert_new(session, Duty, name="mail-tried", next_at=clock(), last_at=clock())

    assert "H036" in at_hand(shop)


def test_nothing_runs_in_a_new_shop(shop: Shop) -> None:
    with shop.reading() as session:
        assert running.trials(session, shop) == []
        assert running.sendings(session) == []


def test_a_mistake_in_the_file_is_named_while_the_shop_goes_on(shop: Shop) -> None:
    path = shop.home / CONFIG_FILE
    right = path.read_text()
    path.write_text(right.replace('currency = "EUR"', 'currency = "XXXX"'))
    said = at_hand(shop)["H001"]
    assert "shop.currency: it should look like 'EUR'" in said
    assert "goes on with the settings it had" in said

    path.write_text(right.replace("# threads =", "threads =").replace("128", "64"))
    assert "server.threads changed" in at_hand(shop)["H004"]

    path.write_text(right)
    assert not {"H001", "H004"} & set(at_hand(shop))
