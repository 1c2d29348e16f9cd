"""`handsel order refund`: what it asks, says, and refuses."""

from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ops import keeping


def test_a_refund_says_what_it_did_and_what_follows(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    part = run(shop, "order", "refund", "1001", "--amount", "4.99", "--yes")
    assert "€4.99 of H-1001 went back to reader1@example.com." in part.stdout
    assert "The files are open." in part.stdout
    whole = facts(shop, "order", "refund", "H-1001", "--yes", "--reason", "fraudulent")
    assert isinstance(whole, dict)
    assert (whole["status"], whole["refunded_minor"]) == ("refunded", 1500)
    assert whole["access"] is False


def test_nothing_goes_back_unless_somebody_says_yes(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    for more in ([], ["--json"]):
        done = run(shop, "order", "refund", "H-1001", *more)
        assert (done.exit_code, "add --yes" in done.output) == (2, True)
    assert keeping.order_of(shop, "H-1001").refunded_minor == 0


def test_wrong_input_is_named(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    for words, code, said in (
        (["H-1009"], 3, "no order H-1009"),
        (["H-1001", "--amount", "15.01"], 2, "up to €15.00"),
        (["H-1001", "--amount", "GBP 5"], 2, "paid in EUR"),
        (["H-1001", "--amount", "some"], 2, "some"),
        (["H-1001", "--reason", "spite"], 2, "spite"),
    ):
        done = run(shop, "order", "refund", *words, "--yes")
        assert getattr(done.exception, "exit_code", done.exit_code) == code
        assert said in f"{done.output} {done.exception}"
    assert keeping.order_of(shop, "H-1001").refunded_minor == 0
