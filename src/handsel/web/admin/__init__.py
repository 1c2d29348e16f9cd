"""The seller's desk at `/admin/`: one file for each subject, one guard for all."""

from flask import Flask

from handsel.web.admin import (  # noqa: F401 - to import them is to register their views
    account,
    backups,
    begin,
    blocked,
    books,
    coupons,
    customers,
    drafts,
    embeds,
    experiments,
    home,
    hooks,
    invoices,
    log,
    mails,
    money_reports,
    order,
    order_acts,
    order_refunds,
    orders,
    outgoing,
    people,
    products,
    releases,
    reports,
    settings,
    stopped,
    tray,
    updates,
    whole,
)
from handsel.web.admin.desk import desk, prepare
from handsel.web.admin.door import door
from handsel.web.admin.trial import trial
from handsel.web.admin.uploading import uploads

__all__ = ["register"]


def register(app: Flask, *, demo: bool) -> None:
    """Put the desk and its door into an application.

    Args:
        demo: let in whoever presses a button.
    """
    prepare(app)
    app.register_blueprint(door)
    app.register_blueprint(desk)
    app.register_blueprint(uploads)
    if demo:
        app.register_blueprint(trial)
