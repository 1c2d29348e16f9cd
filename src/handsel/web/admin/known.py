"""Browsers that somebody has signed in with before: strangers cannot use up their tries."""

import secrets
from datetime import timedelta

from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.signing import check_timed, timed_token
from handsel.models import Staff
from handsel.web.pages import cookie_name, set_cookie, the_shop

KNOWN = "known-browser"
LIFE = timedelta(days=180)


def mark_of(email_key: str) -> str:
    """Name this browser, if this person has signed in with it; "" for any other."""
    shop = the_shop()
    mark, _, proof = request.cookies.get(cookie_name(KNOWN), "").partition(".")
    known = check_timed(shop.keys, KNOWN, f"{email_key} {mark}", proof, shop.now())
    return mark if mark and known else ""


def is_known() -> bool:
    """Say whether anybody who runs the shop has signed in with this browser."""
    with the_shop().reading() as session:
        return any(mark_of(each) for each in session.scalars(select(Staff.email_key)))


def remember(response: AnyResponse, email_key: str) -> None:
    """Know this browser again. It opens nothing: password and code are asked as ever."""
    shop = the_shop()
    mark = mark_of(email_key) or secrets.token_hex(16)
    proof = timed_token(shop.keys, KNOWN, f"{email_key} {mark}", shop.now() + LIFE)
    seconds = int(LIFE.total_seconds())
    set_cookie(response, KNOWN, f"{mark}.{proof}", seconds=seconds)
