"""Every mail with example facts: for the seller to look at, and for the doctor to try.

Nothing is in the database for it and nothing leaves the house. The facts are made by the
same functions as those of real mails, so that an example cannot promise more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handsel.kit.money import Money
from handsel.models import Invoice, Order
from handsel.models.orders import FIRST_NUMBER
from handsel.models.words import TaxClass
from handsel.outbound import announcing, letters, taxwords
from handsel.outbound.compose import inlined
from handsel.outbound.letters import BrokenTemplateError, Letter
from handsel.outbound.post import sender_of
from handsel.sales.pricing import contained
from handsel.sales.tax import rules
from handsel.sales.tax.rules import Places
from handsel.settings import Settings

_KINDS = (".html", ".jinja", ".txt")
MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""When everything in the examples happened."""

_NOTES = """\
Two mistakes in chapter 3 are mended. Thank you, readers!

- The kettle now *boils* before the tea.
- A new chapter: **The Last Penny**.

The [list of changes](https://books.example/changes) has more.
"""
_BODY = """\
At seven, *by the kettle*. Bring:

1. a cup,
2. your copy.

# And if it rains

> Whoever was there comes again.
"""


@dataclass(frozen=True)
class Words:
    """What somebody types, and ends up in mails.

    Args:
        review: why an order needs a person.
        error: the last words of a mail server.
    """

    product: str = "The First Coin"
    slug: str = "the-first-coin"
    version: str = "1.2"
    notes: str = _NOTES
    files: tuple[tuple[str, int], ...] = (
        ("the-first-coin.epub", 78_000),
        ("the-first-coin.pdf", 131_000),
    )
    subject: str = "I read on Sunday"
    body: str = _BODY
    email: str = "ann@reader.example"
    statement: str = "TILLERY STALL"
    review: str = "It was paid twice. Refund one of the two payments."
    error: str = "The mail server did not take the mail: 451 4.3.0 Try again later."


def preview(
    home: Path, settings: Settings, name: str, *, test: bool, words: Words | None = None
) -> Letter:
    """Write the mail of this name as a buyer would see it; its links lead nowhere.

    Args:
        name: one of NAMES.
        test: whether it is about money that was not moved.

    Raises BrokenTemplateError.
    """
    given = facts(settings, name, test=test, words=words)
    letter = letters.render(home, name, given)
    return Letter(letter.subject, letter.text, inlined(letter.html))


def own_templates(home: Path) -> list[Path]:
    """Find the seller's own templates."""
    own = home / "templates"
    return sorted(each for each in own.rglob("*") if each.suffix in _KINDS)


def broken(home: Path, settings: Settings) -> Iterator[BrokenTemplateError]:
    """Try every template of the seller's own: mails with examples, pages for form."""
    own = home / "templates"
    for path in own_templates(home):
        try:
            letters.load(home, path.relative_to(own).as_posix())
        except BrokenTemplateError as error:
            yield error
    seen = set()
    for name in NAMES if (own / "mail").is_dir() else ():
        for test in (False, True):
            try:
                preview(home, settings, name, test=test)
            except BrokenTemplateError as error:
                if not error.malformed and error.message not in seen:
                    seen.add(error.message)
                    yield error


def facts(
    settings: Settings, name: str, *, test: bool, words: Words | None = None
) -> dict[str, Any]:
    """Give what the template of this name is given, with examples in it."""
    own = _FACTS[name](settings, words or Words(), test)
    return own | {"shop": settings.shop, "test_mode": test}


def _order(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    order = Order(
        id=1042 - FIRST_NUMBER + 1,
        email=words.email,
        price_minor=1500,
        discount_minor=500,
        currency=settings.shop.currency,
        created_at=MOMENT,
        card_last4="4242",
        statement_text=words.statement,
        test=test,
    )
    return letters.order_facts(order, settings)


def _link(settings: Settings, kind: str) -> str:
    return f"{settings.public_url}/{kind}/an-example-that-leads-nowhere-0000000000000"


def _receipt(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "order": _order(settings, words, test),
        "product": {"name": words.product},
        "link": _link(settings, "d"),
        "downloads_limit": settings.delivery.download_limit,
        "files": letters.file_facts(words.files),
        "invoice": _invoice(settings),
        "again": False,
    }


def _invoice(settings: Settings) -> dict[str, str]:
    places = Places(settings.tax.country)
    found = rules.tax(settings.tax, TaxClass.STANDARD, places, MOMENT.date())
    paid = Money(1500, settings.shop.currency)
    paper = Invoice(
        id=1,
        prefix=settings.invoice.prefix,
        sequence=settings.invoice.first,
        currency=paid.currency,
        tax_minor=contained(paid, found.basis_points).minor,
        basis_points=found.basis_points,
        tax_word=settings.tax.name,
        treatment=found.treatment,
        country=found.country,
    )
    return {
        "number": paper.number,
        "tax": taxwords.included(paper, settings.shop.locale),
        "link": f"{_link(settings, 'd')}/invoice/1",
    }


def _find(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {"link": _link(settings, "find"), "minutes": 30}


def _review(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "order": _order(settings, words, test),
        "product": {"name": words.product},
        "reason": words.review,
    }


def _refund(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return _money(settings, words, test) | {
        "whole": True,
        "access": False,
        "opened": True,
        "link": _link(settings, "d"),
        "credit_note": _invoice(settings)
        | {"number": f"{settings.invoice.credit_prefix}{settings.invoice.first}"},
    }


def _dispute(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    more = {"what": "dispute_open", "access": False}
    return _money(settings, words, test) | more


def _money(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    order = _order(settings, words, test)
    product = {"name": words.product}
    return {"order": order, "product": product, "amount": order["total"]}


def _refund_failed(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    more = {"what": "came_back", "keep": False, "part": "", "error": words.error}
    return _money(settings, words, test) | more | {"access": True, "told": True}


def _release(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    told = announcing.of_release(words.product, words.version, words.notes, words.files)
    return told.facts | _to_many(settings, test)


def _broadcast(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    told = announcing.of_words(words.product, words.subject, words.body)
    return told.facts | _to_many(settings, test)


def _to_many(settings: Settings, test: bool) -> dict[str, Any]:
    return {
        "test": test,
        "link": _link(settings, "d"),
        "leave_link": _link(settings, "u"),
    }


def _paused(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "name": words.product,
        "number": 12,
        "version": words.version,
        "subject": "",
        "reason": words.error,
    }


def _brake(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "name": words.product,
        "slug": words.slug,
        "declined": 47,
        "tries": 50,
        "providers": ("stripe", "paypal"),
    }


def _hook_stopped(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "number": 2,
        "url": "https://partner.example/hooks/books",
        "why": "It answered HTTP 500." if words == Words() else words.error,
    }


def _check(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {
        "product": {"name": words.product},
        "link": _link(settings, "checked"),
        "minutes": 60,
    }


def _test(settings: Settings, words: Words, test: bool) -> dict[str, Any]:
    return {"date": MOMENT.date().isoformat()}


_FACTS: Mapping[str, Callable[[Settings, Words, bool], dict[str, Any]]] = {
    "receipt": _receipt,
    "find": _find,
    "review": _review,
    "refund": _refund,
    "refund_failed": _refund_failed,
    "dispute": _dispute,
    "release": _release,
    "broadcast": _broadcast,
    "paused": _paused,
    "brake": _brake,
    "hook_stopped": _hook_stopped,
    "check": _check,
    "test": _test,
}
NAMES = tuple(_FACTS)
"""Every mail there is."""


def page(home: Path, settings: Settings, letter: Letter) -> str:
    """Put a mail on one page, for a browser: its subject, the HTML, the text."""
    sender = sender_of(settings)
    template = letters.load(home, "mail/_preview.html")
    return template.render(letter=letter, sender=f"{sender.name} <{sender.address}>")
