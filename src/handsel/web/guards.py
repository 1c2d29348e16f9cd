"""A blueprint is a security policy: what its pages may load, and who may press.

`guard(blueprint, policy)` is called for every blueprint; a test says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, abort, request

from handsel.web.pages import the_shop

OWN_ORIGINS = ("", "same-origin", "same-site", "none")


@dataclass(frozen=True)
class Policy:
    """The rules of one kind of visitor.

    Args:
        who: one sentence for the reader.
        secret: the address itself opens something: no caching, no referrer, no index.
        foreign_posts: whether other sites may send forms here, as a Buy button does.
        framed: whether the sites of `embed.origins` may show these pages in theirs. So
            they know no visitor: nothing that is pressed there may be worth stealing.
        lent: whether other sites may load what is here, as they do a script.
    """

    who: str
    secret: bool = False
    foreign_posts: bool = False
    framed: bool = False
    lent: bool = False


POLICIES: dict[str, Policy] = {}
"""The policy of every blueprint, by its name."""


def guard(blueprint: Blueprint, policy: Policy) -> None:
    """Put a policy in front of every view of a blueprint, and its headers behind."""

    @blueprint.before_request
    def _check() -> None:
        origin = request.headers.get("Sec-Fetch-Site", "")
        unsafe = request.method not in ("GET", "HEAD", "OPTIONS")
        if unsafe and not policy.foreign_posts and origin not in OWN_ORIGINS:
            abort(403)
        if policy.framed:
            request.environ.pop("HTTP_COOKIE", None)

    @blueprint.after_request
    def _close(response: Response) -> Response:
        if policy.secret:
            response.headers["Cache-Control"] = "no-store"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        if policy.lent:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            response.headers["Access-Control-Allow-Origin"] = "*"
        if policy.framed:
            response.headers.remove("Set-Cookie")
            sites = the_shop().settings.sites
            if response.status_code == 200 and sites:
                own = content_policy(framed_by=sites)
                response.headers["Content-Security-Policy"] = own
        return response

    POLICIES[blueprint.name] = policy


def content_policy(framed_by: Sequence[str] = (), **more: str) -> str:
    """Write down what a page may load: from ourselves alone, and nothing inline.

    Args:
        framed_by: the sites that may show the page in theirs.
        more: for a page that needs it, the origins of somebody else that may be used,
            and for what: `script="https://a.example"`.
    """
    ours = {
        "default": "'none'",
        "script": "'self'",
        "style": "'self'",
        "img": "'self' data:",
        "font": "'self'",
        "connect": "'self'",
        "object": "'none'",
    }
    loaded = (
        " ".join((f"{kind}-src", *filter(None, (ours.get(kind), more.get(kind)))))
        for kind in (ours | more)
    )
    forms = " ".join(("'self'", *_payment_pages()))
    frames = " ".join(framed_by) or "'none'"
    rest = f"base-uri 'none'; frame-ancestors {frames}; form-action {forms}"
    return "; ".join((*loaded, rest))


def common_headers(response: Response) -> Response:
    """Add what every answer carries, errors included."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if the_shop().settings.shop.url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _payment_pages() -> tuple[str, ...]:
    """Where a Buy form may end: browsers hold the policy against the redirect too."""
    found = (getattr(each, "pages", ()) for each in the_shop().providers.values())
    return tuple(origin for origins in found for origin in origins)
