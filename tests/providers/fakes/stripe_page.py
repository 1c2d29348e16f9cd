"""The payment page of the fake Stripe: four fields, for a browser or an HTTP client."""

from html import escape
from urllib.parse import parse_qs

from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_bank import (
    DECLINED_CARD,
    LATE_ACCOUNT,
    FakeBank,
    NotOpenError,
)

Page = tuple[int, str, str | None]
"""Status, HTML, and where to go."""


def show(bank: FakeBank, name: str) -> Page:
    """Show the form, or say that the session is over."""
    bank.tick()
    try:
        session = bank.get("session", name)
    except KeyError:
        return 404, _html("<p>There is no such payment.</p>"), None
    if session["status"] != "open":
        return 410, _html("<p>This payment page is no longer active.</p>"), None
    return 200, _form(session, ""), None


def submit(bank: FakeBank, name: str, body: str) -> Page:
    """Take the form; the card number decides what happens."""
    status, text, _ = show(bank, name)
    if status != 200:
        return status, text, None
    fields = {key: values[0].strip() for key, values in parse_qs(body).items()}
    card = fields.get("number", "").replace(" ", "")
    session = bank.get("session", name)
    if "@" not in fields.get("email", "") or not card.isdigit():
        return 400, _form(session, "Fill in all four fields."), None
    try:
        bank.pay(name, email=fields["email"], card=card)
    except NotOpenError:
        return 410, _html("<p>This payment page is no longer active.</p>"), None
    if card == DECLINED_CARD:
        return 402, _form(session, "Your card was declined."), None
    return 303, "", session["success_url"].replace("{CHECKOUT_SESSION_ID}", name)


def _form(session: Obj, problem: str) -> str:
    amount = f"{session['amount_total']} {session['currency'].upper()}"
    email = escape(session["customer_email"] or "", quote=True)
    cancel = escape(session["cancel_url"] or "#", quote=True)
    return _html(
        f"<h1>Pay {amount}</h1>"
        f'<p role="alert">{escape(problem)}</p>'
        '<form method="post">'
        f'<label>Email <input name="email" type="email" value="{email}"></label>'
        '<label>Card number <input name="number" inputmode="numeric"></label>'
        '<label>Expiry <input name="expiry" value="12 / 34"></label>'
        '<label>CVC <input name="cvc" value="123"></label>'
        "<button>Pay</button></form>"
        f'<p><a href="{cancel}">Back</a></p>'
        f"<p>{DECLINED_CARD} is declined, {LATE_ACCOUNT} takes days.</p>"
    )


def _html(inner: str) -> str:
    return f'<!doctype html><html lang="en"><title>Fake Stripe</title>{inner}</html>'
