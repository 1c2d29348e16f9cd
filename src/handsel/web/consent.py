"""Whether a visitor may be known again, and counted by Google: asked, and kept in cookies.

Before a yes nothing is set that counts anybody, and nothing of Google's is loaded; a
browser that says *Do Not Track* or *Global Privacy Control* has said no. The one cookie
that needs no yes is `visitor` (`pages.with_visitor`): a press that is repeated pays once. Asked is only in front of the shop, where
no address opens anything: the pages of `storefront`, which alone load Google's script.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.web import carried
from handsel.web.guards import Policy, content_policy, guard
from handsel.web.pages import cookie_name, page, set_cookie, the_shop

blueprint = Blueprint("consent", __name__)
guard(blueprint, Policy("anybody; changes what their own browser keeps, nothing here"))

KEPT = timedelta(days=182)
"""How long an answer is good for; then is asked again."""
VISIT = timedelta(minutes=30)
"""How long somebody may do nothing, and it is still the same visit for Google."""
GOOGLE = {
    "script": "https://*.googletagmanager.com",
    "img": "https://*.google-analytics.com https://*.googletagmanager.com",
    "connect": "https://*.google-analytics.com https://*.analytics.google.com "
    "https://*.googletagmanager.com",
}
"""What Google says its Analytics needs, without advertising:
developers.google.com/tag-platform/security/guides/csp."""

_CLIENT = re.compile(r"\d{1,20}\.\d{1,20}", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
# Google's own cookies: `GA1.2.1234567890.1700000000`; `GS1.1.1700000000.1...`, and since
# 2025 `GS2.1.s1700000000$o1$...`.
_CLIENT_OF_GOOGLE = re.compile(r"GA\d\.\d\.(\d{1,20}\.\d{1,20})", re.ASCII)
_VISIT_OF_GOOGLE = re.compile(r"GS\d\.\d\.s?(\d{1,20})", re.ASCII)


class Answer(StrEnum):
    """What a visitor says."""

    YES = "yes"
    NO = "no"
    NOTHING = ""


@dataclass(frozen=True)
class Known:
    """By what a visitor is known who has said yes.

    Args:
        client: a random number, in the form of Google's for a browser.
        visit: Google's number of this visit: when it began, in seconds. Empty where
            Google does not count.
    """

    client: str
    visit: str


def answer() -> Answer:
    """Say what this visitor has answered, or their browser for them."""
    if refuses():
        return Answer.NO
    said = request.cookies.get(cookie_name("consent"), "")
    return Answer(said) if said in list(Answer) else Answer.NOTHING


def refuses() -> bool:
    """Say whether a browser asks for its visitor not to be counted."""
    return "1" in (request.headers.get("DNT"), request.headers.get("Sec-GPC"))


def known() -> Known | None:
    """Give by what this visitor is known, for the length of a request the same."""
    if "known" not in g:
        asks = the_shop().settings.analytics.asks
        yes = asks and answer() is Answer.YES
        g.known = Known(_client(), _visit()) if yes else None
    found: Known | None = g.known
    return found


def _client() -> str:
    """Give the browser's number: the one it has, or that of Google's own script, or a new
    one. Never one of the address, which others may have been sent."""
    kept = request.cookies.get(cookie_name("counted"), "")
    if _CLIENT.fullmatch(kept):
        return kept
    theirs = _CLIENT_OF_GOOGLE.match(request.cookies.get("_ga", ""))
    return theirs[1] if theirs else f"{secrets.randbelow(2**31)}.{_now()}"


def _visit() -> str:
    """Give the number of this visit; nothing where Google does not count."""
    wanted = the_shop().settings.analytics.ga4_id.removeprefix("G-")
    if not wanted:
        return ""
    theirs = _VISIT_OF_GOOGLE.match(request.cookies.get(f"_ga_{wanted}", ""))
    if theirs:
        return theirs[1]
    kept = request.cookies.get(cookie_name("visit"), "")
    return kept if _NUMBER.fullmatch(kept) else str(_now())


def _now() -> int:
    return int(the_shop().now().timestamp())


def shown() -> dict[str, Any]:
    """Give what pages show of it: whether there is a choice, the question, the script."""
    wanted = the_shop().settings.analytics
    found: dict[str, Any] = {"asks": wanted.asks, "bar": None, "google": None}
    if not (wanted.asks and _is_in_front()):
        return found
    g.consent_matters = True
    if answer() is Answer.NOTHING:
        back = carried.on(request.path, _wish())
        found["bar"] = _question() | {"hidden": {"back": back}}
    who = known()
    if who and wanted.ga4_id:
        g.loads_google = True
        found["google"] = {
            "id": wanted.ga4_id,
            "client": who.client,
            "page": _address(),
            "keep": _seconds(KEPT),
        }
    return found


def _is_in_front() -> bool:
    """Say whether this is a page that asks; one that is not there may be anything, also a
    link with a slip in it."""
    asked = request.blueprint == "storefront" and request.method == "GET"
    return asked and "is_error" not in g


def _wish() -> dict[str, str]:
    """Give what else the address of this page says, to come back to it as it was."""
    return {name: said for name, said in request.args.items() if name != "cancelled"}


def _address() -> str:
    """Give the address that Google is told: of all that it says only the campaign."""
    said = carried.here().items()
    query = urlencode([(name, word) for name, word in said if name[:4] == "utm_"])
    address = the_shop().settings.public_url + request.path
    return f"{address}?{query}" if query else address


def _question() -> dict[str, Any]:
    return {
        "action": url_for("consent.choose"),
        "google": bool(the_shop().settings.analytics.ga4_id),
    }


@blueprint.get("/consent")
def choices() -> Response:
    """Show what was chosen, and let it be changed."""
    response = page(
        "consent.html",
        question=_question() | {"hidden": {"back": request.path}},
        said=str(answer()),
        refused=refuses(),
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.post("/consent")
def choose() -> AnyResponse:
    """Keep an answer, and go back to where it was asked for."""
    said = request.form.get("answer", "")
    if said not in (Answer.YES, Answer.NO):
        raise BadInputError("Please answer with Yes or No.", "Go back and press one.")
    response = redirect(_back(), 303)
    response.headers["Cache-Control"] = "no-store"
    if said == Answer.NO or refuses() or not the_shop().settings.analytics.asks:
        _forget(response)
        said = Answer.NO
    else:
        _remember(response, Known(_client(), _visit()))
    set_cookie(response, "consent", said, seconds=_seconds(KEPT))
    return response


def _back() -> str:
    """Give where to go: a page of ours, whatever the form says."""
    wanted = request.form.get("back", "")
    plain = wanted.isprintable() and "\\" not in wanted and len(wanted) < 4000
    parts = urlsplit(wanted) if plain and re.match(r"/(?!/)", wanted) else None
    if parts is None or parts.scheme or parts.netloc:
        return "/"
    return wanted


def _remember(response: AnyResponse, who: Known) -> None:
    set_cookie(response, "counted", who.client, seconds=_seconds(KEPT))
    if who.visit:
        set_cookie(response, "visit", who.visit, seconds=_seconds(VISIT))


def _forget(response: AnyResponse) -> None:
    """Take away what was set since a yes, by us and by Google's script."""
    for name in ("counted", "visit"):
        if request.cookies.get(cookie_name(name)):
            set_cookie(response, name, "", seconds=0)
    for name in request.cookies:
        if name == "_ga" or name.startswith("_ga_"):
            for domain in (None, *_domains()):
                response.delete_cookie(name, path="/", domain=domain)


def _domains() -> list[str]:
    """Give the domains that Google's script may have set its cookies for."""
    parts = (urlsplit(the_shop().settings.shop.url).hostname or "").split(".")
    return [".".join(parts[place:]) for place in range(len(parts) - 1)]


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


@blueprint.after_app_request
def _after(response: Response) -> Response:
    """Let a page load what it was given, keep it to its visitor, and the visit alive."""
    if g.get("loads_google"):
        response.headers["Content-Security-Policy"] = content_policy(**GOOGLE)
    if g.get("consent_matters"):
        response.headers["Cache-Control"] = "private, no-cache"
    who: Known | None = g.get("known")
    if who and request.blueprint in ("storefront", "buying"):
        _remember(response, who)
    return response
