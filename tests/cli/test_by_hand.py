"""`handsel order revoke|restore|note`, `handsel customer block|export|erase`."""

from typing import Any

from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, run
from tests.ops import keeping


def told(shop: Shop, *words: str) -> dict[str, Any]:
    """Run a command, and give its answer for programs."""
    found = facts(shop, *words)
    assert isinstance(found, dict)
    return found


def test_files_are_closed_and_opened_and_a_note_says_why(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)

    assert told(shop, "order", "revoke", "1001")["access"] is False
    assert told(shop, "order", "restore", "1001")["access"] is True
    assert "stands at H-1001" in run(shop, "order", "note", "1001", "A slip.").stdout
    assert told(shop, "order", "show", "1001")["notes"][0]["text"] == "A slip."
    assert "A slip." in run(shop, "order", "show", "1001").stdout


def test_an_address_is_blocked_and_let_in_again(shop: Shop) -> None:
    words = ("customer", "block", "Bob@EXAMPLE.com", "--reason", "Stolen cards")
    assert told(shop, *words) == {"email": "Bob@example.com", "blocked": True}
    listed = run(shop, "customer", "blocked").stdout
    assert "Bob@example.com" in listed
    assert "Stolen cards" in listed

    assert "again" in run(shop, "customer", "unblock", "bob@example.com").stdout
    assert "did before" in run(shop, "customer", "unblock", "bob@example.com").stdout
    assert "No address" in run(shop, "customer", "blocked").stdout


def test_a_buyer_is_given_out_and_forgotten(shop: Shop) -> None:
    make.product(shop)
    keeping.buy(shop)
    who = "reader1@example.com"

    assert told(shop, "customer", "export", who)["orders"][0]["number"] == "H-1001"
    asked = run(shop, "customer", "erase", who)
    assert (asked.exit_code, "add --yes" in asked.output) == (2, True)
    done = run(shop, "customer", "erase", who, "--yes")
    assert "H-1001" in done.stdout
    assert "do not open the files" in done.stdout
    assert told(shop, "customer", "erase", who, "--yes")["orders"] == ["H-1001"]
    assert facts(shop, "order", "list", "--email", who) == []
    nobody = run(shop, "customer", "export", "nobody@example.com")
    assert getattr(nobody.exception, "exit_code", 0) == 3
