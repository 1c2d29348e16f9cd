"""P28: of all pages one may be shown in another site's, and only by the listed ones."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from handsel.settings.embed import TRIAL
from handsel.shop import Shop
from handsel.web import create_app
from handsel.web.guards import POLICIES
from tests import make
from tests.ground.till import Till
from tests.ground.visitor import Visitor
from tests.stories.buyers import with_settings

SITES = ("https://ada.example.com", "https://www.ada.example.com:8443")
FRAMED = "/embed/p/<slug>"
KNOWN = {"slug": "book", "provider": "stripe", "session": "none", "token": "none"}


@pytest.fixture
def listed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sites that may show the shop; to be asked for before `till`."""
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", ",".join(SITES))


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch, pays_here: None) -> None:
    """Let the shop have every page there is."""
    monkeypatch.setenv("HANDSEL_PAYMENTS__ENABLED", "stripe,test")


def every_page(app: Flask) -> Iterator[tuple[str, str]]:
    """Give each rule that answers GET, with an address it is true of."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            parts = [part.strip("<>") for part in rule.rule.split("/")]
            path = [KNOWN.get(part.rpartition(":")[2], part) for part in parts]
            yield rule.rule, "/".join(path)


def framed_by(answer: TestResponse) -> str:
    """Say who may frame an answer, by its one policy."""
    [policy] = answer.headers.getlist("Content-Security-Policy")
    found = re.findall(r"frame-ancestors ([^;]+)", policy)
    assert len(found) == 1, policy
    return str(found[0])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_page_is_closed_to_frames_but_one(
    everything: None, listed: None, till: Till
) -> None:
    make.product(till.shop)
    visitor = Visitor(till.shop, app=create_app(till.shop, show_mail=True))
    visitor.press(visitor.get("/p/book"), "/buy/book", {"provider": "stripe"})
    [paid] = till.stripe.bank.kept["session"]
    till.stripe.bank.pay(paid)

    open_to = {
        rule: (framed_by(visitor.get(path)), path)
        for rule, path in every_page(visitor.app)
    }
    assert len(open_to) > 25
    assert open_to.pop(FRAMED) == (" ".join(SITES + TRIAL), "/embed/p/book")
    own = {rule for rule, (by, _) in open_to.items() if by == "'self'"}
    assert own <= {"/mail/<name>/html"}
    rest = {rule: by for rule, (by, _) in open_to.items() if rule not in own}
    assert set(rest.values()) == {"'none'"}, rest

    for path in (till.link(paid), "/nowhere", "/embed/p/nothing", "/embed/p/book/"):
        assert framed_by(visitor.get(path)) == "'none'", path
    assert framed_by(visitor.post("/embed/p/book")) == "'none'"


def test_only_the_framed_page_is_of_a_kind_that_may_be(
    everything: None, listed: None, till: Till
) -> None:
    app = create_app(till.shop, show_mail=True)
    framed = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and POLICIES[rule.endpoint.rpartition(".")[0]].framed
    }
    assert framed == {FRAMED}


@pytest.mark.parametrize(
    ("url", "by"),
    [
        ("https://books.example.com", "'none'"),
        ("http://127.0.0.1:8000", " ".join(TRIAL)),  # and nobody else sees this shop
    ],
)
def test_nothing_may_be_framed_where_no_site_is_listed(
    shop: Shop, url: str, by: str
) -> None:
    make.product(shop)
    answer = Visitor(with_settings(shop, "shop", url=url)).get("/embed/p/book")
    assert answer.status_code == 200
    assert framed_by(answer) == by
