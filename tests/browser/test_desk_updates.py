"""A real Chromium writes to every buyer, and watches while workers come and go."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from handsel.models import Recipient
from handsel.models.words import RecipientState
from handsel.ops.verify import verify
from handsel.shop import Shop, open_shop
from handsel.web import create_app
from tests.browser.test_desk_door import faults_of
from tests.faults.processes import program
from tests.faults.test_broadcast_kill import many_buyers
from tests.ground.chromium import PHONE, visit
from tests.ground.smtp import SmtpServer
from tests.ground.waiting import wait_until
from tests.stories.buyers import with_settings
from tests.stories.desks import EMAIL, Seller, hire
from tests.web.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

CONNECTIONS = 2


@pytest.fixture
def mail(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """A mail server that takes its time, which the shop and its workers use.

    `home` comes before: it clears the environment.
    """
    assert home
    with SmtpServer() as server:
        server.letter_delay = 0.05
        monkeypatch.setenv("HANDSEL_MAIL__TRANSPORT", "smtp")
        monkeypatch.setenv("HANDSEL_MAIL__HOST", server.host)
        monkeypatch.setenv("HANDSEL_MAIL__PORT", str(server.port))
        monkeypatch.setenv("HANDSEL_MAIL__SECURITY", "none")
        monkeypatch.setenv("HANDSEL_MAIL__CONNECTIONS", str(CONNECTIONS))
        yield server


@pytest.fixture
def desk(mail: SmtpServer, home: Path) -> Iterator[Shop]:
    """A shop by the real clock, as its workers have it, open for a browser."""
    with_clock = open_shop(home)
    app = create_app(with_clock)
    with serving(app) as server:
        there = with_settings(with_clock, "shop", url=server.url)
        app.extensions["handsel"] = there
        yield there
    with_clock.close()


def come_in(page: Page, seller: Seller, place: str = "/admin/updates") -> None:
    """Open a page of the desk as somebody who is signed in already."""
    url = seller._base
    token = seller.client.get_cookie("handsel_staff", domain="127.0.0.1")
    assert token
    cookie = {"name": "handsel_staff", "value": token.value, "url": url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"{url}{place}")


def write(page: Page) -> None:
    """Write a mail of words; what is typed is there after a reload."""
    page.get_by_role("link", name="Write to everyone").click()
    page.get_by_label("Words alone").check()
    assert faults_of(page) == []
    page.get_by_role("button", name="Begin to write").click()
    page.get_by_label("Subject").fill("A reading in June")
    page.get_by_label("What you write").press_sequentially("Come *all* of you.")
    expect(page.locator("#kept")).to_contain_text("Kept at")
    page.reload()
    expect(page.get_by_label("What you write")).to_have_value("Come *all* of you.")
    expect(page.get_by_label("Subject")).to_have_value("A reading in June")
    assert faults_of(page) == []


def look_and_try(page: Page, mail: SmtpServer, buyers: int) -> None:
    """Look at the mail as it will be, and send one to oneself."""
    page.get_by_role("button", name="Look at it").click()
    frame = page.frame_locator("iframe.mail-html")
    expect(frame.get_by_text("Come all of you.")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"{buyers:,} buyers get it")
    assert faults_of(page) == []
    page.get_by_role("button", name="Send this one now").click()
    expect(page.get_by_text(f"One mail is out to {EMAIL}")).to_be_visible()
    assert [letter.recipients for letter in mail.letters] == [(EMAIL,)]


def number(page: Page, name: str) -> int:
    """Read a number off the page that shows how far it has come."""
    figure = page.locator(".figures > div").filter(has=page.get_by_text(name))
    return int(figure.locator("dd").inner_text().split()[0].replace(",", ""))


def steer(page: Page, label: str, word: str) -> None:
    """Press a button, and wait until the page says what it has come to."""
    page.get_by_role("button", name=label, exact=True).click()
    expect(page.locator(".state strong")).to_have_text(word)


def to_everyone(page: Page, desk: Shop, mail: SmtpServer, buyers: int) -> None:
    """Write, try, send, watch, pause, go on; kill a worker, and let another end it."""
    many_buyers(desk, buyers)
    before = untrue(desk)
    come_in(page, hire(desk))
    write(page)
    look_and_try(page, mail, buyers)
    mail.letters.clear()

    page.get_by_role("button", name=f"Send to {buyers:,} buyers").dblclick()
    expect(page.locator(".state strong")).to_have_text("Running")
    expect(page.get_by_text("the worker of the shop does not run")).to_be_visible()

    with program("handsel", "worker", "--home", desk.home) as worker:
        worker.start()
        # Nobody reloads: the page looks by itself.
        wait_until(lambda: number(page, "Sent") > 3, 30)
        expect(page.get_by_text("the worker of the shop")).to_be_hidden(timeout=15_000)
        page.get_by_text("Cancel it").click()
        steer(page, "Pause", "Paused")
        wait_until(lambda: not on_their_way(desk), 30)
        assert faults_of(page) == []
        arrived = len(mail.letters)
        assert arrived < buyers
        page.reload()
        assert number(page, "Sent") == arrived
        steer(page, "Go on", "Running")
        wait_until(lambda: len(mail.letters) >= arrived + 3, 30)
        worker.kill()
    assert number(page, "Sent") < buyers
    # Another takes over, by a clock for which the leases of the dead one are over.
    sent = ("tests.faults.senders", desk.home, "1", "30", "ours")
    with program(*sent) as other:
        other.start()
        other.wait()

    expect(page.locator(".state strong")).to_have_text("Finished", timeout=15_000)
    assert number(page, "Sent") == buyers
    assert number(page, "Remaining") == 0
    every_buyer_got_one(mail, buyers)
    assert untrue(desk) == before


def untrue(desk: Shop) -> list[str]:
    """What `handsel verify` finds wrong: buyers that were made up paid nothing."""
    found = verify(desk.database, desk.storage, desk.now())
    return [each.id for each in found if not each.ok]


def on_their_way(desk: Shop) -> bool:
    """Whether a worker holds any mail at this moment."""
    held = select(Recipient.id).where(Recipient.state == RecipientState.SENDING)
    with desk.reading() as session:
        return session.scalar(held.limit(1)) is not None


def every_buyer_got_one(mail: SmtpServer, buyers: int) -> None:
    """Nobody is missing; what came again, after a kill, is known by its name as the same."""
    arrived = Counter(letter.recipients[0] for letter in mail.letters)
    names = {letter.message["Message-ID"] for letter in mail.letters}
    assert len(arrived) == len(names) == buyers
    assert sum(arrived.values()) - buyers <= CONNECTIONS


def test_a_seller_writes_to_everyone_and_watches_it_arrive(
    page: Page, desk: Shop, mail: SmtpServer
) -> None:
    to_everyone(page, desk, mail, 50)
    page.get_by_role("link", name="of 50").click()
    expect(page.get_by_role("row")).to_have_count(51)
    assert faults_of(page) == []
    page.goto(f"{desk.settings.public_url}/admin/updates")
    expect(page.get_by_role("row", name="A reading in June")).to_contain_text(
        "50 of 50"
    )
    assert faults_of(page) == []


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_a_thousand_buyers_get_one_mail_each(
    page: Page, desk: Shop, mail: SmtpServer
) -> None:
    to_everyone(page, desk, mail, 1000)


def test_what_is_typed_outlives_a_line_that_breaks_and_another_tab(
    page: Page, desk: Shop
) -> None:
    many_buyers(desk, 3)
    seller = hire(desk)
    come_in(page, seller, "/admin/updates/new")
    page.get_by_label("Words alone").check()
    page.get_by_role("button", name="Begin to write").click()
    page.wait_for_url("**/drafts/1")
    kept = page.locator("#kept")

    page.route("**/keep", lambda route: route.abort())
    page.get_by_label("Subject").fill("Over a bad line")
    expect(kept).to_contain_text("Not kept: the shop does not answer.")
    page.unroute("**/keep")
    expect(kept).to_contain_text("Kept at", timeout=10_000)

    other = page.context.new_page()
    come_in(other, seller, "/admin/updates/drafts/1")
    expect(other.get_by_label("Subject")).to_have_value("Over a bad line")
    other.get_by_label("Subject").fill("From the other tab")
    expect(other.locator("#kept")).to_contain_text("Kept at")

    page.get_by_label("What you write").fill("From the first tab")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("in another tab")
    assert faults_of(page) == []
    alert.get_by_role("button", name="Keep what stands here").click()
    expect(page.get_by_text("It is kept.")).to_be_visible()
    expect(page.get_by_label("What you write")).to_have_value("From the first tab")
    expect(page.get_by_label("Subject")).to_have_value("Over a bad line")


def test_an_edition_goes_out_from_a_phone_without_scripts(
    browser: Browser, desk: Shop, mail: SmtpServer, tmp_path: Path
) -> None:
    many_buyers(desk, 3)
    narrow = PHONE | {"viewport": {"width": 320, "height": 568}}
    with visit(
        browser, java_script_enabled=False, color_scheme="dark", **narrow
    ) as page:
        come_in(page, hire(desk))
        page.get_by_role("link", name="Write to everyone").click()
        page.get_by_role("button", name="Begin to write").click()
        page.get_by_label("Version", exact=True).fill("1.1")
        page.get_by_label("What is new").fill("Everything.")
        page.get_by_role("button", name="Keep this, and send files").click()
        book = tmp_path / "book.epub"
        book.write_bytes(b"second" * 100)
        page.get_by_label("Files").set_input_files(book)
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("link", name="Back to the update").click()
        expect(page.get_by_label("Version", exact=True)).to_have_value("1.1")
        page.get_by_label("book.epub").check()
        assert _overflow(page) <= 0
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_text("New: book.epub")).to_be_visible()
        assert _overflow(page) <= 0
        page.get_by_role("button", name="Send to 3 buyers").click()
        expect(page.locator(".state strong")).to_have_text("Running")
        assert _overflow(page) <= 0
        with program("tests.faults.senders", desk.home, "1", "0", "ours") as sender:
            sender.start()
            sender.wait()
        page.reload()
        expect(page.locator(".state strong")).to_have_text("Finished")
        every_buyer_got_one(mail, 3)


def _overflow(page: Page) -> int:
    """Say by how many pixels a page is wider than the screen."""
    sizes = page.locator("html").evaluate(
        "each => [each.scrollWidth, each.clientWidth]"
    )
    return int(sizes[0]) - int(sizes[1])
