"""stub until kit lands"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Money:
    minor: int
    currency: str


def format_money(m, locale):
    return f"{m.currency} {m.minor // 100}.{m.minor % 100:02}"


def format_decimal(m):
    return f"{m.minor // 100}.{m.minor % 100:02}"


def parse_money(t, c):
    return Money(int(t) * 100, c)
