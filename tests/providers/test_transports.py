"""One suite that every way to carry mail passes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import pytest

from handsel.outbound.compose import Sender, compose, seal
from handsel.outbound.transports import folder, smtp
from handsel.outbound.transports.base import (
    Envelope,
    PermanentMailError,
    Transport,
)
from handsel.outbound.transports.folder import read_folder
from handsel.settings import Settings
from tests.ground.smtp import SmtpServer


@dataclass(frozen=True)
class Arrived:
    """What came out at the other end."""

    subject: str
    raw: bytes

    def head(self, name: str) -> str:
        """Give the value of a header that stands on one line."""
        (line,) = re.findall(rf"(?m)^{name}: (.*)\r\n", self.raw.decode())
        return str(line)


class Route(Protocol):
    """A transport, and a look at its other end."""

    transport: Transport

    def arrived(self) -> list[Arrived]:
        """Give what arrived, in any order."""


class FolderRoute:
    """Ends in a folder of files."""

    def __init__(self, home: Path) -> None:
        self.transport: Transport = folder.open_transport(Settings(), home)
        self._folder = home / "mail"

    def arrived(self) -> list[Arrived]:
        return [
            Arrived(mail.subject, mail.path.read_bytes())
            for mail in read_folder(self._folder)
        ]


class SmtpRoute:
    """Ends in a mail server."""

    def __init__(self, server: SmtpServer, home: Path) -> None:
        mail = {"host": server.host, "port": server.port, "security": "none"}
        settings = Settings.model_validate({"mail": mail})
        self.transport: Transport = smtp.open_transport(settings, home)
        self._server = server

    def arrived(self) -> list[Arrived]:
        return [
            Arrived(letter.message["Subject"], letter.raw)
            for letter in self._server.letters
        ]


@pytest.fixture(params=["folder", "smtp", "smtp-pipelining"])
def route(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Route]:
    if request.param == "folder":
        yield FolderRoute(tmp_path)
    else:
        with SmtpServer(pipelining=request.param == "smtp-pipelining") as server:
            yield SmtpRoute(server, tmp_path)


def test_a_mail_arrives_byte_for_byte(route: Route) -> None:
    mail = _mail(1, text="A line.\n.\n..two dots\n本\n" + "x" * 3_000)
    with route.transport.connect() as carrier:
        carrier.send(seal(mail, "ada@example.org"))
    (arrived,) = route.arrived()
    assert arrived.raw.rstrip() == mail.as_bytes().rstrip()
    assert arrived.subject == "Your copy of Bücher (order H-1)"


def test_many_mails_go_over_one_connection(route: Route) -> None:
    with route.transport.connect() as carrier:
        for number in range(20):
            carrier.send(seal(_mail(number), "ada@example.org"))
    assert sorted(mail.head("Message-ID") for mail in route.arrived()) == sorted(
        f"<{number}@example.com>" for number in range(20)
    )


def test_the_same_mail_twice_is_seen_twice_with_the_same_message_id(
    route: Route,
) -> None:
    for _ in range(2):
        with route.transport.connect() as carrier:
            carrier.send(seal(_mail(7), "ada@example.org"))
    assert [mail.head("Message-ID") for mail in route.arrived()] == [
        "<7@example.com>"
    ] * 2


def test_what_is_no_address_is_refused_and_the_next_mail_goes(route: Route) -> None:
    with route.transport.connect() as carrier:
        with pytest.raises(PermanentMailError, match="not an address"):
            carrier.send(seal(_mail(1), "ada@example.org\r\nRCPT TO:<x@y.z>"))
        carrier.send(seal(_mail(2), "ada@example.org"))
    assert [mail.head("Message-ID") for mail in route.arrived()] == ["<2@example.com>"]


def test_domains_and_names_in_any_script_arrive(route: Route) -> None:
    with route.transport.connect() as carrier:
        carrier.send(seal(_mail(1, to="leser@bücher.example"), "leser@bücher.example"))
        carrier.send(seal(_mail(2, to="قارئ@مثال.example"), "قارئ@مثال.example"))
    assert {mail.head("To") for mail in route.arrived()} == {
        "leser@xn--bcher-kva.example",
        "قارئ@xn--mgbh0fb.example",
    }


def test_connections_side_by_side_do_not_mix(route: Route) -> None:
    with route.transport.connect() as one, route.transport.connect() as other:
        for number in range(0, 6, 2):
            one.send(seal(_mail(number), "ada@example.org"))
            other.send(seal(_mail(number + 1), "ada@example.org"))
    assert len({mail.head("Message-ID") for mail in route.arrived()}) == 6


def test_a_transport_says_its_name(route: Route) -> None:
    assert route.transport.name in ("folder", "smtp")


def _mail(
    number: int, *, to: str = "ada@example.org", text: str = "Here it is.\n"
) -> EmailMessage:
    return compose(
        sender=Sender("Ada's Books", "books@example.com"),
        to=to,
        subject=f"Your copy of Bücher (order H-{number})",
        text=text,
        html=f"<p>{text}",
        message_id=f"<{number}@example.com>",
        date=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".\r\n..b\r\nc.\r\n", b"..\r\n...b\r\nc.\r\n.\r\n"),
    ],
)
def test_a_text_ends_with_its_own_dot_and_no_other(content: bytes, sent: bytes) -> None:
    assert smtp._dotted(content) == sent


def test_no_command_hides_in_an_address(tmp_path: Path) -> None:
    with SmtpServer(pipelining=True) as server:
        route = SmtpRoute(server, tmp_path)
        evil = "ada@example.com>\r\nRCPT TO:<everybody@example.com"
        mail = Envelope(evil, "reader@example.com", b"Subject: x\r\n\r\n")
        with (
            route.transport.connect() as carrier,
            pytest.raises(ValueError, match="where a command would begin"),
        ):
            carrier.send(mail)
        assert route.arrived() == []
