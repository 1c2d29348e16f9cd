"""Every page of the desk, by the application's own list, with something to show."""

from flask import Flask

from tests.stories.full_shop import Filled


def addresses(app: Flask, filled: Filled) -> list[str]:
    """Give the address of every page that is read with GET.

    Fails for a page whose address has something in it that nobody knows here.
    """
    known = {
        "slug": filled.slug,
        "product": filled.slug,
        "number": filled.number,
        "name": filled.experiment,
        "campaign": str(filled.campaign),
        "campaign_id": str(filled.campaign),
        "customer_id": "1",
        "payout_id": "1",  # of real money, so there is none: tests of reports see it
        "code": "SPRING",
    }
    special = {
        "desk.mail_look": "receipt",
        "desk.one_outgoing": "1",
    }
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("desk.") or "GET" not in (rule.methods or ()):
            continue
        if rule.rule.endswith("/html"):  # of a mail, which stands in a page
            continue
        values = {
            name: special.get(rule.endpoint) or known[name] for name in rule.arguments
        }
        parts = rule.build(values)
        assert parts, rule
        found.append(parts[1])
    return sorted(found)
