"""Backups and web hooks at the desk."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from handsel import worker
from handsel.kit.errors import ConflictError
from handsel.models import AuditEntry
from handsel.ops import archive
from handsel.ops.desk import backups
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till, untrue
from tests.ground.visitor import words
from tests.ground.waiting import wait_until
from tests.stories.desks import Seller, hire
from tests.stories.listening import Listener, is_signed, that_tells
from tests.stories.running import cut_off, that_runs


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_of_many_presses_at_once_one_makes_a_backup(shop: Shop) -> None:
    make.product(shop)

    def press(_: int) -> bool:
        try:
            backups.start(shop)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(8))) == 1
    wait_until(lambda: not backups.last(shop).running)
    assert backups.last(shop).problem == ""
    assert len(backups.kept(shop)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_is_made_beside_the_pages_and_fetched_whole(
    shop: Shop, seller: Seller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make.product(shop)
    page = seller.get("/admin/backups")
    assert "There is none" in words(page)

    begun = seller.do(page, "/admin/backups")
    assert "A backup is being made" in words(begun)
    wait_until(lambda: not backups.last(shop).running)

    assert backups.last(shop).problem == ""
    done = seller.get("/admin/backups")
    [kept] = backups.kept(shop)
    assert kept.name in done.text
    fetched = seller.press(done, f"/admin/backups/{kept.name}")
    copy = tmp_path_factory.mktemp("fetched") / kept.name
    copy.write_bytes(fetched.data)
    archive.check(copy)
    assert fetched.headers["Cache-Control"] == "no-store"


def test_a_backup_that_was_cut_off_says_so_and_another_can_be_made(
    shop: Shop, seller: Seller
) -> None:
    state = shop.home / "backups" / backups.STATE
    cut_off(state)
    assert "ended before it was whole" in words(seller.get("/admin/backups"))
    cut_off(state, '{"backup": "/half')
    assert "ended before it was whole" in words(seller.get("/admin/backups"))
    for nonsense in ("no json", "[]\n", '{"began_at": 7, "asked": 8}\n{}'):
        state.write_text(nonsense)
        assert seller.get("/admin/backups").status_code == 200
    (shop.home / "handsel.toml").write_text("[shop\n")
    backups.start(shop)
    wait_until(lambda: not backups.last(shop).running)
    assert "handsel.toml" in words(seller.get("/admin/backups"))


def test_while_a_backup_is_made_the_page_comes_anew_and_is_no_sign_of_life(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    with that_runs(shop.home / "backups" / backups.STATE):
        page = seller.get("/admin/backups")
        found = re.search(
            r'http-equiv="refresh" content="5; url=([^"]+)"></n', page.text
        )
        assert found
        for _ in range(8):
            clock.move(minutes=5)
            seen = seller.get(found[1])
        assert seen.status_code == 303  # signed out, as nobody was there

    again = hire(shop, "bob@example.com")
    assert "refresh" not in again.get("/admin/backups").text


@pytest.mark.parametrize("name", ["../handsel.toml", "x.tar.gz", "desk.run", ".."])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_but_a_backup_is_fetched(seller: Seller, name: str) -> None:
    answer = seller.post(f"/admin/backups/{name}", {"form_token": seller.form_word()})
    assert answer.status_code in (404, 405)


def test_messages_are_listed_and_can_be_heard_again(till: Till) -> None:
    shop = till.shop
    make.product(shop)
    seller = hire(shop)
    assert "Stripe http" in words(seller.get("/admin/hooks"))
    assert "never, in this time" in words(seller.get("/admin/hooks"))
    name = till.begin(till.visitor())
    till.stripe.bank.pay(name)

    page = seller.get("/admin/hooks")
    assert "checkout.session.completed" in words(page)
    assert "H-1001" in words(page)
    done = seller.do(page, "/admin/hooks/replay")

    assert "stripe was asked again: H-1001 is paid" in words(done)
    assert untrue(shop) == {}


def test_a_message_that_is_gone_or_about_nothing_is_no_stack(seller: Seller) -> None:
    answer = seller.post(
        "/admin/hooks/replay",
        {"provider": "x", "event_id": "y", "form_token": seller.form_word()},
    )
    assert answer.status_code == 404
    assert seller.get("/admin/hooks?before=nonsense").status_code == 200
    assert seller.get("/admin/hooks?before=9999999999999999999999~x").status_code == 200


def test_somebody_is_told_from_the_desk_and_heard_again(
    shop: Shop, seller: Seller
) -> None:
    with Listener() as listener:
        telling = that_tells(shop)
        seller.app.extensions["handsel"] = telling
        page = seller.get("/admin/hooks/out")
        wrong = seller.press(page, "/admin/hooks/out", {"url": "http://example.com"})
        assert wrong.status_code == 422
        assert "begins with https" in words(wrong)
        fields = {"url": listener.url}
        made = seller.do(page, "/admin/hooks/out", fields)
        assert "It is told from now on" in words(made)

        seller.do(made, "/test")
        worker.turn(telling)
        assert listener.names() == ["test"]
        shown = seller.do(made, "/hooks/out/1/secret")
        secret = shown.text.partition('<p class="secret"><code>')[2].partition("<")[0]
        assert is_signed(listener.messages[0], secret)

        seller.do(seller.get("/admin/hooks/out/1"), "/hooks/out/1/again")
        worker.turn(telling)
        assert listener.names() == ["test", "test"]
        stopped = seller.do(made, "/hooks/out/1/stop")
        assert "It is told nothing." in words(stopped)
        again = seller.do(stopped, "/hooks/out/1/start")
        assert "told again" in words(again)
        gone = seller.do(again, "/hooks/out/1/remove")
        assert "Nobody is told yet" in words(gone)
    assert seller.get("/admin/hooks/out/1").status_code == 404
    assert secret not in seller.get("/admin/audit").text
    with shop.reading() as session:
        noted = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        found = [each.partition(".")[2] for each in noted if each.startswith("hook.")]
    assert found == [
        *("added", "test", "secret_shown", "message_replayed"),
        *("stop", "start", "remove"),
    ]
