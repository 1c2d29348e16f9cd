"""How the desk writes amounts, parts, days and countries."""

from datetime import date

from babel import Locale

from handsel.analytics.periods import Period
from handsel.kit.money import Money, exponent, format_money
from handsel.ops.desk.steps import name_of
from handsel.web.pages import the_shop

MINUS = "\N{MINUS SIGN}"
LONGEST_IN_LOG = 80


def money(minor: int, currency: str) -> str:
    """Write an amount as the shop's pages do; nothing hides that it is below zero."""
    return _money(minor, currency, whole=False)


def line_money(minor: int, currency: str) -> str:
    """Write a round amount at its line in a chart: without decimals, if it has none."""
    return _money(minor, currency, whole=not minor % 10 ** exponent(currency))


def _money(minor: int, currency: str, *, whole: bool) -> str:
    locale = the_shop().settings.shop.locale
    written = format_money(Money(abs(minor), currency), locale, whole=whole)
    return f"{MINUS}{written}" if minor < 0 else written


def count(number: int) -> str:
    """Write a number of things."""
    return f"{number:,}".replace("-", MINUS)


def part(points: int | None, places: int = 1) -> str:
    """Write basis points in percent; a dash for what is a part of nothing."""
    if points is None:
        return "\N{EN DASH}"
    return f"{points / 100:,.{places}f} %".replace("-", MINUS)


def fraction(number: float, places: int = 2) -> str:
    """Write 0.1 as 10 %."""
    return f"{number * 100:,.{places}f} %".replace("-", MINUS)


def day(moment: date, today: date) -> str:
    """Write a day shortly; with its year if that is not this one."""
    said = f"{moment.day} {moment:%b}"
    return said if moment.year == today.year else f"{said} {moment.year}"


def span(period: Period, today: date) -> str:
    """Write a period by its days."""
    if period.first == period.last:
        return day(period.first, today)
    return f"{day(period.first, today)} to {day(period.last, today)}"


def step(period: Period, length: int, today: date) -> str:
    """Write a step of a period of so many days, as short as it can be."""
    if name_of(length) == "month":
        return f"{period.first:%b %Y}"
    return f"{period.first.day} {period.first:%b}"


def country(code: str) -> str:
    """Write a country's name in English; what is no country stays as it is."""
    return str(Locale("en").territories.get(code, code))


def logged(was: str, now: str) -> object:
    """Give what the log keeps of a change; of what is long only that it is another."""
    one_line = "\n" not in was + now
    if one_line and max(len(was), len(now)) <= LONGEST_IN_LOG:
        return {"was": was, "now": now}
    return "another" if now else "none"
