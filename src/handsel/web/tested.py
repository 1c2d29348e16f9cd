"""What this visitor is shown of the experiments that run, in the present request.

`look` says it once, before the page reads anything else. Nobody waits for experiments:
if they cannot be read, everybody sees the shop as it is. So do machines, and whoever is
not counted.

Only the price needs more than a sum: it was promised. The page's forms and a cookie,
set only while prices are tried, carry our signed word for it, so that no other price
is asked of the same visitor from another address or in another tab. Addresses carry it
too, and are copied: whoever opens one has its price, and counts as nobody else.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from flask import current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from handsel.analytics import assigning, experiments
from handsel.analytics.assigning import NOBODY, Ticket, Trial
from handsel.analytics.sightings import Shown
from handsel.models import Order
from handsel.models.words import Part
from handsel.sales.checkout import PROMISE, Offer, Promised
from handsel.web import carried, visits
from handsel.web.pages import cookie_name, set_cookie, the_shop

log = logging.getLogger("handsel.web")

HALF_A_YEAR = 180 * 24 * 3600
HERE: Collection[Part] = [part for part in Part if part is not Part.PAGE]
"""What the page of a product shows."""


@dataclass(frozen=True)
class Tried:
    """The variants of one visitor, of one request.

    Args:
        shows: which parts the page shows.
        prices: whether prices are tried there: then it is nobody else's.
    """

    tickets: Sequence[Ticket] = ()
    shows: Collection[Part] = ()
    prices: bool = False

    def value(self, part: Part) -> str | None:
        """Give the value of a part that is not as ever; None where it is."""
        for each in self.tickets:
            if each.trial.part is part and each.variant != each.trial.control:
                return each.trial.variants[each.variant]
        return None

    def price(self, slug: str) -> Ticket | None:
        """Give the price that this visitor was promised for a product, if any was."""
        for each in self.tickets:
            if each.trial.part is Part.PRICE and each.trial.slug == slug:
                return each
        return None

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Give it as those who count need it."""
        return tuple(
            Shown(
                each.trial.id,
                each.variant,
                each.visitor,
                certain=each.visitor != NOBODY
                and (each.brought or each.trial.part in self.shows),
            )
            for each in self.tickets
        )


NOTHING = Tried()


def here() -> Tried:
    """Give what `look` has found; nothing before that."""
    found = g.get("tried", NOTHING)
    assert isinstance(found, Tried)
    return found


def look(slug: str = "", *, shows: Collection[Part] = (Part.PRICE,)) -> Tried:
    """Find out what this visitor is shown; no transaction may be open.

    Args:
        slug: of the product; without one, of all whose prices are tried.
        shows: which parts the page shows.
    """
    trials = _running(slug)
    tickets = tuple(_tickets(trials)) if trials else ()
    prices = any(each.part is Part.PRICE for each in trials)
    found = Tried(tickets, shows, prices)
    g.tried = found
    return found


def on_a_page(names: Sequence[str]) -> dict[str, str]:
    """Say what this visitor is to see of experiments with a page of the seller's."""
    trials, shipped = _of_pages(names)
    if not visits.is_somebody():
        return shipped
    keys = the_shop().keys
    words = ((each.name, _own(each).text(keys)) for each in trials)
    return shipped | {name: text.partition(".")[2] for name, text in words}


def take(words: str) -> None:
    """Take a page's word for what it has shown, as far as we have signed it."""
    found = words[:1000].split(",")
    trials, _ = _of_pages([each.partition(".")[0] for each in found])
    known = {each.name: each for each in trials}
    read = (assigning.read(the_shop().keys, known, text) for text in found)
    g.tried = Tried(tuple(each for each in read if each))


def _of_pages(names: Sequence[str]) -> tuple[Sequence[Trial], dict[str, str]]:
    if not visits.counts():
        return (), {}
    try:
        with the_shop().reading() as session:
            trials = experiments.of_pages(session, names)
            return trials, experiments.shipped_on_pages(session, names)
    except SQLAlchemyError as error:
        _complain(error)
        return (), {}


def leave_out(part: Part) -> list[str]:
    """Count this visitor for no variant of a part, as none could be shown.

    Give the names of the form's fields that said otherwise.
    """
    found = here()
    left = [each for each in found.tickets if each.trial.part is part]
    tickets = [each for each in found.tickets if each not in left]
    g.tried = replace(found, tickets=tickets)
    return [_field(each) for each in left]


def _running(slug: str) -> Sequence[Trial]:
    if not visits.counts():
        return ()
    try:
        with the_shop().reading() as session:
            return experiments.running(session, slug)
    except SQLAlchemyError as error:
        _complain(error)
        return ()


def _complain(error: Exception) -> None:
    today = the_shop().now().date()
    if current_app.extensions.get("handsel.tested") != today:
        current_app.extensions["handsel.tested"] = today
        log.error("Experiments cannot be read, and nobody sees any: %s", error)


def _tickets(trials: Sequence[Trial]) -> Iterator[Ticket]:
    known = {each.name: each for each in trials}
    brought = dict(_brought(known))
    own = _own if visits.is_somebody() else _nobody
    for trial in trials:
        mine = brought.get(trial.name)
        if trial.part is Part.PRICE:
            mine = _promised(trial, mine) or (None if _was_asked(trial) else own(trial))
        else:
            mine = mine or own(trial)
        if mine:
            yield mine


def _brought(known: dict[str, Trial]) -> Iterator[tuple[str, Ticket]]:
    """Read what a form or a link of ours brings along, or one of the seller's page."""
    said = request.form if request.method == "POST" else request.args
    mine = [text for name, text in said.items() if name.partition("-")[0] == PROMISE]
    for text in (*mine, *carried.here().get("variant", "").split(",")):
        if ticket := assigning.read(the_shop().keys, known, text):
            yield ticket.trial.name, ticket


def _promised(trial: Trial, brought: Ticket | None) -> Ticket | None:
    """Give the least price that was promised, by this page or to this browser."""
    cookie = request.cookies.get(cookie_name(_cookie(trial)), "")
    kept = assigning.read(the_shop().keys, {trial.name: trial}, cookie)
    if brought and request.method != "POST":
        found = [each for each in (kept, _of_a_link(trial, brought)) if each]
    else:
        found = [each for each in (brought, kept) if each]
    return min(found, key=lambda each: trial.price(each.variant), default=None)


def _of_a_link(trial: Trial, brought: Ticket) -> Ticket:
    """Give the price of a link to whoever has opened it, who may have it from anybody.

    They count as themselves, if they would have been shown the same without it.
    """
    own = _own(trial) if visits.is_somebody() else None
    if own and own.visitor == brought.visitor:
        return brought
    if own and own.variant == brought.variant:
        return own
    return replace(brought, visitor=NOBODY)


def _was_asked(trial: Trial) -> bool:
    """Whether a form was shown with a price, and without our word for it: as it was
    before the experiment, or as nobody but the sender has written it."""
    return request.method == "POST" and ("shown" in request.form)


def _own(trial: Trial) -> Ticket:
    address, agent = request.remote_addr or "", request.user_agent.string
    return assigning.assign(the_shop().keys, trial, address, agent)


def _nobody(trial: Trial) -> None:
    return None


def promised(slug: str) -> Promised | None:
    """Give the price that this visitor is asked for a product, instead of the usual."""
    found = here().price(slug)
    if found is None:
        return None
    return Promised(found.trial.price(found.variant), found.text(the_shop().keys))


def again(offer: Offer, order: Order) -> Offer:
    """Promise the price of an order once more to whoever comes back from its payment."""
    mine = look(offer.slug).price(offer.slug)
    if mine is None or offer.promised:
        return offer
    trial = mine.trial
    visitor = _visitor_of(order, trial) or mine.visitor
    for variant in (mine.variant, *trial.variants):
        if trial.price(variant) == offer.quote.before:
            kept = Ticket(trial, variant, visitor)
            word = Promised(offer.quote.before, kept.text(the_shop().keys))
            return replace(offer, promised=word)
    return offer


def _visitor_of(order: Order, trial: Trial) -> int | None:
    try:
        with the_shop().reading() as session:
            return experiments.visitor_of(session, order.id, trial.id)
    except SQLAlchemyError as error:
        _complain(error)
        return None


def fields() -> dict[str, str]:
    """Give what a form carries to the press on Buy, so that it counts for the same."""
    return {
        _field(each): each.text(the_shop().keys)
        for each in here().tickets
        if each.trial.part is not Part.PAGE and (each.brought or _is_shown(each))
    }


def _field(ticket: Ticket) -> str:
    price = ticket.trial.part is Part.PRICE
    return PROMISE if price else f"{PROMISE}-{ticket.trial.name}"


def _is_shown(ticket: Ticket) -> bool:
    return ticket.trial.part in here().shows


def keep_promises(response: AnyResponse) -> AnyResponse:
    """Let the browser remember the prices it was shown, and nobody else see them."""
    for each in here().tickets:
        if each.trial.part is not Part.PRICE:
            continue
        word, name = each.text(the_shop().keys), _cookie(each.trial)
        if request.cookies.get(cookie_name(name)) != word:
            set_cookie(response, name, word, seconds=HALF_A_YEAR)
    if here().prices:
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _cookie(trial: Trial) -> str:
    return f"price-{trial.id}"
