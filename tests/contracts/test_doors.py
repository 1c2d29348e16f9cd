"""Every page stands behind a guard, and every template has its place."""

import re
from pathlib import Path

from flask import Flask

import handsel
from handsel.outbound import announcing, letters
from handsel.shop import Shop
from handsel.web import create_app
from handsel.web.guards import POLICIES

SOURCE = Path(handsel.__file__).parent
SECRETS = {"token", "session", "nonce"}


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
    assert posts == {"/buy/<slug>", "/u/<token>", "/webhooks/<provider>"}


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
    named = set(re.findall(r'"((?:mail/)?[a-z0-9_]+\.html)"', code))
    named |= set(re.findall(r'(?:from|extends|include) "([\w./]+)"', words))
    named |= {f"mail/{topic.removeprefix('mail.')}.jinja" for topic in letters._FACTS}
    named |= {f"mail/{told.template}.jinja" for told in ANNOUNCEMENTS}
    assert named == kept
