"""The page of the fake PayPal where a buyer approves an order, or goes back."""

from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from tests.providers.fakes.bank import Obj
from tests.providers.fakes.paypal_bank import NotOpenError, PayPalBank
from tests.providers.fakes.paypal_objects import PAYER

Page = tuple[int, str, str | None]
"""Status, HTML, and where to go."""


def show(bank: PayPalBank, name: str) -> Page:
    """Show the order, or say that it is over."""
    bank.tick()
    try:
        order = bank.get("order", name)
    except KeyError:
        return 404, _html("<p>Things don't appear to be working. Go back.</p>"), None
    if order["status"] == "COMPLETED":
        return 410, _html("<p>This has been paid.</p>"), None
    return 200, _form(bank, order), None


def submit(bank: PayPalBank, name: str, body: str) -> Page:
    """Take the form: `how` says what the buyer pays with, or that they go back."""
    status, text, _ = show(bank, name)
    if status != 200:
        return status, text, None
    fields = {key: values[0] for key, values in parse_qs(body).items()}
    urls = bank.contexts[name]
    how, email = fields.get("how", ""), fields.get("email") or "ada@example.org"
    if how == "cancel":
        return 303, "", added(urls["cancel_url"], token=name)
    ways = {"declined": bank.decline, "echeck": bank.pay_later}
    try:
        ways.get(how, bank.pay)(name, email=email)
    except NotOpenError:
        return 410, _html("<p>This has been paid.</p>"), None
    return 303, "", added(urls["return_url"], token=name, PayerID=PAYER)


def added(url: str, **more: str) -> str:
    """Give an address of the shop with what PayPal adds to it."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(more))))
    return urlunsplit(parts._replace(query=query))


def _form(bank: PayPalBank, order: Obj) -> str:
    [unit] = order["purchase_units"]
    amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
    source = order.get("payment_source", {}).get("paypal", {})
    email = escape(source.get("email_address") or "", quote=True)
    brand = bank.contexts[order["id"]].get("brand_name", "")
    return _html(
        f"<h1>Pay {escape(brand)} {amount}</h1><p>{escape(unit['description'])}</p>"
        '<form method="post">'
        f'<label>Email <input name="email" type="email" value="{email}"></label>'
        '<button name="how" value="balance">Pay now</button>'
        '<button name="how" value="declined">Pay with a card that is declined</button>'
        '<button name="how" value="echeck">Pay by eCheck</button>'
        '<button name="how" value="cancel">Cancel and return</button></form>'
    )


def _html(inner: str) -> str:
    return f'<!doctype html><html lang="en"><title>Fake PayPal</title>{inner}</html>'
