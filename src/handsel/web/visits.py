"""Telling what a visitor does to those who count it; no page waits for it.

Nothing is set in the browser, nothing that it does not send anyway is read, unless its
visitor has said yes to that (`consent`). Whoever says that they do not want to be counted
(`DNT`, `Sec-GPC`) is not.
"""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request

from handsel.analytics import agents, countries
from handsel.analytics.countries import LookUp
from handsel.analytics.recorder import Recorder
from handsel.analytics.sightings import Arrival, Sighting
from handsel.models.words import EventKind
from handsel.ops import measuring
from handsel.shop import Shop
from handsel.web import carried, consent
from handsel.web.pages import network_country, the_shop

_PLACE = "handsel.visits"


def prepare(app: Flask, shop: Shop) -> None:
    """Get ready to count. Raises ConfigurationError for a database of countries that
    cannot be read."""
    wanted = shop.settings.analytics
    if not wanted.own:
        return
    look_up: LookUp = countries.nowhere
    if wanted.country_database:
        look_up = countries.open_database(shop.home / wanted.country_database)
    also = measuring.Visits(shop)
    app.extensions[_PLACE] = Recorder(shop.database, shop.keys, look_up, also)


def recorder(app: Flask) -> Recorder | None:
    """Give what counts the visits of an application; None if nothing does."""
    found = app.extensions.get(_PLACE)
    assert found is None or isinstance(found, Recorder)
    return found


def note(
    kind: EventKind | None, *, slug: str = "", purchase: str = "", instead: str = ""
) -> None:
    """Count what the present request means; costs microseconds.

    Args:
        kind: None where only what is tried with the page counts.
        slug: of the product that is looked at.
        purchase: public id of the order that is begun, opened or downloaded.
        instead: public id of the order that it goes on from.
    """
    if request.method == "HEAD":
        return
    keep(carried.here(), kind, slug=slug, purchase=purchase, instead=instead)


def keep(
    said: dict[str, str],
    kind: EventKind | None,
    *,
    slug: str = "",
    purchase: str = "",
    instead: str = "",
) -> None:
    """Count a visit that says of itself what `carried.of` has kept of its words."""
    counts = recorder(current_app)
    if counts is None or not _may_count():
        return
    client, session = _at_google(said)
    who = consent.known()
    tried = g.get("tried")  # by `tested`, which needs to know this room
    counts.note(
        Sighting(
            kind,
            the_shop().now(),
            slug=slug,
            purchase=purchase,
            instead=instead,
            arrival=_arrival(said),
            address=request.remote_addr or "",
            agent=request.user_agent.string,
            country=network_country() or "",
            token=who.client if who else "",
            ga_client=client,
            ga_session=session,
            shown=tried.shown if tried else (),
        )
    )


def _at_google(said: dict[str, str]) -> tuple[str, str]:
    """Give Google's names for this visit: our own, which its script has too, with consent;
    else those of the page of the seller's that was just left, who asked for it there. A
    No here counts for both."""
    shop = the_shop()
    who = consent.known()
    if who and shop.settings.analytics.ga4_id:
        return who.client, who.visit
    if consent.answer() is consent.Answer.NO:
        return "", ""
    return carried.at_google(said, shop.now())


def counts() -> bool:
    """Say whether anything is counted here at all."""
    return recorder(current_app) is not None


def is_somebody() -> bool:
    """Say whether this is a person who may be counted; machines are told by their name."""
    agent = request.user_agent.string
    return request.method != "HEAD" and _may_know() and bool(agents.device(agent))


def _may_count() -> bool:
    headers = request.headers
    if "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")):
        return False
    return _may_know()


def _may_know() -> bool:
    if not agents.may_read(request.user_agent.string) or consent.refuses():
        return False
    return not any(
        _is_in(request.remote_addr, each)
        for each in the_shop().settings.analytics.ignore
    )


def _is_in(address: str | None, network: str) -> bool:
    try:
        return ip_address(address or "") in ip_network(network, strict=False)
    except ValueError:
        return False


def _arrival(said: dict[str, str]) -> Arrival:
    return Arrival(
        source=said.get("utm_source", ""),
        medium=said.get("utm_medium", ""),
        campaign=said.get("utm_campaign", ""),
        term=said.get("utm_term", ""),
        content=said.get("utm_content", ""),
        referrer=said.get("ref") or _left(),
        page=said.get("page", ""),
    )


def _left() -> str:
    """Give the host of the site that was left for us; nothing for ourselves, and for
    those who only take payments for us: nobody comes from there."""
    shop = the_shop()
    try:
        host = urlsplit(request.referrer or "").hostname or ""
    except ValueError:
        return ""
    pages = [getattr(each, "pages", ()) for each in shop.providers.values()]
    ours = {
        urlsplit(each).hostname
        for each in (
            shop.settings.shop.url,
            *(page for found in pages for page in found),
        )
    }
    return "" if host in ours else host
