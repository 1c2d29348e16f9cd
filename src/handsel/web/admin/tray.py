"""Files that were sent and wait to be used, and a place to send more to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Response

from handsel.delivery.storage.uploads import KEEP, Upload
from handsel.kit.errors import NotFoundError
from handsel.kit.text import human_size
from handsel.web.admin.desk import desk
from handsel.web.pages import page, the_shop

WHOLE = 100_000_000
"""Bytes that a form may bring at once, from a browser without scripts."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Waiting:
    """An upload as a page shows it. `come` is how much of it is here, in percent."""

    id: str
    name: str
    size: str
    come: int
    whole: bool
    picture: bool
    chosen: bool


@desk.get("/uploads", provide_automatic_options=False)
def tray() -> Response:
    """Show what waits."""
    return show()


def show(status: int = 200, problem: str = "") -> Response:
    """Show it, and what went wrong with what was sent."""
    errors = {"files": problem} if problem else {}
    return page("admin/uploads.html", status, errors=errors, **on_tray())


def on_tray(chosen: Sequence[str] = ()) -> dict[str, object]:
    """Give what the part of a page needs that sends files and shows those that wait.

    Args:
        chosen: the ids that are ticked.
    """
    shelf = the_shop().uploads
    found = [_waiting(each, chosen) for each in shelf.waiting()]
    return {
        "waiting": [each for each in found if each],
        "kept_hours": KEEP // timedelta(hours=1),
        "most_whole": human_size(WHOLE),
    }


def too_much() -> str:
    """Say that a form brings more than may come at once."""
    return f"Without scripts there may be {human_size(WHOLE)} at a time. Send less at once."


def _waiting(upload: Upload, chosen: Sequence[str]) -> Waiting | None:
    try:
        come = upload.offset * 100 // upload.size
    except NotFoundError:  # it was taken away this moment
        return None
    return Waiting(
        upload.id,
        upload.name,
        human_size(upload.size),
        come,
        bool(upload.sha256),
        upload.name.lower().endswith(PICTURES),
        upload.id in chosen,
    )
