"""The bar of a mail to everyone: sent, failed, remaining, rate, time left."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import click

from handsel.kit.rates import rate_words, time_words

WIDTH = 24
LOOK = 0.1
"""Seconds after which Ctrl-C, or the end, is noticed."""
EVERY = 0.5
"""Seconds between two pictures of the bar."""
LINES = 10.0
"""Seconds between two lines where there is no terminal to draw on."""


def watch(
    work: Callable[[threading.Event], None],
    look: Callable[[], dict[str, Any]],
    interrupted: Callable[[], None],
) -> bool:
    """Do the work in a thread, and draw how far it has come; False after Ctrl-C.

    Args:
        work: ends by itself, or soon after its event is set.
        look: gives the facts of the campaign.
        interrupted: called at once after Ctrl-C, before the work has ended.

    Raises what the work raised.
    """
    stop = threading.Event()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work(stop)
        except BaseException as error:  # noqa: BLE001  # raised again below
            failure.append(error)

    thread = threading.Thread(target=run)
    with _ctrl_c() as pressed:
        thread.start()
        try:
            _draw_until(thread, look, pressed)
            if pressed:
                interrupted()
                click.echo("\nPausing; the mails on their way still arrive.", err=True)
        finally:
            stop.set()
            thread.join()
    if failure:
        raise failure[0]
    return not pressed


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Note the first Ctrl-C instead of raising it; a second one is raised as ever.

    Raised, it is lost when it comes at a moment whose errors Python only prints, such as
    while something is being collected; and nobody would tell the work to stop when it
    comes before we listen.
    """
    before = signal.getsignal(signal.SIGINT)
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _draw_until(
    thread: threading.Thread,
    look: Callable[[], dict[str, Any]],
    pressed: Sequence[int],
) -> None:
    """Draw until the work is over or Ctrl-C was pressed."""
    on_terminal = sys.stderr.isatty()
    gap = EVERY if on_terminal else LINES
    shown = monotonic()
    while thread.is_alive() and not pressed:
        thread.join(LOOK)
        over = on_terminal and not thread.is_alive()
        if monotonic() - shown >= gap or over:
            shown = monotonic()
            line = bar(look())
            _draw(line, on_terminal, over=over)


def _draw(line: str, on_terminal: bool, *, over: bool) -> None:
    if on_terminal:
        click.echo(f"\r\x1b[K{line}", err=True, nl=over)
    else:
        click.echo(line, err=True)


def bar(facts: dict[str, Any]) -> str:
    """Write one line: `[#####-----] 431 of 1,204, 2 failed, 18/s, 43 s left`."""
    every, left = facts["recipients"], facts["remaining"]
    full = WIDTH if not every else WIDTH * (every - left) // every
    words = [f"{facts['sent']:,} of {every:,} sent"]
    if facts["failed"]:
        words.append(f"{facts['failed']:,} failed")
    if left:
        words.append(f"{left:,} remaining")
    if facts["rate"]:
        words.append(rate_words(facts["rate"]))
    if facts["seconds_left"] is not None:
        words.append(f"{time_words(facts['seconds_left'])} left")
    return f"[{'#' * full}{'-' * (WIDTH - full)}] {', '.join(words)}"
