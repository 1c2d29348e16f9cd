"""The log: who changed what."""

from collections.abc import Container

from flask import Response, request, url_for
from markupsafe import Markup

from handsel.customers.staff.audit import PAGE, latest
from handsel.models import AuditEntry
from handsel.ops.desk import products
from handsel.web.admin import log_words
from handsel.web.admin.desk import desk, row_number
from handsel.web.pages import page, the_shop


@desk.get("/audit")
def audit() -> Response:
    """Show what was done, newest first; `before` is the last one's number."""
    before = request.args.get("before", type=row_number)
    subject = request.args.get("subject") or None
    with the_shop().reading() as session:
        found = latest(session, before=before, subject=subject, most=PAGE + 1)
        there = products.there(session, {log_words.product(each) for each in found})
    more = found[PAGE - 1].id if len(found) > PAGE else None
    return page(
        "admin/audit.html",
        entries=[_shown(each, there) for each in found[:PAGE]],
        subject=subject,
        next_url=url_for("desk.audit", before=more, subject=subject) if more else "",
        first_url=url_for("desk.audit", subject=subject) if before else "",
        all_url=url_for("desk.audit") if subject else "",
    )


def _shown(entry: AuditEntry, there: Container[str]) -> dict[str, object]:
    return {
        "at": entry.at,
        "who": entry.who,
        "said": log_words.said(entry.action),
        "subject": entry.subject,
        "called": log_words.called(entry),
        "url": log_words.place(entry, there),
        "detail": {
            name.replace("_", " "): _plain(v) for name, v in entry.detail.items()
        },
        "network": entry.network,
    }


def _plain(value: object) -> object:
    """Write several as people do, and what was changed with what it was."""
    if isinstance(value, dict):
        words = (value.get(name) or "nothing" for name in ("was", "now"))
        return Markup("<bdi>{}</bdi> became <bdi>{}</bdi>").format(*words)
    return ", ".join(map(str, value)) if isinstance(value, list) else value
