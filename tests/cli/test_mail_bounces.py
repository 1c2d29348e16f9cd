"""`handsel mail bounces`: from a Maildir, an mbox, a folder, one mail, a pipe."""

import mailbox
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from handsel.cli import handsel
from handsel.outbound import bounces as reading
from handsel.outbound import returning
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import facts, real, run
from tests.ground import ready
from tests.ops import keeping
from tests.outbound.reports import report

NONE = {
    "read": 0,
    "hard": 0,
    "soft": 0,
    "complaint": 0,
    "foreign": 0,
    "repeated": 0,
    "not_understood": 0,
}


@pytest.fixture
def back(shop: Shop) -> list[bytes]:
    """What came back of two mails: a bounce, a complaint, a delay and a reply."""
    make.product(shop)
    sold = keeping.buy(shop, 2)
    first, second = [_token(shop, each["number"], each["email"]) for each in sold]
    now = shop.now()
    return [
        report("postfix", to=sold[0]["email"], token=first, at=now),
        report("complaint", to=sold[1]["email"], token=second, at=now),
        report("delayed", to=sold[1]["email"], token=second, at=now),
        b"Subject: Thank you\n\nA nice book.\n",
    ]


def _token(shop: Shop, number: str, email: str) -> str:
    public_id = keeping.order_of(shop, number).public_id
    address = returning.return_address(shop.keys, "b@example.com", public_id, email)
    return returning.find_token(address)


def maildir(path: Path, mails: list[bytes]) -> None:
    """A Maildir with new mails and one that somebody has seen."""
    box = mailbox.Maildir(path)
    for raw in mails:
        box.add(raw)
    seen = next((path / "new").iterdir())
    seen.rename(path / "cur" / f"{seen.name}:2,S")


def mbox(path: Path, mails: list[bytes]) -> None:
    """An mbox file."""
    box = mailbox.mbox(path)
    for raw in mails:
        box.add(raw)
    box.close()


def folder(path: Path, mails: list[bytes]) -> None:
    """A folder of mails, with something else in it."""
    path.mkdir()
    for i, raw in enumerate(mails):
        (path / f"{i}.eml").write_bytes(raw)
    (path / "notes.txt").write_text("not a mail")


@pytest.mark.parametrize("kind", [maildir, mbox, folder])
def test_bounces_are_read_from_wherever_they_lie_and_only_once(
    shop: Shop, back: list[bytes], kind: Callable[[Path, list[bytes]], None]
) -> None:
    path = shop.home / "back"
    kind(path, back)
    before = _content(path)

    first = facts(shop, "mail", "bounces", str(path))
    again = facts(shop, "mail", "bounces", str(path))
    stopped = facts(shop, "mail", "stopped")

    assert first == NONE | {
        "read": 4,
        "hard": 1,
        "complaint": 1,
        "soft": 1,
        "not_understood": 1,
    }
    assert again == NONE | {"read": 4, "repeated": 2, "soft": 1, "not_understood": 1}
    assert isinstance(stopped, list)
    assert {(each["email"], each["reason"]) for each in stopped} == {
        ("reader1@example.com", "bounced"),
        ("reader2@example.com", "complained"),
    }
    assert _content(path) == before


def _content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return {str(file): file.read_bytes() for file in files}


def test_the_answer_to_people_says_what_each_came_to_and_what_next(
    shop: Shop, back: list[bytes]
) -> None:
    folder(shop.home / "back", back)
    shown = run(shop, "mail", "bounces", str(shop.home / "back"))

    assert shown.exit_code == 0, shown.output
    assert "4 mails read" in shown.stdout
    assert "1 dead addresses" in shown.stdout
    assert "not proved" not in shown.stdout
    assert "handsel mail stopped" in shown.stderr


@pytest.mark.parametrize("mark", [b"", b"From MAILER-DAEMON Mon Nov 23 2026\n"])
def test_a_mail_server_hands_one_mail_over_a_pipe(
    shop: Shop, back: list[bytes], mark: bytes
) -> None:
    done = CliRunner().invoke(
        handsel,
        ["mail", "bounces", "--json", "--home", str(shop.home)],
        input=mark + back[0],
    )
    assert done.exit_code == 0, done.output
    assert '"hard": 1' in done.stdout


def test_a_huge_mail_over_a_pipe_is_taken_to_its_end(shop: Shop) -> None:
    mail = b"Subject: x\n\n" + b"x" * (3 * reading.MOST)
    done = ready.call("mail", "bounces", "-", "--home", str(shop.home), given=mail)
    assert done.returncode == 0, done.stderr
    assert "1 not understood" in done.stdout


def test_nothing_over_a_pipe(shop: Shop) -> None:
    done = CliRunner().invoke(
        handsel, ["mail", "bounces", "-", "--home", str(shop.home)], input=b""
    )
    assert (done.exit_code, done.stdout) == (0, "There was no mail to read.\n")


def test_a_path_that_leads_nowhere_is_a_sentence(shop: Shop) -> None:
    (shop.home / "empty").mkdir()
    nowhere = real(shop.home, "mail", "bounces", str(shop.home / "nowhere"))
    empty = real(shop.home, "mail", "bounces", str(shop.home / "empty"))

    assert nowhere.returncode == 3
    assert "There is no" in nowhere.stderr
    assert empty.returncode == 2
    assert "Maildir" in empty.stderr
