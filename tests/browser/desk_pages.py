"""Every page of the desk, by the application's own list, with something to show."""

from flask import Flask
from werkzeug.routing import Rule

from handsel.web.admin import settings
from tests.stories.full_shop import Filled

DRAFTS = ("desk.draft", "desk.draft_files", "desk.draft_preview", "desk.draft_names")
CAMPAIGNS = ("desk.update", "desk.update_names")


def addresses(app: Flask, filled: Filled) -> list[str]:
    """Give the address of every page that is read with GET.

    Fails for a page whose address has something in it that nobody knows here.
    """
    known = {
        "slug": filled.slug,
        "product": filled.slug,
        "number": filled.number,
        "name": filled.experiment,
        "variant": "b",
        "campaign": str(filled.campaign),
        "campaign_id": str(filled.campaign),
        "customer_id": "1",
        "paper_id": "1",
        "payout_id": "1",  # of real money, so there is none: tests of reports see it
        "code": "SPRING",
    }
    special = {
        "desk.mail_look": ["receipt"],
        "desk.one_outgoing": ["1"],
        "desk.chapter": [chapter.path for chapter in settings.CHAPTERS],
        **{each: [str(filled.draft)] for each in DRAFTS},
        **{each: [str(filled.campaign)] for each in CAMPAIGNS},
    }
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("desk.") or "GET" not in (rule.methods or ()):
            continue
        if rule.rule.endswith("/html"):  # of a mail, which stands in a page
            continue
        several = special.get(rule.endpoint, [""])
        for word in several:
            values = {name: word or known[name] for name in rule.arguments}
            found.append(address(rule, values))
    return sorted(found)


def address(rule: Rule, values: dict[str, str]) -> str:
    """Fill a rule in."""
    numbers = {
        name: int(value)
        if "int" in type(rule._converters[name]).__name__.lower()
        else value
        for name, value in values.items()
    }
    parts = rule.build(numbers)
    assert parts, rule
    return parts[1]
