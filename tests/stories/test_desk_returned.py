"""Mails that came back, at the desk: from the mailbox, and one as a file."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from handsel.kit.errors import ConflictError
from handsel.models import AuditEntry
from handsel.models.words import StopReason
from handsel.ops.desk import returned
from handsel.shop import Shop
from handsel.web.admin.stopped import LARGEST
from tests import make
from tests.ground.imap import PASSWORD, Folder, Wire
from tests.ground.visitor import Visitor, words
from tests.ground.waiting import wait_until
from tests.outbound.reports import report
from tests.stories.buyers import buy, with_settings
from tests.stories.desks import Seller
from tests.stories.running import cut_off, that_runs
from tests.stories.test_bounces import token_for, why

ANN = "ann@example.com"
STOPPED = "/admin/mails/stopped"


@pytest.fixture
def sold(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold a book to Ann."""
    make.product(shop)
    buy(visitor, email=ANN)
    return shop


@pytest.fixture
def reading(
    sold: Shop, seller: Seller, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """The same, with a mailbox that its settings name, here and in other processes."""
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_MAILBOX", wire.address)
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_PASSWORD", PASSWORD)
    named = with_settings(
        sold, "mail", bounce_mailbox=wire.address, bounce_password=SecretStr(PASSWORD)
    )
    seller.app.extensions["handsel"] = named
    return named


def bounce(shop: Shop, system: str, at: datetime) -> bytes:
    """What a mail server says of a mail to Ann."""
    return report(system, to=ANN, token=token_for(shop, ANN), at=at)


def sent(seller: Seller, raw: bytes, name: str = "back.eml") -> str:
    """Send one mail as a file; give the page that answers."""
    fields: Any = {"mail": (io.BytesIO(raw), name)}
    return words(seller.press_and_follow(seller.get(STOPPED), "/returned", fields))


def noted(shop: Shop) -> list[str]:
    """Give what the log has about mails."""
    with shop.reading() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        return [each for each in found if each.startswith("mail.")]


def test_the_mailbox_is_read_beside_the_pages(
    reading: Shop, seller: Seller, folder: Folder
) -> None:
    # The command goes by the real clock, and looks at the last four weeks.
    now = datetime.now(UTC)
    raw = bounce(reading, "gmail", now)
    folder.put(raw.replace(b"\n", b"\r\n"), now)

    begun = seller.do(seller.get(STOPPED), "/mails/mailbox")
    assert "The mailbox is being read" in words(begun)
    wait_until(lambda: not returned.last(reading).run.running)

    page = words(seller.get(STOPPED))
    assert "1 mails read; 1 dead addresses" in page
    assert ANN in page
    assert why(reading, ANN) == {StopReason.BOUNCED}
    assert noted(reading) == ["mail.mailbox_read"]


def test_a_mailbox_that_lets_nobody_in_is_said_in_words(
    reading: Shop, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_MAIL__BOUNCE_PASSWORD", "of somebody else")
    seller.do(seller.get(STOPPED), "/mails/mailbox")
    wait_until(lambda: not returned.last(reading).run.running)
    page = words(seller.get(STOPPED))
    assert "cannot be read now" in page
    assert "mail.bounce_password" in page
    assert "of somebody else" not in page


def test_the_mailbox_is_read_once_at_a_time_and_what_was_cut_off_says_so(
    reading: Shop, seller: Seller
) -> None:
    state = reading.home / "desk" / "mailbox.run"
    with that_runs(state):
        page = seller.get(STOPPED)
        assert "is being read, since 2026-11-23 11:59 UTC" in words(page)
        assert f'id="reading" hx-get="{STOPPED}" hx-trigger="every 3s"' in page.text
        wrong = seller.press(page, "/returned")
        assert wrong.status_code == 422
        for each in (page, wrong):  # a file that was chosen stays chosen
            assert "refresh" not in each.text
            assert f'<a class="target" href="{STOPPED}">Look again' in each.text
        again = seller.do(page, "/mails/mailbox")
        assert again.status_code == 409
        assert "being read already" in words(again)
    cut_off(state)
    assert "It was cut off" in words(seller.get(STOPPED))


def test_without_a_mailbox_it_is_said_where_to_name_one(
    shop: Shop, seller: Seller
) -> None:
    page = seller.get(STOPPED)
    assert 'href="/admin/settings/mail#mail.bounce_mailbox"' in page.text
    assert "Read the mailbox now" not in page.text
    with pytest.raises(ConflictError, match="no mailbox"):
        returned.start(shop)


def test_one_mail_that_came_back_is_sent_as_a_file(sold: Shop, seller: Seller) -> None:
    raw = bounce(sold, "postfix", sold.now())
    late = bounce(sold, "delayed", sold.now())

    assert "not delivered this time" in sent(seller, late)
    assert why(sold, ANN) == set()
    page = sent(seller, b"From MAILER-DAEMON Mon Nov 23 2026\n" + raw)
    assert "The address is dead" in page
    assert ANN in page
    assert why(sold, ANN) == {StopReason.BOUNCED}
    assert "It was read before" in sent(seller, raw)
    assert "about no mail of this shop" in sent(
        seller, report("postfix", to="zoe@example.com", token="", at=sold.now())
    )
    assert noted(sold) == ["mail.returned_read"] * 4


def test_a_complaint_is_one(sold: Shop, seller: Seller) -> None:
    assert "It is a complaint" in sent(seller, bounce(sold, "complaint", sold.now()))
    assert why(sold, ANN) == {StopReason.COMPLAINED}


@pytest.mark.parametrize(
    ("raw", "name", "said"),
    [
        (b"", "", "No file was chosen"),
        (b"", "back.eml", "no mail that came back"),
        (b"%PDF-1.7 \xff", "book.pdf", "no mail that came back"),
        (b"Subject: x\n\nThank you.\n", "x.eml", "no mail that came back"),
    ],
    ids=["none", "empty", "pdf", "other"],
)
def test_what_is_no_such_mail_is_said_at_its_field(
    sold: Shop, seller: Seller, raw: bytes, name: str, said: str
) -> None:
    fields: Any = {"mail": (io.BytesIO(raw), name)}
    answer = seller.press(seller.get(STOPPED), "/returned", fields)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'aria-invalid="true"' in answer.text
    assert why(sold, ANN) == set()


def test_a_file_too_large_for_a_mail_is_refused_in_words(seller: Seller) -> None:
    # Written by hand: the client of the tests leaves a file open behind so much.
    parts = (
        *(b"--x", b'Content-Disposition: form-data; name="form_token"', b""),
        *(seller.form_word().encode(), b"--x"),
        b'Content-Disposition: form-data; name="mail"; filename="x.eml"',
        *(b"", b"x" * (LARGEST + 1), b"--x--", b""),
    )
    answer = seller._ask(
        "POST",
        "/admin/uploads/returned",
        data=b"\r\n".join(parts),
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 422
    assert "too much for a mail that came back" in words(answer)
