"""What Stripe's script in a browser asks of Stripe while somebody pays on a shop's page.

The real calls are nobody's to rely on, so these are our own; what they do to a session is
what the documents say. The script is played by `tests/browser/stripe/stripe.js`.
"""

import re
from urllib.parse import parse_qs

from tests.providers.fakes.bank import Obj
from tests.providers.fakes.stripe_bank import DECLINED_CARD, FakeBank, NotOpenError

PATH = "/v1/payment_pages/"
ASKING_CARD = "4000002500003155"
"""A card whose bank asks the buyer first (3-D Secure)."""

Answer = tuple[int, Obj, dict[str, str]]


def answer(bank: FakeBank, path: str, body: str) -> Answer:
    """Answer one call of the script: `init`, or `confirm` with what was typed."""
    sent = {key: values[0] for key, values in parse_qs(body).items()}
    name, _, action = path.removeprefix(PATH).partition("/")
    session = bank.kept["session"].get(name)
    if not re.match(r"pk_test_\w+$", sent.get("key", "")):
        return _no(401, "Invalid API Key provided: pk_****")
    # A session of Stripe's own page has no secret, and nobody can say one.
    if session is None or sent.get("client_secret", "") != session["client_secret"]:
        return _no(404, "No such payment page.")
    if action == "confirm":
        return _confirm(bank, session, sent)
    return 200, _seen(session), {}


def _confirm(bank: FakeBank, session: Obj, sent: dict[str, str]) -> Answer:
    """Take the money, let the bank ask, or say why not."""
    if session["status"] != "open":
        return _no(400, "This Checkout Session is no longer active.", session)
    card, said = sent["number"], sent.get("answer")
    if card == ASKING_CARD and not said:
        return 200, _seen(session) | {"requires_action": True}, {}
    if said == "refuse":
        return _no(402, "We are unable to authenticate your payment method.", session)
    email = session["customer_email"] or sent["email"]
    try:
        bank.pay(session["id"], email=email, card=card)
    except NotOpenError:
        return _no(400, "This Checkout Session is no longer active.", session)
    if card == DECLINED_CARD:
        return _no(402, "Your card was declined.", session)
    return 200, _seen(session), {}


def _seen(session: Obj) -> Obj:
    """Give what a browser may know."""
    return {
        "id": session["id"],
        "status": session["status"],
        "payment_status": session["payment_status"],
        "email": session["customer_email"],
        "amount": session["amount_total"],
        "currency": session["currency"],
        "return_url": session["return_url"],
    }


def _no(status: int, message: str, session: Obj | None = None) -> Answer:
    seen = _seen(session) if session else {}
    return status, seen | {"error": {"message": message}}, {}
