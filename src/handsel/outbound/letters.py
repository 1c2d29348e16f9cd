"""What each mail says: the facts for its template, and the template's three blocks.

A seller's own `templates/mail/NAME.jinja` in the home folder wins over ours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
)
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.kit.errors import ConfigurationError, ShopError
from handsel.kit.money import Money, format_money
from handsel.kit.signing import Keys, link_token
from handsel.kit.text import human_size
from handsel.models import (
    Entitlement,
    Order,
    OutboxItem,
    Release,
    ReleaseFile,
)
from handsel.models.database import Database
from handsel.models.words import OutboxState
from handsel.outbound import notices, taxwords
from handsel.outbound.outbox import Item
from handsel.settings import Settings

TEST = "mail.test"
"""The topic of `handsel mail test`, which never waits in the outbox."""
MEND = "Mend that line, or take the file away: then ours is used again."
"""What to do about a template that is wrong."""


class CannotWriteError(ShopError):
    """This mail can never be written as things are."""


class BrokenTemplateError(ConfigurationError):
    """A template cannot be filled in. `malformed`: not even read."""

    def __init__(self, place: str, what: str, *, malformed: bool = False) -> None:
        super().__init__(
            f"{place}: {what.strip().rstrip('.')}.",
            MEND,
        )
        self.malformed = malformed


@dataclass(frozen=True)
class Letter:
    """A mail's words. `html` says the same as `text`."""

    subject: str
    text: str
    html: str


def write(
    database: Database,
    keys: Keys,
    settings: Settings,
    home: Path,
    item: Item,
    *,
    test_mode: bool,
) -> Letter:
    """Write the mail an outbox item stands for. Raises CannotWriteError."""
    facts = _FACTS[item.topic]
    with database.reading() as session:
        context = facts(session, keys, settings, item)
    context |= {"shop": settings.shop, "test_mode": test_mode}
    return render(home, item.topic.removeprefix("mail."), context)


def render(home: Path, name: str, context: dict[str, Any]) -> Letter:
    """Fill in the three blocks of the template of this name.

    Raises BrokenTemplateError, which names file and line.
    """
    template = load(home, f"mail/{name}.jinja")
    words = {
        block: _block(home, template, block, context)
        for block in ("subject", "text", "html")
    }
    return Letter(**words)


def load(home: Path, name: str) -> Template:
    """Read a template: the seller's own, else ours. Raises BrokenTemplateError."""
    try:
        return environment(home).get_template(name)
    except TemplateSyntaxError as error:
        raise _malformed(home, error) from error
    except (OSError, UnicodeDecodeError) as error:
        what = "it cannot be read, or is not text in UTF-8"
        if isinstance(error, TemplateNotFound):
            what = "there is no such template"
        raise BrokenTemplateError(f"templates/{name}", what, malformed=True) from error


def _block(home: Path, template: Template, block: str, context: dict[str, Any]) -> str:
    own = template.filename or str(template.name)
    if block not in template.blocks:
        raise BrokenTemplateError(_place(home, own), f"it has no block {block!r}")
    try:
        filled = template.blocks[block](template.new_context(context))
        return "".join(filled).strip()
    except TemplateSyntaxError as error:  # in what it includes
        raise _malformed(home, error) from error
    except Exception as error:  # templates are programs, and fail like those
        what = str(error) or type(error).__name__
        if isinstance(error, TemplateNotFound):
            what = f"there is no template {error.name}"
        place = _place(home, *_where(error, own))
        raise BrokenTemplateError(place, what) from error


def _malformed(home: Path, error: TemplateSyntaxError) -> BrokenTemplateError:
    place = _place(home, error.filename or str(error.name), error.lineno)
    return BrokenTemplateError(place, error.message or "", malformed=True)


def _where(error: Exception, own: str) -> tuple[str, int | None]:
    """Say in which line of which template something failed."""
    found: tuple[str, int | None] = (own, None)
    for frame, line in walk_tb(error.__traceback__):
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template) and template.filename:
            found = (template.filename, template.get_corresponding_lineno(line))
    return found


def _place(home: Path, file: str, line: int | None = None) -> str:
    path = Path(file)
    name = str(path.relative_to(home)) if path.is_relative_to(home) else path.name
    return f"{name}, line {line}" if line else name


@lru_cache(maxsize=4)
def environment(home: Path) -> Environment:
    """Give the templates: the seller's folder first, then ours."""
    return Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(home / "templates"), PackageLoader("handsel")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def purchase_link(keys: Keys, settings: Settings, order: Order) -> str:
    """Derive the unique address of a purchase; the same whenever it is asked for."""
    token = link_token(keys, order.public_id, order.token_version)
    return f"{settings.public_url}/d/{token}"


def _order_of(session: Session, item: Item) -> Order:
    order = session.scalars(
        select(Order)
        .where(Order.id == item.order_id)
        .options(joinedload(Order.product))
    ).one_or_none()
    if order is None:
        raise CannotWriteError("The order this mail was about is gone.")
    return order


def _receipt(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    order = _still_theirs(_order_of(session, item), item)
    return {
        "order": order_facts(order, settings),
        "product": {"name": order.product.name},
        "link": purchase_link(keys, settings, order),
        "downloads_limit": order.download_limit,
        "files": file_facts(_files(session, order)),
        "invoice": taxwords.facts(
            taxwords.first(session, order),
            purchase_link(keys, settings, order),
            settings.shop.locale,
        ),
        "again": bool(item.payload.get("again")),
    }


def _files(session: Session, order: Order) -> list[tuple[str, int]]:
    """Name what a purchase opens now, with sizes in bytes; a bundle's products in turn."""
    rows = session.execute(
        select(ReleaseFile.name, ReleaseFile.size)
        .join(Release, Release.id == ReleaseFile.release_id)
        .join(Entitlement, Entitlement.product_id == Release.product_id)
        .where(Entitlement.order_id == order.id, ReleaseFile.replaced_in.is_(None))
        .order_by(Entitlement.id, ReleaseFile.position, ReleaseFile.id)
    )
    return [(row.name, row.size) for row in rows]


def _still_theirs(order: Order, item: Item) -> Order:
    """Show no link, and nothing of an order, to an address that was corrected."""
    if order.email != item.recipient:
        raise CannotWriteError(
            "The address of this order was changed in the meantime.",
            "The link went to the new one.",
        )
    return order


def order_facts(order: Order, settings: Settings) -> dict[str, Any]:
    """Give what a receipt says of an order."""

    def said(minor: int) -> str:
        return format_money(Money(minor, order.currency), settings.shop.locale)

    return {
        "number": order.number,
        "email": order.email,
        "before": said(order.price_minor + order.discount_minor),
        "discount": said(order.discount_minor) if order.discount_minor else "",
        "total": said(order.price_minor),
        "free": order.price_minor == 0,
        "date": (order.paid_at or order.created_at).date().isoformat(),
        "card_last4": order.card_last4,
        "statement_text": order.statement_text,
        "test": order.test,
    }


def file_facts(files: Iterable[tuple[str, int]]) -> list[dict[str, str]]:
    """Give what a mail says of files, by name and size in bytes."""
    return [{"name": name, "size": human_size(size)} for name, size in files]


def _review(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    order = _order_of(session, item)
    return {
        "order": order_facts(order, settings),
        "product": {"name": order.product.name},
        "reason": order.review_reason or "It has been looked at already.",
    }


def _refund(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    order = _still_theirs(_order_of(session, item), item)
    receipt = select(OutboxItem.id).where(
        OutboxItem.order_id == order.id, OutboxItem.topic == "mail.receipt"
    )
    return _money(order, settings, item) | {
        "whole": item.payload["minor"] == order.price_minor,
        "access": _opens(session, order),
        "opened": session.scalar(receipt.limit(1)) is not None,
        "link": purchase_link(keys, settings, order),
        "credit_note": taxwords.facts(
            taxwords.credited(session, order, str(item.payload.get("refund", ""))),
            purchase_link(keys, settings, order),
            settings.shop.locale,
        ),
    }


def _refund_failed(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    order, said = _order_of(session, item), item.payload
    gone = (OutboxState.SENT, OutboxState.SENDING)
    told = select(OutboxItem.id).where(
        OutboxItem.dedupe == said["told"], OutboxItem.state.in_(gone)
    )
    part = said["minor"] != order.price_minor
    return _money(order, settings, item) | {
        **{name: said[name] for name in ("what", "keep", "error")},
        "part": Money(said["minor"], said["currency"]).amount if part else "",
        "access": _opens(session, order),
        "told": session.scalar(told) is not None,
    }


def _dispute(
    session: Session, keys: Keys, settings: Settings, item: Item
) -> dict[str, Any]:
    order = _order_of(session, item)
    more = {"what": item.payload["what"], "access": _opens(session, order)}
    return _money(order, settings, item) | more


def _opens(session: Session, order: Order) -> bool:
    access = select(Entitlement.access).where(
        Entitlement.order_id == order.id, Entitlement.product_id == order.product_id
    )
    return bool(session.scalar(access))


def _money(order: Order, settings: Settings, item: Item) -> dict[str, Any]:
    amount = Money(item.payload["minor"], item.payload["currency"])
    return {
        "order": order_facts(order, settings),
        "product": {"name": order.product.name},
        "amount": format_money(amount, settings.shop.locale),
    }


_FACTS: Mapping[str, Callable[[Session, Keys, Settings, Item], dict[str, Any]]] = {
    "mail.receipt": _receipt,
    "mail.find": notices.find,
    "mail.review": _review,
    "mail.refund": _refund,
    "mail.refund_failed": _refund_failed,
    "mail.dispute": _dispute,
    "mail.paused": notices.paused,
    "mail.hook_stopped": notices.hook_stopped,
    "mail.brake": notices.brake,
    "mail.check": notices.check,
    TEST: notices.test,
}
