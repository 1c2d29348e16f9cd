"""P04: `handsel run` is killed at any moment, over and over, while people buy.

Web process and worker die together without a word. Some buyers' news come again until
somebody answers 200; those of others come once each, and only the reconciler is left.
"""

import contextlib
import email
import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select

from handsel import worker
from handsel.models import Order
from handsel.ops import reconcile
from handsel.shop import Shop, open_shop, utc_now
from tests import make
from tests.faults.processes import program, shop_program
from tests.ground.cases import Say
from tests.ground.till import set_stripe, untrue
from tests.ground.waiting import wait_until
from tests.providers.fake_stripe import FakeStripe
from tests.providers.fakes.stripe_hooks import again

SEED = 4


@dataclass
class Crowd:
    """Buyers of a shop that is not always there; all of them patient up to a point."""

    stripe: FakeStripe
    url: str = ""
    paid: dict[str, str] = field(default_factory=dict)
    """Who paid, by session."""
    in_vain: int = 0
    """How often nobody answered, or not well."""
    closing: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def come(self, first: int, step: int) -> None:
        """Buy one after the other until the shop is closing."""
        source = random.Random(SEED + first)  # noqa: S311 - repeatable, not secret
        number = first
        while not self.closing.is_set():
            name = self._begin()
            address = f"reader{number}@example.com"
            self.stripe.bank.pay(name, email=address)
            self.paid[name] = address
            self._spread(name, source, patient=source.random() < 0.5)
            number += step

    def pay(self, more: int) -> None:
        """Wait until so many more have paid."""
        enough = len(self.paid) + more
        wait_until(lambda: len(self.paid) >= enough, 60)

    def _begin(self) -> str:
        form = {"press": secrets.token_urlsafe(16)}
        while True:
            try:
                answer = requests.post(
                    f"{self.url}/buy/book", form, allow_redirects=False, timeout=20
                )
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code == 303:
                return urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
            self._wait()

    def _spread(self, name: str, source: random.Random, *, patient: bool) -> None:
        """Tell the shop four times, in any order: thrice by web hook, once by return."""
        event = next(
            event
            for event in reversed(self.stripe.bank.events)
            if event["data"]["object"]["id"] == name
        )
        ways: list[Callable[[], bool]] = [
            lambda: self._hook(event),
            lambda: self._hook(event),
            lambda: self._hook(again(event)),
            lambda: self._return(name),
        ]
        source.shuffle(ways)
        for way in ways:
            while not way():
                self._wait()
                if not patient:
                    break

    def _hook(self, event: dict[str, object]) -> bool:
        self.stripe.hooks.url = f"{self.url}/webhooks/stripe"
        return self.stripe.hooks.send(event) == 200

    def _return(self, name: str) -> bool:
        try:
            answer = requests.get(
                f"{self.url}/return/stripe",
                {"session": name},
                allow_redirects=False,
                timeout=20,
            )
        except requests.RequestException:
            return False
        return answer.status_code == 303 and "/d/" in answer.headers["Location"]

    def _wait(self) -> None:
        self.in_vain += 1
        assert not self.over.wait(0.2), "the shop never answered again"


def test_killed_now_and_then_while_people_buy(
    home: Path, say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _storm(home, say, monkeypatch, tmp_path / "log", kills=3, purchases=6)


@pytest.mark.storm
@pytest.mark.timeout(1800)
def test_killed_200_times_while_people_buy_2000_books(
    home: Path, say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slowest = _storm(
        home, say, monkeypatch, tmp_path / "log", kills=200, purchases=2000
    )
    assert slowest < 3


def _storm(
    home: Path,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
    log: Path,
    *,
    kills: int,
    purchases: int,
) -> float:
    """Sell and kill; then count. Gives the seconds that the slowest start took."""
    with FakeStripe() as stripe:
        stripe.hooks.mode = "drop"  # the buyers carry the news themselves
        set_stripe(stripe, monkeypatch)
        shop = open_shop(home, clock=lambda: utc_now() + timedelta(minutes=10))
        make.product(shop)
        crowd = Crowd(stripe)
        starts = _sell_and_kill(crowd, home, log, kills, purchases)
        mails = _tidy_up(shop)
        found = _count(shop, crowd, mails)
        say(
            "P04",
            kills=len(starts) - 1,
            purchases=len(crowd.paid),
            mails=sum(mails.values()),
            in_vain=crowd.in_vain,
            **found,
            slowest_start=round(max(starts), 1),
            database="sqlite" if shop.database.is_sqlite else "postgres",
            seed=SEED,
        )
        assert crowd.in_vain > 0, "nobody noticed the kills"
        assert not any(
            found[bad] for bad in ("lost", "doubled", "without_mail", "other_names")
        )
        assert found["repeated"] <= len(starts) - 1
        assert untrue(shop) == {}
        assert "locked" not in log.read_text()
        shop.close()
    return max(starts)


def _sell_and_kill(
    crowd: Crowd, home: Path, log: Path, kills: int, purchases: int
) -> list[float]:
    source = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    starts: list[float] = []
    with (
        program(*shop_program("run", home), log=log) as shop,
        ThreadPoolExecutor(4) as pool,
    ):
        buyers: list[Future[None]] = []
        try:
            while len(starts) < kills or len(crowd.paid) < purchases:
                crowd.url, took = shop.open()
                starts.append(took)
                buyers = buyers or [pool.submit(crowd.come, n, 4) for n in range(4)]
                # Some lives end at once, some after many sales, on any machine as many.
                crowd.pay(source.randint(0, 2 * purchases // kills))
                if len(starts) % 3:
                    crowd.over.wait(source.uniform(0.0, 0.3))
                else:
                    _wait_for_a_mail(home / "mail")
                shop.kill()
            crowd.closing.set()
            crowd.url, took = shop.open()
            starts.append(took)
            for buyer in buyers:
                buyer.result(timeout=60)
        finally:
            crowd.closing.set()
            crowd.over.set()
    return starts


def _wait_for_a_mail(folder: Path) -> None:
    """Wait until the worker is writing mails: so that it dies in the middle of it."""
    before = len(list(folder.glob("*.eml")))
    with contextlib.suppress(AssertionError):  # perhaps there is none to write
        wait_until(lambda: len(list(folder.glob("*.eml"))) > before, 5)


def _tidy_up(shop: Shop) -> Counter[tuple[str, str]]:
    """Let reconciler and worker do what is left; give the mails, by reader and name."""
    reconcile.reconcile(shop, since=shop.now() - timedelta(hours=2))
    wait_until(lambda: not worker.turn(shop), 60)
    found: Counter[tuple[str, str]] = Counter()
    for path in (shop.home / "mail").glob("[0-9]*.eml"):
        mail = email.message_from_bytes(path.read_bytes())
        found[str(mail["To"]), str(mail["Message-ID"])] += 1
    return found


def _count(shop: Shop, crowd: Crowd, mails: Counter[tuple[str, str]]) -> dict[str, int]:
    with shop.reading() as session:
        sold = Counter(
            session.scalars(select(Order.email).where(Order.paid_at.is_not(None)))
        )
    names = Counter(to for to, _ in mails)
    readers = set(crowd.paid.values())
    return {
        "lost": len(readers - sold.keys()),
        "doubled": sum(sold.values()) - len(sold),
        "without_mail": len(readers - names.keys()),
        "repeated": sum(mails.values()) - len(mails),
        "other_names": len(mails) - len(names),
    }
