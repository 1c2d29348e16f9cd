"""A time as people say it."""

from datetime import date

import pytest

from handsel.analytics.periods import FIRST, Period, read_period
from handsel.kit.errors import BadInputError

TODAY = date(2026, 11, 27)


def span(first: str, last: str) -> Period:
    """Give a period by its days."""
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("today", span("2026-11-27", "2026-11-27")),
        ("Yesterday", span("2026-11-26", "2026-11-26")),
        ("1d", span("2026-11-27", "2026-11-27")),
        (" 28d ", span("2026-10-31", "2026-11-27")),
        ("12m", span("2025-11-28", "2026-11-27")),
        ("1m", span("2026-10-28", "2026-11-27")),
        ("9m", span("2026-02-28", "2026-11-27")),
        ("2024", span("2024-01-01", "2024-12-31")),
        ("٢٠٢٤", span("2024-01-01", "2024-12-31")),
        ("2024-02", span("2024-02-01", "2024-02-29")),
        ("2026-q4", span("2026-10-01", "2026-12-31")),
        ("2026-Q1", span("2026-01-01", "2026-03-31")),
        ("2026-11-03", span("2026-11-03", "2026-11-03")),
        ("2026-11-03..2026-12-01", span("2026-11-03", "2026-12-01")),
        ("all", Period(FIRST, TODAY)),
    ],
)
def test_what_is_said_is_what_is_meant(said: str, meant: Period) -> None:
    assert read_period(said, TODAY) == meant
    assert meant.days[0] == meant.first
    assert meant.days[-1] == meant.last


@pytest.mark.parametrize(
    "said",
    [
        *("", "0d", "28", "d", "2026-13", "2026-Q5", "2026-02-30", "..", "0000"),
        *("99999d", "0m", "9999m", "2026-12-01..2026-11-03", "28d\0"),
    ],
)
def test_what_means_nothing_is_refused(said: str) -> None:
    with pytest.raises(BadInputError, match="no period"):
        read_period(said, TODAY)


def test_it_is_compared_with_as_many_days_right_before() -> None:
    october = span("2026-10-01", "2026-10-31")
    assert october.before() == span("2026-08-31", "2026-09-30")
    assert span("2026-11-27", "2026-11-27").before() == span("2026-11-26", "2026-11-26")
    assert Period(FIRST, TODAY).before().length == Period(FIRST, TODAY).length
