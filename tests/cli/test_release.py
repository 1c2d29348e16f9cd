"""`handsel release` and `mail broadcast`: what they show, ask, refuse, and how they stop."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from handsel.models import Campaign, Order
from handsel.models.words import StopReason
from handsel.outbound import suppressions
from handsel.outbound.transports.folder import read_folder
from handsel.shop import Shop, open_shop, utc_now
from tests import make
from tests.cli.test_keep import facts, on_sqlite, real, run
from tests.ground.shops import Clock
from tests.ground.smtp import SmtpServer
from tests.ground.waiting import wait_until
from tests.ops import keeping
from tests.outbound.test_pace import begun, send

NAMES = {
    *("release", "product", "version", "recipients", "skipped", "sent", "failed"),
    *("remaining", "state"),
}


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold three books."""
    make.product(shop, files={"book.epub": b"one", "book.pdf": b"one"})
    keeping.buy(shop, 3)
    return shop


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    """The new edition."""
    return str(make.book_file(tmp_path, "book-2.pdf", b"two"))


def ask(shop: Shop, pdf: str, *words: str) -> tuple[str, ...]:
    """The words of a new edition."""
    return ("release", "book", pdf, "--version", "1.1", *words)


def mailed(shop: Shop) -> int:
    """How many mails there are."""
    return len(read_folder(shop.home / "mail"))


def test_a_dry_run_shows_everything_and_changes_nothing(sold: Shop, pdf: str) -> None:
    keeping.refund(sold, "H-1002", 1500)
    stored = set(sold.storage.names())

    shown = run(sold, *ask(sold, pdf, "--dry-run"))
    said = facts(sold, *ask(sold, pdf, "--dry-run"))

    assert shown.exit_code == 0, shown.output
    for words in (
        "new    book-2.pdf, 3 bytes, in place of book.pdf",
        "stays  book.epub",
        "2 get the mail",
        "1 do not: refunded",
        "Subject: The Book 1.1 is here",
    ):
        assert words in shown.stdout
    assert isinstance(said, dict)
    assert set(said) >= NAMES
    assert (said["recipients"], said["skipped"]) == (2, 1)
    assert set(sold.storage.names()) == stored
    assert mailed(sold) == 0
    assert run(sold, "product", "show", "book").stdout.count("1.1") == 0


def test_a_dry_run_of_what_was_sent_says_that_it_was_sent(sold: Shop, pdf: str) -> None:
    before = facts(sold, *ask(sold, pdf, "--dry-run"))
    sent = facts(sold, *ask(sold, pdf, "--yes"))

    said = facts(sold, *ask(sold, pdf, "--dry-run"))
    shown = run(sold, *ask(sold, pdf, "--dry-run"))

    assert isinstance(before, dict)
    assert isinstance(sent, dict)
    assert isinstance(said, dict)
    assert (before["state"], before["campaign"]) == ("planned", None)
    assert set(before) >= set(sent)  # programs find the same names
    assert said == sent
    assert (said["state"], said["sent"], said["remaining"]) == ("finished", 3, 0)
    assert "3 of 3 sent" in shown.stdout
    assert mailed(sold) == 3


def test_a_dry_run_of_a_mail_for_later_says_when_and_to_whom(
    sold: Shop, pdf: str
) -> None:
    call = ask(sold, pdf, "--at", "2099-01-31T09:00")
    facts(sold, *call, "--yes")

    said = facts(sold, *call, "--dry-run")

    assert isinstance(said, dict)
    assert (said["state"], said["recipients"]) == ("scheduled", 3)
    assert said["at"].startswith("2099-01-3")


def test_erased_buyers_are_not_counted_as_people_by_their_purchases(
    sold: Shop, pdf: str
) -> None:
    keeping.buy(sold, 1)  # reader1 once more
    with sold.transaction() as session:
        gone = update(Order).where(Order.email == "reader1@example.com")
        session.execute(gone.values(email=None, customer_id=None))

    planned = facts(sold, *ask(sold, pdf, "--dry-run"))
    shown = run(sold, *ask(sold, pdf, "--dry-run")).stdout
    sent = facts(sold, *ask(sold, pdf, "--yes"))

    assert isinstance(planned, dict)
    assert isinstance(sent, dict)
    for said in (planned, sent):
        assert (said["recipients"], said["skipped"]) == (2, 0)
    assert planned["erased_orders"] == 2
    assert "2 get the mail" in shown
    assert "2 purchases are of buyers who were erased" in shown


def test_yes_sends_it_and_says_how_it_went(sold: Shop, pdf: str) -> None:
    said = facts(sold, *ask(sold, pdf, "--yes"))

    assert isinstance(said, dict)
    assert set(said) >= NAMES
    assert (said["state"], said["sent"], said["remaining"]) == ("finished", 3, 0)
    assert mailed(sold) == 3
    again = run(sold, *ask(sold, pdf, "--yes"))
    assert "3 of 3 sent" in again.stdout
    assert mailed(sold) == 3
    listed = run(sold, "release", "status").stdout
    assert "finished" in listed
    assert "3 of 3" in listed
    assert "3 of 3 sent" in run(sold, "release", "status", "book").stdout


def test_without_anybody_to_ask_it_wants_a_word(sold: Shop, pdf: str) -> None:
    refused = run(sold, *ask(sold, pdf))

    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert mailed(sold) == 0
    assert "1.1" not in run(sold, "product", "show", "book").stdout


def test_a_test_goes_to_one_address_and_opens_nothing(sold: Shop, pdf: str) -> None:
    tried = run(sold, *ask(sold, pdf, "--test", "me@example.com"))

    assert tried.exit_code == 0, tried.output
    (mail,) = read_folder(sold.home / "mail")
    assert mail.to == "me@example.com"
    assert "1.1" not in run(sold, "product", "show", "book").stdout


def test_no_mail_only_puts_the_files_there(sold: Shop, pdf: str) -> None:
    done = facts(sold, *ask(sold, pdf, "--no-mail"))

    assert isinstance(done, dict)
    assert done["state"] == "published"
    assert mailed(sold) == 0
    shown = run(sold, "product", "show", "book").stdout
    assert "book-2.pdf" in shown
    assert "book.epub" in shown


REFUSED = [
    (["release", "nothing", "{pdf}", "--version", "1.1", "--yes"], 3),
    (["release", "book", "{pdf}.gone", "--version", "1.1", "--yes"], 2),
    (["release", "book", "{pdf}", "--yes"], 2),
    (["release", "book", "--version", "1.1", "--yes"], 2),
    (["release", "book", "{pdf}", "{pdf}", "--version", "1.1", "--yes"], 2),
    (["release", "book", "{pdf}", "--version", " ", "--yes"], 2),
    (["release", "book", "{pdf}", "--version", "1.0", "--yes"], 1),
    (["release", "book", "{pdf}", "--version", "2", "--to", "all", "--yes"], 2),
    (["release", "book", "{pdf}", "--version", "2", "--to", "below:9", "--yes"], 3),
    (["release", "book", "{pdf}", "--version", "2", "--rate", "fast", "--yes"], 2),
    (["release", "book", "{pdf}", "--version", "2", "--at", "soon", "--yes"], 2),
    (
        [
            "release",
            "book",
            "{pdf}",
            "--version",
            "2",
            "--at",
            "2020-01-01",
            "--yes",
        ],
        2,
    ),
    (["release", "book", "{pdf}", "--version", "2", "--test", "nobody"], 2),
    (["release", "book", "{pdf}", "--version", "2", "--notes", "{pdf}.md"], 2),
    (["release", "book", "{book}", "--version", "2", "--yes"], 2),
    (["release", "status", "nothing"], 3),
    (["release", "status", "book"], 3),
    (["release", "status", "77"], 3),
    (["release", "pause", "book"], 3),
    (["mail", "broadcast", "book", "--subject", " ", "--body", "{pdf}"], 2),
    (["mail", "lift", "nobody@example.com"], 3),
]


def test_what_cannot_be_is_said_in_a_sentence_and_nothing_changes(
    sold: Shop, pdf: str
) -> None:
    book = sold.home / "to-sell" / "book" / "book.epub"
    for words, code in REFUSED:
        ended = real(sold.home, *(word.format(pdf=pdf, book=book) for word in words))
        assert ended.returncode == code, f"{words}: {ended.stderr}"
        assert "Error: " in ended.stderr, words
        assert "Traceback" not in ended.stderr, words
        assert mailed(sold) == 0, words
        shown = run(sold, "product", "show", "book").stdout
        assert "book-2.pdf" not in shown, words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pasue", "pause"),
        ("resmue", "resume"),
        ("staus", "status"),
        ("Cancel", "cancel"),
    ],
)
def test_a_mistyped_command_is_told_the_right_one(
    typed: str, meant: str, sold: Shop
) -> None:
    wrong = run(sold, "release", typed, "book")

    assert wrong.exit_code == 2
    assert f"Did you mean `handsel release {meant}`?" in wrong.stderr
    assert "--version" in wrong.stderr  # for a product that is called so


def test_a_product_called_almost_like_a_command_is_released_all_the_same(
    shop: Shop, pdf: str
) -> None:
    make.product(shop, slug="pauses", files={"book.pdf": b"one"})

    for words in (["pauses", pdf], ["new", "pauses", pdf]):
        call = ("release", *words, "--version", "1.1", "--dry-run")
        assert run(shop, *call).exit_code == 0
    assert run(shop, "release", "pauses", pdf, "--version=1.1", "--yes").exit_code == 0


def test_a_cancelled_mail_says_how_it_is_sent_after_all(sold: Shop, pdf: str) -> None:
    run(sold, *ask(sold, pdf, "--yes", "--at", "2099-01-31T09:00"))

    ended = run(sold, "release", "cancel", "book")
    again = run(sold, *ask(sold, pdf, "--yes"))
    after_all = facts(sold, "release", "resume", "book")

    for said in (ended, again):
        assert "cancelled" in said.stdout
        assert "handsel release resume 1" in said.stderr
    assert isinstance(after_all, dict)
    assert after_all["state"] == "scheduled"


def mail_to(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shops that are opened from now on send their mail there."""
    monkeypatch.setenv("HANDSEL_MAIL__TRANSPORT", "smtp")
    monkeypatch.setenv("HANDSEL_MAIL__HOST", server.host)
    monkeypatch.setenv("HANDSEL_MAIL__PORT", str(server.port))
    monkeypatch.setenv("HANDSEL_MAIL__SECURITY", "none")


def test_status_says_how_fast_it_goes_and_how_long_it_takes(
    shop: Shop, clock: Clock
) -> None:
    campaign = begun(shop)
    send(shop, clock, campaign, 10, every=0.1)

    said = facts(shop, "release", "status", "book")
    shown = run(shop, "release", "status", "book").stdout

    assert isinstance(said, dict)
    assert said["rate"] > 0
    assert said["seconds_left"] > 0
    assert re.search(r"10 of 30 sent, 20 remaining, [\d.]+/s, \d+ s left", shown)
    run(shop, "release", "pause", "book")
    assert "left" not in run(shop, "release", "status", "book").stdout


@on_sqlite
def test_ctrl_c_pauses_and_resume_goes_on(
    home: Path, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_to(smtp_server, monkeypatch)
    shop = open_shop(home, clock=utc_now)
    make.product(shop)
    keeping.buy(shop, 12)
    new = make.book_file(tmp_path, "book.epub", b"two")
    command = [
        *(sys.executable, "-m", "handsel", "release", "book", str(new)),
        *("--version", "1.1", "--yes", "--rate", "3/m", "--home", str(home)),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        wait_until(lambda: bool(smtp_server.letters), 30)
        os.kill(running.pid, signal.SIGINT)
        out, _ = running.communicate(timeout=30)

    assert running.returncode == 130
    assert "book 1.1: paused" in out
    assert "interrupted by hand" in out
    assert len(smtp_server.letters) < 12
    with shop.transaction() as session:  # the rest as fast as it can
        session.execute(update(Campaign).values(gap_us=0, next_at=shop.now()))
    resumed = real(home, "release", "resume", "book")
    assert resumed.returncode == 0, resumed.stderr
    assert "12 of 12 sent" in resumed.stdout
    arrived = [letter.recipients[0] for letter in smtp_server.letters]
    assert len(arrived) == len(set(arrived)) == 12
    shop.close()


@on_sqlite
def test_who_was_refused_is_listed_and_can_be_tried_again(
    home: Path, smtp_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_to(smtp_server, monkeypatch)
    shop = open_shop(home, clock=utc_now)
    make.product(shop)
    keeping.buy(shop, 3)
    smtp_server.replies["reader2@example.com"] = "550 5.1.1 No such user here"
    new = make.book_file(tmp_path, "book.epub", b"two")
    sent = run(shop, "release", "book", str(new), "--version", "1.1", "--yes")

    assert "2 of 3 sent, 1 failed" in sent.stdout
    assert "failed: reader2@example.com: " in sent.stdout
    assert "550 5.1.1 No such user here" in sent.stdout
    smtp_server.replies.clear()
    again = run(shop, "release", "retry", "book")
    assert "3 of 3 sent" in again.stdout
    assert run(shop, "release", "retry", "book").exit_code == 1
    shop.close()


def test_links_of_the_notes_lead_somewhere_from_a_mail(
    sold: Shop, pdf: str, tmp_path: Path
) -> None:
    notes = make.book_file(
        tmp_path, "notes.md", b"[Another](/p/other) book, and [fixes](#fixes)."
    )

    done = run(sold, *ask(sold, pdf, "--notes", str(notes), "--yes"))

    assert "#fixes leads nowhere from a mail" in done.stderr
    assert "/p/other leads" not in done.stderr
    whole = f"{sold.settings.public_url}/p/other"
    for mail in read_folder(sold.home / "mail"):
        assert f"[Another]({whole})" in mail.text
        assert f'href="{whole}"' in mail.html


def test_words_alone_go_to_everyone_too(sold: Shop, tmp_path: Path) -> None:
    words = tmp_path / "words.md"
    words.write_text("I read on **Sunday**, [there](/p/book).")
    call = ("mail", "broadcast", "book", "--subject", "Reading", "--body", str(words))

    planned = facts(sold, *call, "--dry-run")
    sent = facts(sold, *call, "--yes")

    assert isinstance(planned, dict)
    assert planned["recipients"] == 3
    assert isinstance(sent, dict)
    assert (sent["sent"], sent["state"], sent["subject"]) == (3, "finished", "Reading")
    assert mailed(sold) == 3
    whole = f"[there]({sold.settings.public_url}/p/book)"
    assert all(whole in mail.text for mail in read_folder(sold.home / "mail"))
    assert run(sold, *call, "--yes").exit_code == 1


def test_who_wants_no_mails_is_listed_and_lifted(sold: Shop) -> None:
    assert "Everybody" in run(sold, "mail", "stopped").stdout
    with sold.transaction() as session:
        suppressions.stop(
            session, "Reader1@Example.com", StopReason.BOUNCED, sold.now(), "550 gone"
        )

    shown = run(sold, "mail", "stopped").stdout
    listed = facts(sold, "mail", "stopped")
    lifted = run(sold, "mail", "lift", "reader1@example.com")

    assert "550 gone" in shown
    assert isinstance(listed, list)
    assert listed[0]["reason"] == "bounced"
    assert lifted.exit_code == 0
    assert "Everybody" in run(sold, "mail", "stopped").stdout
