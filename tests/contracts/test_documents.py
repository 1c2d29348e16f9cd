"""The documents are true: they say what the code says, and what they show works."""

import hashlib
import hmac
import json
import re
import shlex
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from handsel.cli import handsel
from handsel.kit.money import Money
from handsel.models.words import FactKind, PaymentState
from handsel.outbound.transports.base import Envelope, PermanentMailError
from handsel.sales.payments.base import (
    PaymentProvider,
    Purchase,
    UnknownSessionError,
    WebhookRefusedError,
)
from handsel.settings import Settings
from handsel.shop import Shop
from tests import make
from tests.cli.test_report import paid_out
from tools import docs

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_generated_parts_are_fresh_and_links_lead_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert docs.main(check=True) == 0, capsys.readouterr().out


def test_a_stale_part_and_a_dead_link_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.entry-points."handsel.payments"]\n'
    )
    page = tmp_path / "README.md"
    page.write_text(
        "# Heading\n[a](nowhere.md) [b](#heading) [c](README.md#other)\n"
        "<!-- made by tools/docs.py: plugs -->\nold\n<!-- end -->\n"
    )
    monkeypatch.setattr(docs, "ROOT", tmp_path)

    assert docs.main(check=True) == 1
    said = capsys.readouterr().out
    assert "README.md is stale" in said
    assert "there is no nowhere.md" in said
    assert "has no heading #other" in said
    assert "#heading" not in said
    assert "old" in page.read_text()
    docs.main(check=False)
    assert "old" not in page.read_text()


def shell_blocks(document: Path) -> Iterator[str]:
    """Give the commands of a document, those over several lines as one."""
    for block in re.findall(r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def commands() -> Iterator[list[str]]:
    """Give every call of ours that a document shows, without what is around it."""
    for document in docs.documents():
        for line in shell_blocks(document):
            found = re.match(r"(sudo -\w+ handsel )?handsel ([a-z].*)", line)
            if found:
                yield shlex.split(found[2], comments=True)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_in_the_documents_exists(words: list[str]) -> None:
    command: click.Command = handsel
    context = click.Context(handsel, **handsel.context_settings)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found, name
        command = found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context)
    command.make_context("", words, parent=context)


def documented(command: str) -> set[str]:
    """Give the JSON names that the documents promise for a command."""
    text = (docs.ROOT / "docs/commands.md").read_text("utf-8")
    row = re.search(rf"^\| [^|]*`{command}`[^|]*\| (.*) \|$", text, re.MULTILINE)
    assert row, command
    return set(re.findall(r"`(\w+)`", row[1]))


def answer(*words: str) -> Any:
    """Run a command with --json and read what it says."""
    done = CliRunner().invoke(handsel, [*words, "--json"])
    return json.loads(done.stdout)


def test_json_of_a_release_has_the_names_that_are_promised(
    shop: Shop, tmp_path: Path
) -> None:
    make.product(shop, slug="book")
    home = ("--home", str(shop.home))
    answer("simulate", "book", "--email", "reader@example.com", *home)
    new = ("release", "book", str(make.book_file(tmp_path, "book.epub", b"new")))
    planned = answer(*new, "--version", "2", "--dry-run", *home)
    sent = answer(*new, "--version", "2", "--yes", *home)
    asked = answer("release", "status", "book", *home)
    words = make.book_file(tmp_path, "words.md", b"Come.")
    message = ("--subject", "Sunday", "--body", str(words))
    told = answer("mail", "broadcast", "book", *message, "--yes", *home)

    for each in (planned, sent, asked, told):
        assert documented("release") <= set(each)
    assert sent["state"] == told["state"] == "finished"


def test_json_of_payouts_has_the_names_that_are_promised(shop: Shop) -> None:
    paid_out(shop)
    home = ("--home", str(shop.home))
    all_of_it = answer("report", "payouts", *home)
    one = answer("report", "payouts", "po_1", *home)

    names = {*all_of_it, *all_of_it["payouts"][0], *one, *one["made_up_of"][0]}
    assert documented("report payouts") <= names


def test_json_of_an_experiment_has_the_names_that_are_promised(shop: Shop) -> None:
    make.product(shop, slug="book")
    home = ("--home", str(shop.home))
    words = ("headline", "--product", "book", "--variant", "a", "--variant", "b=Other")
    begun = answer("experiment", "create", *words, "--start", *home)
    shown = answer("experiment", "show", "headline", *home)

    assert documented("experiment show") <= {*shown, *shown["variants"][0]}
    assert begun == shown


def test_json_has_the_names_that_are_promised(shop: Shop) -> None:
    make.product(shop, slug="book")
    home = ("--home", str(shop.home))
    [bought] = answer("simulate", "book", "--email", "reader@example.com", *home)
    [listed] = answer("order", "list", *home)
    proved = answer("verify", *home)
    found = answer("doctor", *home)

    assert documented("simulate") == set(bought)
    assert documented("order list") <= set(listed)
    assert documented("order list") <= set(
        answer("order", "show", bought["number"], *home)
    )
    assert documented("verify") == {*proved, *proved["invariants"][0]}
    assert documented("doctor") >= set(found)
    for each in found["findings"]:
        assert documented("doctor") == {"findings", *each}


def example(name: str) -> str:
    """Give a Python module that a document shows."""
    text = (docs.ROOT / "docs/extending.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [found] = [block for block in blocks if block.startswith(f'"""{name}.py')]
    assert isinstance(found, str)
    return found


def module(source: str) -> dict[str, Any]:
    """Run a module and give its names."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "example.py", "exec"), names)  # noqa: S102  # our own document
    return names


def test_the_transport_of_the_documents_hands_over_a_mail(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(
        f'#!/bin/sh\n[ "$5" = no@example.com ] && exit 67\ncat > {tmp_path}/mail\n'
    )
    program.chmod(0o755)
    source = example("handsel_sendmail").replace("/usr/sbin/sendmail", str(program))
    transport = module(source)["open_transport"](Settings(), tmp_path)
    content = b"Subject: Your copy\r\n\r\nHere.\r\n"

    with transport.connect() as carrier:
        carrier.send(Envelope("ada@example.com", "reader@example.com", content))
        with pytest.raises(PermanentMailError):
            carrier.send(Envelope("ada@example.com", "no@example.com", content))

    assert b"Subject: Your copy\r\n" in (tmp_path / "mail").read_bytes()


class Paybox(BaseHTTPRequestHandler):
    """The service of the example, with one payment in its books."""

    def do_GET(self) -> None:
        """Tell about payments."""
        money = [{"id": "c1", "amount": 1500, "at": NOW.isoformat()}]
        payment = {
            "id": "p1",
            "state": "paid",
            "amount": 1500,
            "currency": "EUR",
            "email": "reader@example.com",
            "reference": {"product": "book"},
            "captures": money,
            "refunds": [],
            "refunded": False,
        }
        if self.path == "/payments/p1":
            self._answer(payment)
        elif self.path.startswith("/payments?since="):
            self._answer([payment])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Open a payment or end one."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({"id": "p1", "url": "https://pay.paybox.example/p1"})

    def _answer(self, words: object) -> None:
        body = json.dumps(words).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def paybox(tmp_path: Path) -> Iterator[PaymentProvider]:
    """The provider of the documents, with its service on this machine."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/paybox").write_text("key\n")
    with HTTPServer(("127.0.0.1", 0), Paybox) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        names = module(example("handsel_paybox"))
        names["API"] = f"http://127.0.0.1:{service.server_port}"
        yield names["open_provider"](Settings(), tmp_path)
        service.shutdown()
        thread.join()


def test_the_provider_of_the_documents_tells_what_was_paid(
    paybox: PaymentProvider,
) -> None:
    purchase = Purchase(
        key="k",
        title="Book",
        price=Money(1500, "EUR"),
        email=None,
        return_url="https://shop.example.com/return/paybox",
        cancel_url="https://shop.example.com/p/book",
        expires_at=NOW + timedelta(hours=1),
        reference={},
    )
    body = json.dumps({"id": "e1", "kind": "paid", "payment": "p1"}).encode()
    good = hmac.new(b"key", body, hashlib.sha256).hexdigest()

    assert paybox.start(purchase, NOW).session_id == "p1"
    paid = paybox.look_up("p1", NOW)
    assert (paid.state, paid.price) == (PaymentState.COMPLETE, Money(1500, "EUR"))
    assert [fact.kind for fact in paid.facts] == [FactKind.CAPTURE]
    assert [each.session_id for each in paybox.sessions_since(NOW, NOW)] == ["p1"]
    paybox.cancel("p1", NOW)
    with pytest.raises(UnknownSessionError):
        paybox.look_up("p2", NOW)
    assert paybox.read_webhook({"paybox-signature": good}, body, NOW).object_id == "p1"
    with pytest.raises(WebhookRefusedError):
        paybox.read_webhook({"paybox-signature": "bad"}, body, NOW)
