"""Fifty buyers and two new editions: a kill, refunds, a leave and a bounce in between."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from handsel.ops import campaigning, simulation
from handsel.outbound.returning import find_token
from handsel.shop import Shop, open_shop, utc_now
from tests import make
from tests.cli.test_keep import facts, run
from tests.faults.processes import program
from tests.ground.smtp import Letter, SmtpServer
from tests.ground.visitor import Visitor, words
from tests.ground.waiting import wait_until
from tests.ops.keeping import broken, refund
from tests.outbound.reports import report
from tests.stories.buyers import buy, download

CONNECTIONS = 4
BUYERS = [f"reader{number}@example.com" for number in range(1, 51)]
TWICE = {3: "Reader3@Example.com", 20: "READER20@example.com", 41: BUYERS[40]}
"""Who buys once more, by number, and how they write their address then."""
HAD_ENOUGH, DEAD = BUYERS[9], BUYERS[10]


@dataclass(frozen=True)
class Bookshop:
    """A shop on the machine's own clock, its first visitor, and where its mails go."""

    shop: Shop
    server: SmtpServer
    visitor: Visitor

    def release(self, version: str) -> tuple[str, ...]:
        """The words that bring out an edition of the book."""
        folder = self.shop.home / "editions" / version
        new = make.book_file(folder, "book.pdf", f"pdf {version} ".encode() * 900)
        notes = make.book_file(folder, "notes.md", b"*Mistakes* mended.")
        return (
            *("release", "book", str(new), "--version", version),
            *("--notes", str(notes), "--yes"),
        )

    def told(self, version: str) -> list[Letter]:
        """The mails about an edition that have arrived."""
        subject = f"The Book {version} is here"
        return [each for each in self.server.letters if subject in _subject(each)]

    def told_to(self, version: str, email: str) -> Letter:
        """The mail about an edition that somebody has got."""
        return next(
            each
            for each in self.told(version)
            if each.recipients[0].lower() == email.lower()
        )


def _subject(letter: Letter) -> str:
    return str(letter.message["Subject"])


@pytest.fixture
def bookshop(
    home: Path, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bookshop]:
    """A shop with a book in two formats, that sends to a real mail server."""
    for name, value in {
        "TRANSPORT": "smtp",
        "HOST": smtp_server.host,
        "PORT": str(smtp_server.port),
        "SECURITY": "none",
        "CONNECTIONS": str(CONNECTIONS),
        "BOUNCES": "bounces@example.com",
    }.items():
        monkeypatch.setenv(f"HANDSEL_MAIL__{name}", value)
    shop = open_shop(home, clock=utc_now)
    make.product(shop, files={"book.epub": b"epub " * 900, "book.pdf": b"pdf " * 900})
    yield Bookshop(shop, smtp_server, Visitor(shop))
    shop.close()


def test_fifty_buyers_get_two_editions_and_each_mail_once(bookshop: Bookshop) -> None:
    shop = bookshop.shop
    pages = _sell(bookshop)
    first, again = pages[BUYERS[0]], pages[TWICE[3]]
    assert download(bookshop.visitor, first, 2).status_code == 200

    _killed_in_the_middle(bookshop, "1.1")
    _goes_on(shop)
    _everyone_got_it(bookshop, "1.1", BUYERS, repeats=CONNECTIONS)

    refund(shop, "H-1005", 1500)
    refund(shop, "H-1006", 1500)
    _press_the_button_of_the_mail_program(bookshop, HAD_ENOUGH)
    _come_back(bookshop, DEAD)
    done = facts(shop, *bookshop.release("1.2"))

    assert isinstance(done, dict)
    assert (done["state"], done["sent"], done["failed"]) == ("finished", 46, 0)
    assert done["skipped_why"] == {"bounced": 1, "refunded": 2, "unsubscribed": 1}
    left_out = {BUYERS[4], BUYERS[5], HAD_ENOUGH, DEAD}
    _everyone_got_it(bookshop, "1.2", [b for b in BUYERS if b not in left_out])
    for page in (first, again, pages[DEAD]):
        _shows_what_is_new(bookshop, page, "1.2")
    assert "H-1051" in words(_through(bookshop, TWICE[3]))  # the newest of the two
    assert len(bookshop.server.letters) == len(bookshop.told("1.1")) + 46
    assert broken(shop) == {}


def _sell(bookshop: Bookshop) -> dict[str, TestResponse]:
    """Sell to all of them, and twice to some; give the pages of those who come again."""
    pages = {}
    for email in [*BUYERS, *TWICE.values()]:
        if email in (BUYERS[0], TWICE[3], DEAD):
            pages[email] = buy(bookshop.visitor.device(), email=email)
        else:
            simulation.buy(bookshop.shop, "book", email, 1)
    return pages


def _killed_in_the_middle(bookshop: Bookshop, version: str) -> None:
    """Begin the mail by the real command, and kill it while it waits for its rate."""
    words = (*bookshop.release(version), "--rate", "20/s")
    with program("handsel", *words, "--home", bookshop.shop.home) as command:
        command.start()
        wait_until(lambda: len(bookshop.server.letters) >= 15, 30)
    assert 15 <= len(bookshop.server.letters) < len(BUYERS)
    assert campaigning.facts(bookshop.shop, 1)["state"] == "running"


def _goes_on(shop: Shop) -> None:
    """Let another sender go on, when the leases of the killed one are over."""
    with program("tests.faults.senders", shop.home, "1", "3", "ours") as sender:
        sender.start()
        sender.wait()
    found = campaigning.facts(shop, 1)
    assert (found["state"], found["sent"]) == ("finished", len(BUYERS))


def _everyone_got_it(
    bookshop: Bookshop, version: str, who: list[str], *, repeats: int = 0
) -> None:
    """Exactly these, once each; what came again has the same Message-ID."""
    told = bookshop.told(version)
    arrived = Counter(letter.recipients[0].lower() for letter in told)
    assert set(arrived) == set(who)
    assert sum(arrived.values()) - len(arrived) <= repeats
    assert len({letter.message["Message-ID"] for letter in told}) == len(arrived)
    assert len({_link(letter) for letter in told}) == len(arrived)


def _press_the_button_of_the_mail_program(bookshop: Bookshop, email: str) -> None:
    """Leave by the one click of RFC 8058: no page before, no cookie."""
    head = bookshop.told_to("1.1", email).message
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    target = str(head["List-Unsubscribe"]).strip("<>")
    stranger = bookshop.visitor.device()
    pressed = stranger.post(target, {"List-Unsubscribe": "One-Click"})
    assert pressed.status_code == 200


def _come_back(bookshop: Bookshop, email: str) -> None:
    """Let the mail to somebody come back, to the address it said."""
    token = find_token(bookshop.told_to("1.1", email).sender)
    assert token
    back = bookshop.shop.home / "back.eml"
    back.write_bytes(report("postfix", to=email, token=token))
    done = run(bookshop.shop, "mail", "bounces", str(back))
    assert "1 dead addresses" in done.stdout


def _shows_what_is_new(bookshop: Bookshop, page: TestResponse, version: str) -> None:
    """The link of the first mail has the new file, with five fresh downloads."""
    visitor = bookshop.visitor.device()
    now = visitor.get(page.request.path)
    said = words(now)
    assert f"New in {version}" in said
    assert "Mistakes mended." in said
    assert re.search(rf"PDF book\.pdf New in {version} .{{0,60}}5 of 5 left", said)
    fetched = download(visitor, now, _newest_file(now))
    assert fetched.data == f"pdf {version} ".encode() * 900


def _newest_file(page: TestResponse) -> int:
    return max(
        int(number)
        for number in re.findall(
            rf'action="{page.request.path}/(\d+)"', page.get_data(as_text=True)
        )
    )


def _through(bookshop: Bookshop, email: str) -> TestResponse:
    """Open the page that the newest mail to somebody leads to."""
    link = _link(bookshop.told_to("1.2", email))
    return bookshop.visitor.device().get(link)


def _link(letter: Letter) -> str:
    body = letter.message.get_body(("plain",))
    assert body
    (found,) = re.findall(r"http\S+(/d/\w+)", body.get_content())
    return str(found)
