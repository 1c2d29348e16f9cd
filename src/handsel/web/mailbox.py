"""The demo's mailbox: mails that were written to a folder, read in the browser."""

from flask import Blueprint, Response, abort, url_for

from handsel.outbound.transports.folder import StoredMail, read_folder
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop

blueprint = Blueprint("mailbox", __name__)
guard(blueprint, Policy("the seller who tries the demo, on this machine", secret=True))


def _mails() -> list[StoredMail]:
    return read_folder(the_shop().home / "mail")


def _mail(name: str) -> StoredMail:
    found = [mail for mail in _mails() if mail.path.name == name]
    return found[0] if found else abort(404)


@blueprint.get("/mail")
def mailbox() -> Response:
    """List every mail, newest first."""
    mails = [
        {
            "url": url_for("mailbox.mail", name=mail.path.name),
            "subject": mail.subject,
            "to": mail.to,
            "date": mail.date.strftime("%Y-%m-%d %H:%M"),
        }
        for mail in _mails()
    ]
    return page("mailbox.html", mails=mails)


@blueprint.get("/mail/<name>")
def mail(name: str) -> Response:
    """Show one mail, its HTML part framed."""
    found = _mail(name)
    html_url = url_for("mailbox.html", name=name) if found.html else None
    response = page(
        "mail.html",
        mail={
            "subject": found.subject,
            "sender": found.sender,
            "to": found.to,
            "date": found.date.strftime("%Y-%m-%d %H:%M"),
            "text": found.text,
            "html_url": html_url,
        },
        mailbox_url=url_for("mailbox.mailbox"),
    )
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    return response


@blueprint.get("/mail/<name>/html")
def html(name: str) -> Response:
    """Give the HTML part alone, unable to do anything but be looked at."""
    response = Response(_mail(name).html or "", content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation"
    )
    return response
