"""`handsel mail preview`: every mail to look at, sent to nobody."""

import json
import os
from pathlib import Path

import pytest

from handsel.ops.previewing import NAMES
from handsel.outbound.transports.folder import mail_folder, read_folder
from handsel.shop import Shop
from tests.cli.test_keep import facts, on_sqlite, real, run

RECEIPT = """\
{% block subject %}Mine: {{ product.name }}{% endblock %}
{% block text %}Hello
{{ LINK }}{% endblock %}
{% block html %}<p>Hello</p>{{ link }}{% endblock %}
"""


def write_template(shop: Shop, name: str, text: str) -> None:
    """Put a template of the seller's own into the shop."""
    path = shop.home / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@on_sqlite
@pytest.mark.parametrize("name", NAMES)
def test_every_mail_can_be_looked_at(name: str, shop: Shop) -> None:
    said = facts(shop, "mail", "preview", name)
    text = run(shop, "mail", "preview", name, "--text")

    assert isinstance(said, dict)
    assert set(said) == {"subject", "text", "html"}
    assert said["text"] in text.stdout
    assert said["subject"] == text.stdout.splitlines()[0]
    assert "Ada's Books" in said["text"]
    assert "style=" in said["html"]
    assert read_folder(mail_folder(shop.home)) == []


@on_sqlite
def test_the_browser_shows_it_from_a_private_place(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f'#!/bin/sh\ncp "$1" {tmp_path}/seen; echo "$1" >{tmp_path}/path\n'
    )
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = real(shop.home, "mail", "preview", "release")
    assert done.returncode == 0
    path = Path(done.stderr.strip())

    assert "The First Coin 1.2 is here" in done.stdout
    assert path.parent.stat().st_mode & 0o077 == 0
    assert "The First Coin 1.2 is here" in path.read_text()


@on_sqlite
def test_without_a_browser_it_says_which_file_to_open(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    done = real(shop.home, "mail", "preview", "test")

    assert done.returncode == 0
    assert "No browser" in done.stdout
    assert Path(done.stderr.strip()).exists()


@on_sqlite
def test_an_unknown_mail_names_those_there_are(shop: Shop) -> None:
    refused = run(shop, "mail", "preview", "invoice")

    assert refused.exit_code == 2
    assert all(name in refused.stderr for name in NAMES)


@on_sqlite
def test_a_template_of_your_own_wins(shop: Shop) -> None:
    write_template(shop, "mail/receipt.jinja", RECEIPT.replace("LINK", "link"))

    said = facts(shop, "mail", "preview", "receipt")

    assert isinstance(said, dict)
    assert said["subject"] == "Mine: The First Coin"


BROKEN = {
    "mail/receipt.jinja": (RECEIPT, "line 3: 'LINK' is undefined"),
    "mail/find.jinja": (
        "{% block subject %}\n{% if %}{% endblock %}",
        "line 2: Expected an expression",
    ),
    "mail/review.jinja": ("{% block subject %}x{% endblock %}", "has no block 'text'"),
    "mail/_foot.txt": ("\n\n{{ 1 // 0 }}", "line 3: integer division"),
    "mail/_leave.html": ("{{ leave_link|nix }}", "line 1: No filter named 'nix'"),
}


@on_sqlite
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_a_sentence_with_its_line(name: str, shop: Shop) -> None:
    text, problem = BROKEN[name]
    write_template(shop, name, text)
    mail = Path(name).stem if name.endswith(".jinja") else "release"

    refused = real(shop.home, "mail", "preview", mail, "--json")

    assert refused.returncode == 4
    said = json.loads(refused.stdout)
    assert f"templates/{name}" in said["error"]
    assert problem in said["error"]
    assert "Mend that line" in said["hint"]
    assert "Traceback" not in refused.stderr


@on_sqlite
def test_the_doctor_tries_templates_of_your_own(shop: Shop) -> None:
    for name, (text, _) in BROKEN.items():
        write_template(shop, name, text)
    write_template(shop, "shop.html", "{% block main %}")
    write_template(shop, "error.html", '{% extends "base.html" %}')
    (shop.home / "templates/find.html").write_bytes(b"\xff\xfe\x00")
    (shop.home / "templates/notes.md").write_text("{% if %}")

    found = facts(shop, "doctor", code=1)

    assert isinstance(found, dict)
    problems = [each for each in found["findings"] if each["id"] == "H050"]
    assert {each["level"] for each in problems} == {"error"}
    for name in (*BROKEN, "shop.html", "find.html"):
        assert len([e for e in problems if f"templates/{name}" in e["problem"]]) == 1
    assert len(problems) == len(BROKEN) + 2
