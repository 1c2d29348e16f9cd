"""Where everything of a chart stands: sums alone, drawn by templates/admin/_charts.html.

Across, places are percent of the width, down they are pixels. So a chart is as wide as its
page, and the words in it keep their size on a phone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SPARK = 32
PLOT = 200
HEAD = 18
"""Pixels above the highest column, for the words of the highest line."""
FOOT = 24
"""Pixels below the columns, for the words of the days."""
ROW = 52
"""Pixels of one interval, with its name above it."""
MOST_TICKS = 5
MOST_NAMES = 7
_EDGE = 3.0
"""Percent at both ends that an interval leaves free."""


@dataclass(frozen=True)
class Spark:
    """A line without words, in a box of 100 by `height`, which may be stretched.

    Args:
        line, area: points as SVG writes them; empty where there is nothing.
        zero: where nothing is, if something is below it.
    """

    height: int
    line: str
    area: str
    zero: float | None


@dataclass(frozen=True)
class Tick:
    """A word at its place, and how it is set there: start, middle or end.

    `far`: there is only room for it on a wide screen.
    """

    at: float
    label: str
    anchor: str = "start"
    far: bool = False


@dataclass(frozen=True)
class Column:
    """One value, from zero upwards, or downwards if it is `below`."""

    x: float
    width: float
    y: float
    height: float
    below: bool


@dataclass(frozen=True)
class Columns:
    """Values beside each other. `zero` and the places of `ticks` are pixels from above."""

    height: int
    zero: float
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    names: tuple[Tick, ...]


@dataclass(frozen=True)
class Bar:
    """A part of the largest, in percent; `ghost` is that of the one before it."""

    width: float
    below: bool = False
    ghost: float = 0.0


@dataclass(frozen=True)
class Interval:
    """What is known of one variant: 0.1 is 10 % more. No bound is None."""

    label: str
    low: float | None
    high: float | None
    at: float | None
    kind: str = "open"


@dataclass(frozen=True)
class Span:
    """An interval at its place; it goes on beyond an end that is `open`."""

    label: str
    kind: str
    y: float
    low: float
    high: float
    at: float | None
    open_low: bool
    open_high: bool


@dataclass(frozen=True)
class Intervals:
    """Intervals below each other, with the line of no difference through them."""

    height: int
    zero: float
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...] = field(default=())


def spark(values: Sequence[int | None], height: int = SPARK) -> Spark:
    """Draw how a number went; where it is None the line goes on to the next."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if not known:
        return Spark(height, "", "", None)
    low = min(0, *(value for _, value in known))
    high = max(0, *(value for _, value in known))
    last = max(1, len(values) - 1)
    inner = height - 4  # the line is two pixels thick

    def y(value: int) -> float:
        return round(2 + inner * (1 - (value - low) / ((high - low) or 1)), 2)

    points = [(round(100 * place / last, 2), y(value)) for place, value in known]
    if len(points) == 1:
        points = [(0.0, points[0][1]), (100.0, points[0][1])]
    ends = [(points[0][0], y(0)), *points, (points[-1][0], y(0))]
    return Spark(height, _points(points), _points(ends), y(0) if low < 0 else None)


def columns(
    values: Sequence[int],
    names: Sequence[str],
    label: Callable[[int], str],
    *,
    height: int = PLOT,
) -> Columns:
    """Draw values beside each other.

    Args:
        names: what stands below each, in words that are short; as many as there is
            room for are shown.
        label: writes a value at its line.
        height: of the columns alone.
    """
    low, high = min((0, *values)), max((0, *values))
    lines = ticks(low, high, MOST_TICKS) if low or high else [0]
    low, high = min(low, lines[0]), max(high, lines[-1])
    pixel = height / ((high - low) or 1)
    zero = HEAD + (high * pixel if high > low else height)
    each = 100 / max(1, len(values))
    found = []
    for place, value in enumerate(values):
        # What is there at all can be seen.
        tall = max(1.0, abs(value) * pixel) if value else 0.0
        found.append(
            Column(
                x=round(place * each + each * 0.1, 3),
                width=round(each * 0.8, 3),
                y=round(zero if value < 0 else zero - tall, 2),
                height=round(tall, 2),
                below=value < 0,
            )
        )
    return Columns(
        HEAD + height + FOOT,
        round(zero, 2),
        tuple(found),
        tuple(Tick(round(zero - line * pixel, 2), label(line)) for line in lines),
        _names(names),
    )


def bars(values: Sequence[int]) -> list[Bar]:
    """Draw values below each other, as parts of the largest."""
    most = max((abs(value) for value in values), default=0)
    return [Bar(_percent(abs(value), most), value < 0) for value in values]


def funnel(counts: Sequence[int]) -> list[Bar]:
    """Draw how many are left at each stage; the ghost shows who was there before."""
    drawn = bars(counts)
    ghosts = [bar.width for bar in drawn]
    return [
        Bar(bar.width, ghost=max(bar.width, ghosts[place - 1]) if place else 0.0)
        for place, bar in enumerate(drawn)
    ]


def intervals(found: Sequence[Interval]) -> Intervals:
    """Draw intervals on one scale, in which no difference always is.

    One that is far wider than the others goes on beyond the edge.
    """
    low, high = _bounds(found)
    lines = [line / 10_000 for line in ticks(_points_of(low), _points_of(high), 4)]
    low, high = min(low, lines[0]), max(high, lines[-1])

    def x(part: float) -> float:
        inner = 100 - 2 * _EDGE
        within = min(max(part, low), high)
        return round(_EDGE + inner * (within - low) / (high - low), 2)

    def span(place: int, each: Interval) -> Span:
        open_low = each.low is None or each.low < low
        open_high = each.high is None or each.high > high
        return Span(
            each.label,
            each.kind,
            float(HEAD + ROW * place),
            0.0 if open_low or each.low is None else x(each.low),
            100.0 if open_high or each.high is None else x(each.high),
            None if each.at is None else x(each.at),
            open_low,
            open_high,
        )

    spans = tuple(span(place, each) for place, each in enumerate(found))
    words = tuple(Tick(x(line), _signed(line), _anchor(x(line))) for line in lines)
    return Intervals(HEAD + ROW * len(found) + FOOT, x(0.0), spans, words)


def ticks(low: int, high: int, most: int) -> list[int]:
    """Give round numbers that reach from `low` to `high`, zero among them.

    At most `most` of them, or two more where both ends are far from zero.
    """
    low, high = min(0, low), max(0, high)
    step = _round_up((high - low) / max(1, most - 1))
    first, last = low // step, -(-high // step)
    return [step * count for count in range(first, max(last, first + 1) + 1)]


def _round_up(number: float) -> int:
    """Give the next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 1
    while True:
        for times in (1, 2, 5):
            if times * power >= number:
                return times * power
        power *= 10


def _names(names: Sequence[str]) -> tuple[Tick, ...]:
    """Choose the words there is room for: the first, the last, and some between."""
    count = len(names)
    if not count:
        return ()
    each = 100 / count
    gap = max(1, -(-count // MOST_NAMES))
    chosen = [place for place in range(0, count, gap) if count - 1 - place >= gap]
    chosen = [*chosen, count - 1] if chosen else list(range(count))
    return tuple(
        _name(
            place, count, each, names[place], far=bool(number % 2) and place < count - 1
        )
        for number, place in enumerate(chosen)
    )


def _name(place: int, count: int, each: float, label: str, *, far: bool) -> Tick:
    if count > MOST_NAMES and place == 0:
        return Tick(0.0, label, "start")
    if count > MOST_NAMES and place == count - 1:
        return Tick(100.0, label, "end")
    return Tick(round(place * each + each / 2, 3), label, "middle", far)


def _bounds(found: Sequence[Interval]) -> tuple[float, float]:
    """Choose what is shown: all estimates, and of the intervals what is not too far."""
    known = [each.at for each in found if each.at is not None]
    reach = max((abs(at) for at in known), default=0.0)
    most = max(0.2, 3 * reach)
    lows = [each.low for each in found if each.low is not None]
    highs = [each.high for each in found if each.high is not None]
    low = min(0.0, *known, max(-most, min(lows, default=-0.1)))
    high = max(0.0, *known, min(most, max(highs, default=0.1)))
    return low, max(high, low + 0.01)


def _anchor(at: float) -> str:
    """Keep words within the drawing."""
    if at < 10:
        return "start"
    return "end" if at > 90 else "middle"


def _points_of(part: float) -> int:
    return round(part * 10_000)


def _signed(part: float) -> str:
    return f"{part * 100:+g} %".replace("-", "\N{MINUS SIGN}") if part else "0"


def _percent(value: int, most: int) -> float:
    return round(100 * value / most, 2) if most else 0.0


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
