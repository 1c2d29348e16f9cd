"""Trying a service when somebody presses a button: what it says, in words.

Nothing is sold, sent or told; no transaction is open; a service that does not answer
keeps nobody waiting for longer than ten seconds.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from handsel.analytics import countries
from handsel.kit.errors import ShopError
from handsel.models import Inbox
from handsel.ops import schema
from handsel.ops.doctor import counting, machine, returns
from handsel.ops.doctor.findings import Finding, Level
from handsel.outbound import counters
from handsel.outbound.counters import ga4
from handsel.shop import Shop

SECONDS = 10.0


@dataclass(frozen=True)
class Word:
    """One thing that was found out. `good`: None where it is only to be known."""

    good: bool | None
    said: str
    hint: str = ""


Trial = Callable[[Shop], Iterator[Word]]


def tried(shop: Shop, name: str, seconds: float = SECONDS) -> list[Word]:
    """Try a service; what it has not said in time is said not to have come."""
    found: list[Word] = []
    thread = threading.Thread(
        target=_listen, args=(TRIALS[name], shop, found), daemon=True
    )
    thread.start()
    thread.join(seconds)
    said = list(found)
    if thread.is_alive():
        said.append(
            Word(
                False,
                f"There was no answer within {seconds:g} seconds.",
                "Is the service slow, or does a firewall keep this machine from calling?",
            )
        )
    return said


def _listen(trial: Trial, shop: Shop, found: list[Word]) -> None:
    try:
        for word in trial(shop):
            found.append(word)  # noqa: PERF402  # shown even if the next never comes
    except ShopError as error:
        found.append(Word(False, error.message, error.hint))
    except Exception as error:  # noqa: BLE001  # whatever it is, somebody waits for words
        found.append(Word(False, f"It failed in a way nobody foresaw: {error!r}."))


def _stripe(shop: Shop) -> Iterator[Word]:
    from handsel.sales.payments import stripe_trial  # heavy

    stripe = shop.settings.stripe
    key = stripe.secret_key.get_secret_value().strip() if stripe.secret_key else ""
    if not key:
        yield Word(False, "There is no stripe.secret_key.", "Type it, and save.")
        return
    yield _money(live="_live_" in key[:9], what="This is a %s key")
    needed, payouts = stripe_trial.lacking(key, stripe.api_base)
    if needed:
        yield Word(
            False,
            f"The key may not read {', '.join(needed)}.",
            "Give it these permissions in Stripe's dashboard, under Developers, API keys.",
        )
    else:
        yield Word(
            True,
            "Stripe takes the key, and lets it read what selling needs.",
            "Whether it may also write Checkout Sessions and Refunds, a test purchase "
            "shows: nothing is made just to try it.",
        )
    if payouts:
        yield Word(
            None,
            f"It may not read {', '.join(payouts)}: the report of payouts lacks them.",
        )
    yield _heard(shop, "stripe")


def _money(*, live: bool, what: str) -> Word:
    if live:
        return Word(None, f"{what % 'LIVE'}: real money moves.")
    return Word(None, f"{what % 'TEST'}: no real money moves.")


def _heard(shop: Shop, provider: str) -> Word:
    """Say when the web hook was last heard, and where it is to call."""
    url = f"{shop.settings.public_url}/webhooks/{provider}"
    with shop.reading() as session:
        last = session.scalar(
            select(func.max(Inbox.received_at)).where(Inbox.provider == provider)
        )
    if last:
        return Word(True, f"Its web hook was last heard on {last:%Y-%m-%d %H:%M} UTC.")
    return Word(
        None,
        "Its web hook was not heard yet, in 30 days.",
        f"It should call {url}. Sales do not wait for it: the shop asks by itself.",
    )


def _paypal(shop: Shop) -> Iterator[Word]:
    from handsel.sales.payments import paypal, paypal_trial

    given = shop.settings.paypal
    secret = given.secret.get_secret_value().strip() if given.secret else ""
    if not secret:
        yield Word(False, "There is no paypal.secret.", "Type it, and save.")
        return
    yield _money(live=not given.sandbox, what="These are %s keys")
    usual = paypal.SANDBOX if given.sandbox else paypal.LIVE
    base = (given.api_base or usual).rstrip("/")
    if paypal_trial.sees_disputes(base, given.client_id, secret):
        yield Word(True, "PayPal takes the keys, and lets the app see disputes.")
    else:
        yield Word(
            False,
            "PayPal takes the keys, but the app may not see disputes.",
            "Let it have Customer Disputes among its features, in PayPal's Developer "
            "Dashboard; it sells without, but hears of none.",
        )
    yield _heard(shop, "paypal")


def _database(shop: Shop) -> Iterator[Word]:
    began = monotonic()
    try:
        with shop.reading() as session:
            session.execute(select(1))
        with shop.transaction() as session:
            session.execute(select(1))
        schema.check(shop.database)
    except SQLAlchemyError as error:
        yield Word(False, f"The database cannot be used: {error.__cause__ or error}.")
        return
    kind = "SQLite" if shop.database.is_sqlite else "PostgreSQL"
    took = 1000 * (monotonic() - began)
    yield Word(True, f"{kind} reads and writes; that took {took:.0f} ms.")


def _storage(shop: Shop) -> Iterator[Word]:
    found = list(machine.folders(shop.home, shop.settings))
    yield from map(_word, found)
    if not found:
        yield Word(True, "The folders can be written, and there is room on the disk.")


def _word(finding: Finding) -> Word:
    good = None if finding.level is Level.INFO else False
    return Word(good, finding.problem, finding.hint)


def _mailbox(shop: Shop) -> Iterator[Word]:
    if not shop.settings.mail.bounce_mailbox:
        yield Word(None, "There is no mail.bounce_mailbox, so none is read.")
        return
    found = list(returns.look(shop.settings))
    yield from map(_word, found)
    if not found:
        yield Word(True, "The mailbox opens, and can be read.")


def _domain(shop: Shop) -> Iterator[Word]:
    from handsel.ops.doctor import domain

    if shop.settings.mail.transport != "smtp":
        yield Word(None, "Mails are not sent, so nothing is to be looked up.")
        return
    found = list(domain.look(shop.settings))
    yield from map(_word, found)
    if not found:
        yield Word(True, "SPF, DKIM and DMARC of the sender's domain are in order.")


def _counters(shop: Shop) -> Iterator[Word]:
    """Judge offline what would be told, and only reach out to where it would go."""
    chosen = counters.chosen(shop.settings).values()
    with shop.reading() as session:
        found = list(counting.look(session, shop.settings, shop.now()))
        found += counting.samples(session, shop.settings, shop.now())
    yield from map(_word, found)
    if not chosen:
        yield Word(None, "Nobody else is told of sales.")
        return
    if not found:
        yield Word(True, "What would be told of each product is as they want it.")
    given = shop.settings.analytics
    places = {
        "ga4": given.ga4_base or ga4.LIVE,
        "plausible": given.plausible_url,
        "matomo": given.matomo_url,
    }
    for each in chosen:
        yield _reached(each.title, places[each.name])


def _reached(title: str, address: str) -> Word:
    """See whether a server answers at all; it is told nothing."""
    import requests

    parts = urlsplit(address)
    try:
        with requests.Session() as line:
            line.trust_env = False
            place = f"{parts.scheme}://{parts.netloc}/"
            line.head(place, timeout=(3.0, 3.0), allow_redirects=False)
    except requests.RequestException as error:
        return Word(
            False,
            f"{title} cannot be reached at {parts.netloc} ({type(error).__name__}).",
            "May this machine call out, and is the address right?",
        )
    return Word(
        True,
        f"{title} is there, at {parts.netloc}.",
        "Whether it takes a sale is seen with the first: it tells nobody who asks.",
    )


def _countries(shop: Shop) -> Iterator[Word]:
    path = shop.settings.analytics.country_database
    if not path:
        yield Word(None, "There is no analytics.country_database.")
        return
    look_up = countries.open_database(shop.home / path)
    found = {look_up(each) for each in ("8.8.8.8", "193.0.6.139", "2001:4860::8888")}
    known = sorted(each for each in found if each)
    if known:
        yield Word(True, f"It knows countries: {', '.join(known)} of three tries.")
    else:
        yield Word(
            False,
            "It opens, but knows none of three well-known addresses.",
            "Take a database of countries, or of cities; not one of networks alone.",
        )


TRIALS: dict[str, Trial] = {
    "stripe": _stripe,
    "paypal": _paypal,
    "mailbox": _mailbox,
    "domain": _domain,
    "counters": _counters,
    "countries": _countries,
    "database": _database,
    "storage": _storage,
}
