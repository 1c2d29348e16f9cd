"""Every page stands behind a guard, and every template has its place."""

import re
from pathlib import Path

import pytest
from flask import Flask

import handsel
from handsel.outbound import announcing, letters
from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from handsel.web import create_app
from handsel.web.guards import POLICIES
from tests import make
from tests.ground.shops import Clock
from tests.ground.till import Till
from tests.ground.visitor import Visitor
from tests.stories.buyers import buy, with_settings

SOURCE = Path(handsel.__file__).parent
SECRETS = {"token", "session", "nonce"}


@pytest.fixture
def every_way_to_pay(pays_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take cards on the shop's own page, and test cards."""
    monkeypatch.setenv("HANDSEL_PAYMENTS__ENABLED", "stripe,test")


@pytest.fixture
def shop(every_way_to_pay: None, till: Till) -> Shop:
    """A shop that has every page there is."""
    return till.shop


def app_of(shop: Shop) -> Flask:
    """The application with everything switched on."""
    return create_app(shop, show_mail=True)


def test_every_page_belongs_to_a_blueprint_with_a_policy(shop: Shop) -> None:
    app = app_of(shop)
    outside = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.rpartition(".")[0] not in POLICIES
    }
    assert outside == {"static"}
    assert set(app.blueprints) == set(POLICIES)
    assert all(policy.who for policy in POLICIES.values())


def test_every_page_whose_address_opens_something_is_treated_as_a_secret(
    shop: Shop,
) -> None:
    for rule in app_of(shop).url_map.iter_rules():
        if rule.arguments & SECRETS:
            assert POLICIES[rule.endpoint.rpartition(".")[0]].secret, rule.rule


def test_only_what_other_sites_may_send_takes_forms_of_theirs(shop: Shop) -> None:
    posts = {
        rule.rule
        for rule in app_of(shop).url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and POLICIES[rule.endpoint.rpartition(".")[0]].foreign_posts
    }
    assert posts == {"/buy/<slug>", "/u/<token>", "/webhooks/<provider>", "/e"}


STRIPES = (
    "default-src 'none'; script-src 'self' https://js.stripe.com https://*.js.stripe.com; "
    "style-src 'self'; img-src 'self' data: https://*.link.com; font-src 'self'; "
    "connect-src 'self' https://api.stripe.com https://link.com https://*.link.com; "
    "object-src 'none'; frame-src https://js.stripe.com https://*.js.stripe.com "
    "https://hooks.stripe.com https://link.com https://*.link.com; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self' {pages}"
)
"""The policy of the page where Stripe's fields are, to the letter."""


def loads(policy: str) -> set[str]:
    """Name everything a policy lets in: wherever forms may lead, whoever may frame it."""
    kinds = (each.split() for each in policy.split(";"))
    outwards = ("form-action", "frame-ancestors")  # the second: test_framing
    return {
        place for kind, *places in kinds if kind not in outwards for place in places
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_page_lets_something_of_others_in_and_only_what_stripe_asks_for(
    shop: Shop, till: Till
) -> None:
    make.product(shop)
    visitor = Visitor(shop, app=app_of(shop))
    by_card = {"provider": "stripe"}
    for _ in range(2):
        visitor.press(visitor.get("/p/book"), "/buy/book", by_card)
    paid, name = till.stripe.bank.kept["session"]
    till.stripe.bank.pay(paid)
    known = {"slug": "book", "provider": "stripe", "session": "none", "token": "none"}
    paths = [
        "/".join(known.get(part.strip("<>"), part) for part in rule.rule.split("/"))
        for rule in visitor.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    ]
    for path in (*paths, till.link(paid), f"/return/stripe?session={paid}"):
        policy = visitor.get(path).headers["Content-Security-Policy"]
        assert not [each for each in loads(policy) if "." in each or "*" in each], path

    page = visitor.get(f"/pay/{name}")

    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"] == STRIPES.format(
        pages=till.stripe.origin
    )


GOOGLES = (
    "default-src 'none'; script-src 'self' https://*.googletagmanager.com; "
    "style-src 'self'; img-src 'self' data: https://*.google-analytics.com "
    "https://*.googletagmanager.com; font-src 'self'; connect-src 'self' "
    "https://*.google-analytics.com https://*.analytics.google.com "
    "https://*.googletagmanager.com; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
"""The policy of a page with Google's script, to the letter."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_the_pages_in_front_let_google_in_and_only_after_a_yes(
    home: Path, clock: Clock
) -> None:
    opened = open_shop(home, load_settings(home), clock=clock)
    shop = with_settings(opened, "analytics", ga4_id="G-TEST12345")
    make.product(shop)
    visitor = Visitor(shop, app=app_of(shop))
    link = buy(visitor).request.path
    known = {"slug": "book", "token": link[3:], "session": "none", "provider": "test"}
    paths = [
        "/".join(known.get(part.strip("<>"), part) for part in rule.rule.split("/"))
        for rule in visitor.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    ]

    def google() -> dict[str, str]:
        policies = {
            path: visitor.get(path).headers["Content-Security-Policy"]
            for path in (*paths, link)
        }
        return {path: found for path, found in policies.items() if "google" in found}

    assert google() == {}
    visitor.post("/consent", {"answer": "yes"})
    assert google() == dict.fromkeys(("/", "/p/book", "/buy/book"), GOOGLES)
    opened.close()


ANNOUNCEMENTS = (
    announcing.of_release("Book", "1.1", "", []),
    announcing.of_words("Book", "Hello", ""),
)


def test_every_template_named_in_code_exists_and_every_one_is_used() -> None:
    kept = {
        str(path.relative_to(SOURCE / "templates"))
        for path in (SOURCE / "templates").rglob("*.*")
    }
    code = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    words = "".join((SOURCE / "templates" / name).read_text() for name in kept)
    named = set(re.findall(r'"((?:mail/|admin/)?[a-z0-9_]+\.html)"', code))
    named |= set(re.findall(r'(?:from|extends|include) "([\w./]+)"', words))
    named |= {f"mail/{topic.removeprefix('mail.')}.jinja" for topic in letters._FACTS}
    named |= {f"mail/{told.template}.jinja" for told in ANNOUNCEMENTS}
    assert named == kept
