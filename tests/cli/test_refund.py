"""`handsel order refund`: what it asks, says, and refuses."""

import os
import pty

from handsel.kit.money import Money
from handsel.models.words import RefundReason
from handsel.sales import orders, refunds
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ground import ready
from tests.ops import keeping
from tests.stories.buyers import bank


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


def at_a_terminal(shop: Shop, typed: str, *words: str) -> tuple[int, str]:
    """Run the real program at a terminal where somebody types; give what is shown."""
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    ended = ready.start(*words, "--home", str(shop.home), **streams)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    return ready.ending(ended), shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_somebody_at_a_terminal_reads_what_follows_and_says_yes(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    words = ("order", "refund", "H-1001", "--amount", "5")

    code, shown = at_a_terminal(shop, "n\n", *words)
    assert code == 130
    assert "€5.00 of €15.00 goes back to reader1@example.com" in shown
    assert "The link stays open. (TEST: no money moves.)" in shown
    assert keeping.order_of(shop, "H-1001").refunded_minor == 0

    code, shown = at_a_terminal(shop, "y\n", *words)
    assert (code, "€5.00 of H-1001 went back" in shown) == (0, True)
    code, shown = at_a_terminal(shop, "y\n", "order", "refund", "H-1001")
    assert "€10.00 of €15.00 goes back" in shown
    assert "The link closes." in shown
    assert keeping.order_of(shop, "H-1001").refunded_minor == 1500


def test_an_order_shows_what_was_asked_for(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    wanted = refunds.request(Money(500, "EUR"), RefundReason.DUPLICATE)
    with shop.transaction() as session:
        order = orders.by_number(session, "H-1001")
        asked = refunds.ask(session, order, wanted, shop.now(), keep_access=True)
        refunds.give_up(session, asked.id, "test did not say for 20 hours.")

    shown = run(shop, "order", "show", "1001").stdout
    assert "unknown €5.00 test did not say for 20 hours." in shown
    known = facts(shop, "order", "show", "1001")
    assert isinstance(known, dict)
    [told] = known["refunds"]
    assert (told["state"], told["amount_minor"]) == ("unknown", 500)
    assert (told["reason"], told["keep_access"]) == ("duplicate", True)


def test_no_script_asks_anew_for_what_may_have_gone_back(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    wanted = refunds.request(Money(500, "EUR"), RefundReason.REQUESTED)
    with shop.transaction() as session:
        order = orders.by_number(session, "H-1001")
        asked = refunds.ask(session, order, wanted, shop.now(), keep_access=False)
        refunds.give_up(session, asked.id, "test did not say for 20 hours.")

    words = ("order", "refund", "H-1001", "--amount", "5")
    done = run(shop, *words, "--yes")
    assert "Nobody knows whether 5.00 EUR of H-1001 went back" in str(done.exception)
    assert keeping.order_of(shop, "H-1001").refunded_minor == 0

    code, shown = at_a_terminal(shop, "y\n", *words)
    assert "look at the dashboard first" in shown
    assert (code, keeping.order_of(shop, "H-1001").refunded_minor) == (0, 500)


def test_the_evidence_is_shown_and_sent_once(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    session_id = keeping.order_of(shop, "H-1001").session_id

    known = facts(shop, "order", "evidence", "1001")
    assert isinstance(known, dict)
    assert known["number"] == "H-1001"
    assert known["downloads"] == ["No file was downloaded."]
    shown = run(shop, "order", "evidence", "1001").output
    assert "handsel order evidence H-1001 --submit" in shown
    refused = run(shop, "order", "evidence", "1001", "--submit")
    assert (refused.exit_code, "add --yes" in refused.output) == (2, True)
    none = run(shop, "order", "evidence", "1001", "--submit", "--yes")
    assert "No dispute" in str(none.exception)

    bank(shop).open_dispute(session_id, shop.now())
    sent = run(shop, "order", "evidence", "1001", "--submit", "--yes")
    assert (sent.exit_code, "The bank decides" in sent.stdout) == (0, True)
    again = run(shop, "order", "evidence", "1001", "--submit", "--yes")
    assert "waits for an answer" in str(again.exception)
