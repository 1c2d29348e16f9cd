"""The geometry of charts: empty, one day, nothing but zeros, huge, and below zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.web.admin import charts
from handsel.web.admin.charts import HEAD, PLOT, Interval

VALUES = st.lists(st.integers(-(10**12), 10**12), max_size=400)


def drawn(*values: int) -> charts.Columns:
    """Draw columns whose names are their places."""
    return charts.columns(values, [str(place) for place in range(len(values))], str)


def test_columns_stand_on_zero_and_reach_the_line_of_the_highest() -> None:
    found = drawn(0, 50, 100)

    nothing, half, whole = found.columns
    assert found.zero == HEAD + PLOT
    assert (nothing.height, half.height, whole.height) == (0, PLOT / 2, PLOT)
    assert whole.y == HEAD
    assert [tick.label for tick in found.ticks] == ["0", "50", "100"]
    assert found.ticks[-1].at == HEAD


def test_a_day_on_which_more_went_back_hangs_below_zero() -> None:
    found = drawn(300, -100)

    up, down = found.columns
    assert not up.below
    assert down.below
    assert down.y == found.zero == pytest.approx(up.y + up.height)
    assert down.height == pytest.approx(up.height / 3)
    assert found.ticks[0].label == "-100"


def test_only_refunds_hang_from_the_top() -> None:
    found = drawn(-5, -10)

    assert found.zero == HEAD
    assert all(each.below for each in found.columns)
    assert found.ticks[-1].label == "0"


def test_nothing_at_all_is_a_line_and_no_columns() -> None:
    for found in (drawn(), drawn(0), drawn(0, 0, 0)):
        assert found.zero == HEAD + PLOT
        assert [tick.label for tick in found.ticks] == ["0"]
        assert not any(each.height for each in found.columns)
    assert drawn().names == ()


def test_one_day_is_one_column_with_its_name_below_it() -> None:
    found = drawn(7)

    (column,) = found.columns
    (name,) = found.names
    assert (column.x, column.width) == (10, 80)
    assert (name.at, name.anchor, name.far) == (50, "middle", False)


def test_what_is_there_at_all_can_be_seen() -> None:
    small, large = drawn(1, 10**9).columns
    assert small.height == 1
    assert large.height == PLOT


@given(VALUES)
def test_whatever_comes_stays_within_the_chart(values: list[int]) -> None:
    found = drawn(*values)

    assert 0 <= found.zero <= found.height
    for value, each in zip(values, found.columns, strict=True):
        assert each.y >= HEAD - 1
        assert each.y + each.height <= found.height
        assert 0 <= each.x <= each.x + each.width <= 100.01
        assert each.below == (value < 0)
        assert (each.height > 0) == (value != 0)
    assert len(found.names) <= charts.MOST_NAMES + 1
    assert len(found.ticks) <= charts.MOST_TICKS + 2
    assert [tick.at for tick in found.ticks] == sorted(
        (tick.at for tick in found.ticks), reverse=True
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 0, [0, 1]),
        (0, 3, [0, 1, 2, 3]),
        (0, 100, [0, 50, 100]),
        (0, 101, [0, 50, 100, 150]),
        (-30, 100, [-50, 0, 50, 100]),
        (0, 123_456_789, [0, 50_000_000, 100_000_000, 150_000_000]),
        (-7, -3, [-8, -6, -4, -2, 0]),
    ],
)
def test_lines_are_drawn_at_round_numbers(
    low: int, high: int, expected: list[int]
) -> None:
    assert charts.ticks(low, high, 5) == expected


@pytest.mark.parametrize("count", [1, 2, 7, 8, 13, 30, 53, 62])
def test_the_first_and_the_last_day_have_their_names(count: int) -> None:
    names = drawn(*range(count)).names

    assert names[0].label == "0"
    assert names[-1].label == str(count - 1)
    assert not names[0].far
    assert not names[-1].far
    shown = [name.at for name in names if not name.far]
    assert len(shown) <= 4 or count <= charts.MOST_NAMES + 1


def test_a_spark_goes_from_edge_to_edge() -> None:
    found = charts.spark([0, 10, 5])

    assert found.line == "0,30 50,2 100,16"
    assert found.area == "0,30 0,30 50,2 100,16 100,30"
    assert found.zero is None


def test_a_spark_of_one_number_is_level_and_of_none_is_nothing() -> None:
    assert charts.spark([4]).line == "0,2 100,2"
    assert charts.spark([]) == charts.spark([None, None])
    assert charts.spark([]).line == ""
    assert charts.spark([0, 0]).line == "0,30 100,30"


def test_a_spark_passes_over_what_is_not_known() -> None:
    assert charts.spark([2, None, 2]).line == "0,2 100,2"


def test_a_spark_below_zero_shows_where_zero_is() -> None:
    assert charts.spark([10, -10]).zero == 16


def test_bars_are_parts_of_the_largest() -> None:
    widths = [(bar.width, bar.below) for bar in charts.bars([200, 50, 0, -100])]
    assert widths == [(100, False), (25, False), (0, False), (50, True)]
    assert [bar.width for bar in charts.bars([0, 0])] == [0, 0]
    assert charts.bars([]) == []


def test_a_funnel_shows_who_was_there_before() -> None:
    found = charts.funnel([100, 40, 50, 0])

    assert [bar.width for bar in found] == [100, 40, 50, 0]
    assert [bar.ghost for bar in found] == [0, 100, 50, 50]
    assert [bar.width for bar in charts.funnel([0] * 6)] == [0] * 6


def test_intervals_stand_around_the_line_of_no_difference() -> None:
    found = charts.intervals([Interval("b", 0.05, 0.2, 0.1, "better")])

    (span,) = found.spans
    assert found.zero < span.low < (span.at or 0) < span.high
    assert not span.open_low
    assert not span.open_high
    assert found.ticks[0].label == "0"
    assert found.ticks[0].at == found.zero


def test_an_interval_without_an_end_goes_on_beyond_the_edge() -> None:
    unknown, one_sided = charts.intervals(
        [Interval("b", None, None, None), Interval("c", -0.1, None, 0.02)]
    ).spans

    assert (unknown.low, unknown.high, unknown.at) == (0, 100, None)
    assert unknown.open_low
    assert unknown.open_high
    assert one_sided.open_high
    assert 0 < one_sided.low < 50


def test_a_wide_interval_does_not_squeeze_the_others() -> None:
    wide, narrow = charts.intervals(
        [Interval("b", -0.9, 40.0, 0.3), Interval("c", -0.05, 0.05, 0.0)]
    ).spans

    assert wide.open_high
    assert narrow.high - narrow.low > 3


@given(
    st.lists(
        st.tuples(
            st.floats(-2, 50) | st.none(),
            st.floats(0, 50) | st.none(),
            st.floats(0, 1) | st.none(),
        ),
        max_size=5,
    )
)
def test_whatever_is_known_stays_within_the_drawing(
    known: list[tuple[float | None, float | None, float | None]],
) -> None:
    spans = [
        Interval(
            "x",
            low,
            None if low is None or wide is None else low + wide,
            None if low is None or wide is None or part is None else low + wide * part,
        )
        for low, wide, part in known
    ]
    found = charts.intervals(spans)

    assert 0 <= found.zero <= 100
    for each in found.spans:
        assert 0 <= each.low <= each.high <= 100
        assert each.at is None or each.low <= each.at <= each.high
        assert each.y + charts.ROW <= found.height
    assert len(found.ticks) <= 6
