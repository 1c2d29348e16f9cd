"""What a bounce changes, and what nobody can make it change."""

import dataclasses
import re
from datetime import UTC, datetime

import pytest

from handsel import worker
from handsel.kit.signing import Keys
from handsel.models.words import StopReason
from handsel.ops import bouncing, mailing
from handsel.outbound import returning, suppressions
from handsel.outbound.compose import id_letters
from handsel.outbound.transports.smtp import SmtpTransport
from handsel.shop import Shop
from tests import make
from tests.ground import postfix
from tests.ground.cases import Say
from tests.ground.shops import Clock
from tests.ground.smtp import Letter, SmtpServer
from tests.ground.visitor import Visitor, words
from tests.ground.waiting import wait_until
from tests.outbound.reports import SYSTEMS, report
from tests.stories.buyers import buy, mails, order, with_settings
from tests.stories.test_release import OLD, edition, news, release

ANN, BOB = "ann@example.com", "bob@example.com"
BOUNCES = "bounces@example.com"


def by_smtp(shop: Shop, port: int, bounces: str = BOUNCES) -> Shop:
    """The same shop, which sends by a mail server and wants bounces at an address."""
    transport = SmtpTransport("127.0.0.1", port, "none")
    return dataclasses.replace(
        with_settings(shop, "mail", bounces=bounces), transport=transport
    )


def token_for(shop: Shop, email: str, number: str = "H-1001") -> str:
    """The token that mails about an order to this address carry."""
    public_id = order(shop, number).public_id
    found = returning.return_address(shop.keys, BOUNCES, public_id, email)
    return returning.find_token(found)


def come_back(shop: Shop, *raw: bytes, folder: str = "back") -> dict[str, int]:
    """Let mails lie in a folder, and the seller read it."""
    where = shop.home / folder
    where.mkdir(exist_ok=True)
    for i, each in enumerate(raw):
        (where / f"{i}.eml").write_bytes(each)
    found = bouncing.read_path(shop, where)
    return {word: number for word, number in found.items() if number}


def why(shop: Shop, email: str) -> set[StopReason]:
    """Why somebody gets no mails to everyone."""
    with shop.reading() as session:
        return suppressions.reasons(session, email)


def message_id(shop: Shop, to: str, subject: str = "") -> str:
    """The Message-ID of the newest mail to somebody."""
    (path, *_) = [
        mail.path for mail in mails(shop) if mail.to == to and subject in mail.subject
    ]
    found = re.search(rb"(?im)^Message-ID:\s*(<\S+>)", path.read_bytes())
    assert found
    return found[1].decode()


@pytest.fixture
def sold(shop: Shop, visitor: Visitor) -> Shop:
    """A shop that has sold a book to Ann and one to Bob, and mailed them."""
    make.product(shop, files=OLD)
    for name in (ANN, BOB):
        buy(visitor.device(), email=name)
    mails(shop)
    return shop


def test_every_mail_to_a_buyer_says_where_it_comes_back_to(
    shop: Shop, visitor: Visitor, smtp_server: SmtpServer
) -> None:
    make.product(shop, files=OLD)
    buy(visitor.device(), email=ANN)
    buy(visitor.device(), email="قارئ@مثال.example")
    sending = by_smtp(shop, smtp_server.port)
    worker.turn(sending)
    release(sending, edition(sending))
    mailing.send_test(sending, "me@example.com")

    def senders(to: str) -> list[str]:
        return [each.sender for each in smtp_server.letters if to in each.recipients]

    ann = f"bounces+{token_for(shop, ANN)}@example.com"
    assert senders(ANN) == [ann, ann]
    (second, third) = senders("قارئ@xn--mgbh0fb.example")
    assert second == third != ann
    assert re.fullmatch(r"bounces\+[0-9a-z]{42}@example\.com", second)
    assert senders("me@example.com") == [BOUNCES]
    assert all(_from(each) == "books@localhost" for each in smtp_server.letters)


def _from(letter: Letter) -> str:
    return str(letter.message["From"].addresses[0].addr_spec)


def test_without_the_setting_a_mail_comes_back_to_who_sent_it(
    shop: Shop, visitor: Visitor, smtp_server: SmtpServer
) -> None:
    make.product(shop, files=OLD)
    buy(visitor, email=ANN)
    sending = by_smtp(shop, smtp_server.port, bounces="")
    worker.turn(sending)
    release(sending, edition(sending))

    assert [each.sender for each in smtp_server.letters] == ["books@localhost"] * 2


def test_a_bounce_stops_mails_to_everyone_and_nothing_else(
    sold: Shop, visitor: Visitor, clock: Clock
) -> None:
    page = visitor.get(_link(sold, ANN))
    assert "We sent this link to" in words(page)

    raw = report("postfix", to=ANN, token=token_for(sold, ANN))
    assert come_back(sold, raw) == {"read": 1, "hard": 1}

    page = visitor.get(_link(sold, ANN))
    assert page.status_code == 200
    assert "could not be delivered" in words(page)
    assert "Download" in words(page)
    release(sold, edition(sold))
    assert [mail.to for mail in news(sold)] == [BOB]
    before = len(mails(sold))
    visitor.press(page, "/resend")
    assert len(mails(sold)) == before + 1

    assert mailing.lift(sold, ANN) == 1
    assert "could not be delivered" not in words(visitor.get(_link(sold, ANN)))
    assert come_back(sold) == {"read": 1, "repeated": 1}
    clock.move(days=40)
    worker.turn(sold)
    assert come_back(sold) == {"read": 1, "repeated": 1}
    release(sold, edition(sold, "1.2", files={"book.pdf": b"three " * 900}))
    assert [mail.to for mail in news(sold)] == [ANN, BOB, BOB]


def _link(shop: Shop, to: str) -> str:
    (mail, *_) = [each for each in mails(shop) if each.to == to]
    found = re.search(r"/d/\w+", mail.text)
    assert found
    return found[0]


def test_a_buyer_who_corrects_the_address_is_written_to(
    sold: Shop, visitor: Visitor
) -> None:
    token = token_for(sold, ANN)
    come_back(sold, report("exim", to=ANN, token=token))
    page = visitor.get(_link(sold, ANN))
    page = visitor.press_and_follow(page, "/address", {"email": "anna@example.com"})

    assert "could not be delivered" not in words(page)
    assert come_back(sold, report("exim", to=ANN, token=token)) == {
        "read": 1,
        "hard": 1,
    }
    release(sold, edition(sold))
    assert [mail.to for mail in news(sold)] == ["anna@example.com", BOB]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_mail_system_is_believed_by_the_token_alone(
    sold: Shop, system: str
) -> None:
    raw = report(system, to="where@it-was-forwarded.test", token=token_for(sold, ANN))
    assert come_back(sold, raw) == {"read": 1, "hard": 1}
    assert why(sold, ANN) == {StopReason.BOUNCED}


def test_a_token_in_capitals_is_believed(sold: Shop) -> None:
    raw = report("gmail", to=ANN, token=token_for(sold, ANN).upper())
    assert come_back(sold, raw) == {"read": 1, "hard": 1}


def test_without_a_token_recipient_and_message_must_be_of_one_mail(sold: Shop) -> None:
    receipt = message_id(sold, ANN)
    release(sold, edition(sold))
    told = message_id(sold, BOB, "is here")

    right = report("postfix", to="Ann@Example.com", token="", id_=receipt)
    also = report("exchange", to=BOB, token="", id_=told)
    assert come_back(sold, right, also) == {"read": 2, "hard": 2}
    with sold.reading() as session:
        details = [each.detail for each in suppressions.newest(session)]
    assert any("User unknown" in each for each in details)


def test_an_address_of_any_letters_is_believed_with_its_domain_in_ascii(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    arabic = "قارئ@مثال.example"
    buy(visitor, email=arabic)
    wire = "قارئ@xn--mgbh0fb.example"
    raw = report("arabic", to=wire, token="", id_=message_id(shop, wire))

    assert come_back(shop, raw) == {"read": 1, "hard": 1}
    assert why(shop, arabic) == {StopReason.BOUNCED}


def test_a_complaint_stops_at_once_and_is_no_bounce(
    sold: Shop, visitor: Visitor
) -> None:
    raw = report("complaint", to="redacted@example.net", token=token_for(sold, ANN))

    assert come_back(sold, raw) == {"read": 1, "complaint": 1}
    assert why(sold, ANN) == {StopReason.COMPLAINED}
    assert "could not be delivered" not in words(visitor.get(_link(sold, ANN)))


def test_what_is_soft_or_not_understood_changes_nothing(sold: Shop) -> None:
    token = token_for(sold, ANN)
    full = report("postfix", to=ANN, token=token).replace(b"5.1.1", b"5.2.2")
    found = come_back(
        sold,
        report("delayed", to=ANN, token=token),
        full,
        report("qmail", to=ANN, token=token),
        b"\xff\x00 garbage",
    )
    assert found == {"read": 4, "soft": 2, "not_understood": 2}
    assert why(sold, ANN) == set()


@pytest.mark.parametrize("to", ["a\0@b.test", r"\x{0}\x{D800}@b.test", "@", "a" * 9000])
def test_no_address_is_too_strange_for_a_database(sold: Shop, to: str) -> None:
    raw = report("postfix", to=to, token="", id_=message_id(sold, ANN))
    assert come_back(sold, raw) == {"read": 1, "foreign": 1}


def test_forged_bounces_and_complaints_change_nothing(sold: Shop, say: Say) -> None:
    receipt = message_id(sold, ANN)
    release(sold, edition(sold))
    guessed = f"<{id_letters('campaign:1:1')}@localhost>"
    genuine = token_for(sold, ANN)
    strangers = dataclasses.replace(sold, keys=Keys.create())
    wrong = genuine[:-1] + ("a" if genuine[-1] != "a" else "b")
    forged = {
        "an invented token": report("postfix", to=ANN, token="a" * 42, id_=receipt),
        "one letter of the token": report("postfix", to=ANN, token=wrong, id_=receipt),
        "keys of another shop": report("exim", to=ANN, token=token_for(strangers, ANN)),
        "the order of one, the proof of another": report(
            "gmail", to=ANN, token=genuine[:26] + token_for(sold, BOB, "H-1002")[26:]
        ),
        "no token, invented Message-ID": report("postfix", to=ANN, token=""),
        "no token, the Message-ID of another's mail": report(
            "exchange", to=BOB, token="", id_=receipt
        ),
        "no token, a guess": report("postfix", to=ANN, token="", id_=guessed),
        "no token, no Message-ID": report("exim", to=ANN, token="", id_=""),
        "a complaint with nothing": report("complaint", to=ANN, token="", id_="<>"),
    }
    found = come_back(sold, *forged.values())

    say("P21", forged=len(forged), suppressed=found.get("hard", 0))
    assert found == {"read": len(forged), "foreign": len(forged)}
    assert why(sold, ANN) == why(sold, BOB) == set()


@pytest.mark.skipif(bool(postfix.MISSING), reason=postfix.MISSING)
def test_a_genuine_bounce_of_a_real_postfix_is_believed(
    shop: Shop, visitor: Visitor, smtp_server: SmtpServer, clock: Clock
) -> None:
    clock.time = datetime.now(UTC)  # as Postfix will say
    make.product(shop)
    buy(visitor, email=ANN)
    smtp_server.replies[ANN] = "550 5.1.1 User unknown"
    with postfix.running(smtp_server.port) as port:
        worker.turn(by_smtp(shop, port))
        wait_until(lambda: smtp_server.letters, seconds=30)

    (back,) = smtp_server.letters
    assert back.sender in ("", "<>")
    assert back.recipients == (f"bounces+{token_for(shop, ANN)}@example.com",)
    assert come_back(shop, back.raw) == {"read": 1, "hard": 1}
    assert why(shop, ANN) == {StopReason.BOUNCED}
