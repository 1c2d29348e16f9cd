"""What the mails say that are not about an order: the facts for their templates."""

from typing import Any

from sqlalchemy.orm import Session

from handsel.kit.signing import Keys, numbered
from handsel.outbound import emails
from handsel.outbound.outbox import Item
from handsel.settings import Settings


def find(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say where somebody sees what they bought."""
    link = _link(keys, settings, "find", item.payload["link"])
    return {"link": link, "minutes": 30}


def check(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say where a buyer goes on who was asked to open a mail first."""
    return {
        "product": {"name": item.payload["name"]},
        "link": _link(keys, settings, emails.CHECKED, item.payload["check"]),
        "minutes": item.payload["minutes"],
    }


def _link(keys: Keys, settings: Settings, purpose: str, number: int) -> str:
    token = numbered(keys, purpose, number)
    return f"{settings.public_url}/{purpose}/{token}"


def brake(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say what is tried with a product, and by which providers."""
    return dict(item.payload) | {"providers": tuple(settings.providers)}


def paused(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say of a mail to many why it has stopped."""
    return dict(item.payload)


def hook_stopped(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say who is not told any more, and why."""
    return dict(item.payload)


def test(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    """Say when the test mail was asked for."""
    return {"date": item.payload["date"]}
