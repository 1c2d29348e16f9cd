"""Settings at the desk: every one of them, where it comes from, and changing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, current_app, request, url_for
from markupsafe import Markup, escape
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import ShopError
from handsel.ops import adjusting, doctor, trying
from handsel.ops.adjusting import WrongSettingsError
from handsel.ops.desk import options
from handsel.ops.desk.options import Book, Option
from handsel.ops.doctor import Finding, anew
from handsel.ops.trying import Word
from handsel.outbound.post import sender_of
from handsel.settings.editing import Change
from handsel.web import limits
from handsel.web.admin import mistakes, written
from handsel.web.admin.desk import audited, confirmed, desk, done, outside, staff
from handsel.web.pages import page, the_shop

RENEW = "handsel.renew"
"""Under this name an application that is served has what lets new settings be taken."""


@dataclass(frozen=True)
class Chapter:
    """Sections that are looked at together.

    Args:
        seldom: settings that few need, folded away.
        services: what of it can be tried, and what the button says.
        template: that of its page.
    """

    path: str
    title: str
    about: str
    sections: tuple[str, ...]
    seldom: tuple[str, ...] = ()
    services: tuple[tuple[str, str], ...] = ()
    template: str = "admin/settings_chapter.html"


CHAPTERS = (
    Chapter(
        "shop",
        "Your shop",
        "Name, address, currency, and what a purchase may be used for.",
        ("shop", "delivery"),
        template="admin/settings_shop.html",
    ),
    Chapter(
        "payments",
        "Payments",
        "By which ways buyers pay, and the keys for them.",
        ("payments", "stripe", "paypal"),
        ("stripe.api_base", "paypal.api_base"),
        (("stripe", "Try Stripe"), ("paypal", "Try PayPal")),
        "admin/settings_payments.html",
    ),
    Chapter(
        "mail",
        "Mail",
        "How receipts and news leave the house, and what comes back.",
        ("mail",),
        (
            *("mail.bounces", "mail.bounce_mailbox", "mail.bounce_password"),
            *("mail.mailgun_signing_key", "mail.postmark_secret", "mail.ses_topics"),
            *("mail.sendgrid_public_key", "mail.dkim_selector", "mail.rate"),
            "mail.connections",
        ),
        (
            ("domain", "Look up SPF, DKIM and DMARC"),
            ("mailbox", "Open the mailbox of bounces"),
        ),
        "admin/settings_mail.html",
    ),
    Chapter(
        "tax",
        "Tax and invoices",
        "Which tax is in your prices, and what stands on invoices.",
        ("tax", "invoice"),
        ("tax.vies_base",),
    ),
    Chapter(
        "analytics",
        "Counting visits",
        "What is counted here, and who else is told.",
        ("analytics",),
        (
            *("analytics.keep_days", "analytics.ignore", "analytics.ga4_base"),
            *("analytics.plausible_url", "analytics.matomo_token"),
            "analytics.test_hits",
        ),
        (
            ("counters", "Try who counts elsewhere"),
            ("countries", "Try the database of countries"),
        ),
    ),
    Chapter("embed", "Your own pages", "Which sites may show the shop.", ("embed",)),
    Chapter(
        "server",
        "The machine",
        "Where the shop listens, and where records and files are.",
        ("server", "database", "storage"),
        services=(
            ("database", "Try the database"),
            ("storage", "Try the folders and the disk"),
        ),
    ),
)
"""Every section stands in one of them."""


@desk.get("/settings")
def settings() -> Response:
    """Show every setting, its value, and where that comes from."""
    shop = the_shop()
    return page(
        "admin/settings.html",
        book=options.read(shop.home),
        findings=list(anew.look(shop)),
        **_shared(""),
    )


def _shared(here: str) -> dict[str, object]:
    return {
        "chapters": CHAPTERS,
        "here": here,
        "coded": coded,
        "several": not the_shop().database.is_sqlite,
    }


@desk.get("/settings/<name>")
def chapter(name: str) -> Response:
    """Show a chapter, to be changed."""
    return _page(_chapter(name), {}, {})


def _chapter(name: str) -> Chapter:
    found = next((each for each in CHAPTERS if each.path == name), None)
    return found or abort(404)


def _page(
    chosen: Chapter,
    typed: Mapping[str, str],
    errors: dict[str, str],
    status: int = 422,
    found: Sequence[Word] = (),
) -> Response:
    shop = the_shop()
    book = options.read(shop.home)
    wrong = mistakes.sorted_out(errors, typed, _options(book, chosen), _elsewhere(book))
    return page(
        chosen.template,
        status if errors else 200,
        found=found,
        url=shop.settings.public_url,
        sender=sender_of(shop.settings).address.rpartition("@")[2],
        me=staff().email,
        book=book,
        chapter=chosen,
        typed=typed,
        errors=wrong.at_fields,
        summary=wrong.summary,
        first_wrong=next(iter(wrong.at_fields), ""),
        findings=list(anew.look(shop)),
        action=url_for("desk.change_settings", name=chosen.path),
        **_shared(chosen.path),
    )


@desk.post("/settings/<name>/try")
def try_service(name: str) -> Response:
    """Try a service as it is set up now, and show what it says."""
    chosen = _chapter(name)
    service = request.form.get("service", "")
    if service not in dict(chosen.services):
        abort(404)
    limits.hit("try", most=20, minutes=5, who=staff().email_key)
    shop = the_shop()
    with outside("settings.tried", service):
        found = trying.tried(shop, service)
    return _page(chosen, {}, {}, found=found)


@desk.get("/settings/doctor")
def doctor_page() -> Response:
    """Show what the doctor has found lately."""
    shop = the_shop()
    with shop.reading() as session:
        found = doctor.at_hand(shop, session, shop.now())
    return _findings(found, fresh=False)


@desk.post("/settings/doctor")
def ask_doctor() -> Response:
    """Let the doctor look at everything, now."""
    limits.hit("try", most=20, minutes=5, who=staff().email_key)
    shop = the_shop()
    return _findings(doctor.examine(shop.home, shop.now()), fresh=True)


def _findings(found: Sequence[Finding], *, fresh: bool) -> Response:
    return page("admin/doctor.html", found=found, fresh=fresh, **_shared("doctor"))


@desk.post("/settings/<name>")
def change_settings(name: str) -> AnyResponse:
    """Change what was typed, all of it or none."""
    chosen = _chapter(name)
    typed = _typed(chosen)
    if not typed:
        return done("desk.chapter", "Nothing was changed.", name=name)
    kept = {option.name: value for option, value in typed}
    if wrong := _unreadable(typed):
        return _page(chosen, kept, wrong)
    if any(option.guarded for option, _ in typed):
        confirmed()
    try:
        _change(typed)
    except WrongSettingsError as error:
        return _page(chosen, kept, dict(error.problems))
    except ShopError as error:
        return _page(chosen, kept, {"": str(error)}, error.status)
    return _changed(name, sorted(kept))


def _unreadable(typed: list[tuple[Option, str]]) -> dict[str, str]:
    """Say what cannot even be written, and with it what else is wrong with the rest."""
    unread = mistakes.unreadable(typed)
    if not unread:
        return {}
    rest = [each for each in typed if each[0].name not in unread]
    changes = [options.change(option, value) for option, value in rest]
    names = {option.name for option, _ in rest}
    found = adjusting.problems(the_shop(), changes)
    # Only what was typed: the rest may hang on what cannot be written.
    return unread | {name: words for name, words in found.items() if name in names}


def _typed(chosen: Chapter) -> list[tuple[Option, str]]:
    """Give what somebody has changed on the page, beside what it said before."""
    book, form = options.read(the_shop().home), request.form
    found = []
    for option in _options(book, chosen):
        typed = _plain(form.get(option.name, ""))
        if option.kind == "secret":
            if form.get(f"drop.{option.name}"):
                found.append((option, ""))
            elif typed.strip():
                found.append((option, typed))
        elif option.name in form:
            was = _plain(form.get(f"was.{option.name}", option.value))
            if typed != was:
                found.append((option, typed))
    return found


def _options(book: Book, chosen: Chapter) -> list[Option]:
    """Give those that have a field, in the order of the page."""
    found = [
        each
        for name in chosen.sections
        for each in book.sections[name][1]
        if not each.fixed
    ]
    return sorted(found, key=lambda each: each.name in chosen.seldom)


def _elsewhere(book: Book) -> dict[str, tuple[str, str]]:
    """Give where every setting is changed, and what it is called."""
    return {
        option.name: (
            f"{url_for('desk.chapter', name=chapter.path)}#{option.name}",
            option.label,
        )
        for chapter in CHAPTERS
        for name in chapter.sections
        for option in book.sections[name][1]
    }


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _change(typed: list[tuple[Option, str]]) -> None:
    changes = [options.change(option, value) for option, value in typed]

    def note(session: Session) -> None:
        for (option, _), change in zip(typed, changes, strict=True):
            audited(session, "settings.changed", option.name, **_told(option, change))

    def missed(session: Session) -> None:
        names = ", ".join(option.name for option, _ in typed)
        audited(session, "settings.not_changed", names)

    seen = request.form.get("seen", "")
    adjusting.adjust(the_shop(), seen, changes, note, missed)


def _told(option: Option, change: Change) -> dict[str, Any]:
    """Give what the log says of a change; of a secret only that there was one."""
    if option.kind == "secret":
        return {}
    now = option.default if change.value is None else change.value
    both = (options.on_one_line(each) for each in (option.value, now))
    return {"value": written.logged(*both)}


def _changed(name: str, names: list[str]) -> AnyResponse:
    """Let the shop take it, and say so; at a new address the desk is elsewhere."""
    renew = current_app.extensions.get(RENEW)
    if renew:
        renew()
    if "shop.url" in names:
        url = options.read(the_shop().home).option("shop.url")
        assert url
        return page("admin/settings_moved.html", url=url.value.rstrip("/"))
    when = "The shop works with it now." if renew else "It counts from the next start."
    called = ", ".join(options.labels(options.read(the_shop().home), names))
    return done("desk.chapter", f"Saved: {called}. {when}", name=name)


def coded(text: str) -> Markup:
    """Show what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if place % 2 else escape(each)
        for place, each in enumerate(parts)
    )
