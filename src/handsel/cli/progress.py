"""The bar of a mail to everyone: sent, failed, remaining, rate, time left."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import click

WIDTH = 24
EVERY = 0.5
"""Seconds between two looks."""
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
    thread.start()
    whole = True
    try:
        _draw_until(thread, look)
    except KeyboardInterrupt:
        whole = False
        interrupted()
        click.echo("\nPausing; the mails on their way still arrive.", err=True)
    finally:
        stop.set()
        thread.join()
    if failure:
        raise failure[0]
    return whole


def _draw_until(thread: threading.Thread, look: Callable[[], dict[str, Any]]) -> None:
    on_terminal = sys.stderr.isatty()
    gap = EVERY if on_terminal else LINES
    while thread.is_alive():
        thread.join(gap)
        if not thread.is_alive() and not on_terminal:
            return
        line = bar(look())
        if on_terminal:
            click.echo(f"\r\x1b[K{line}", err=True, nl=not thread.is_alive())
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
        words.append(_rate(facts["rate"]))
    if facts["seconds_left"] is not None:
        words.append(f"{_time(facts['seconds_left'])} left")
    return f"[{'#' * full}{'-' * (WIDTH - full)}] {', '.join(words)}"


def _rate(a_second: float) -> str:
    """Write a rate as `--rate` takes it, in the unit where it is one or more."""
    for seconds, unit in ((1, "s"), (60, "m")):
        if a_second * seconds >= 1:
            return f"{a_second * seconds:.3g}/{unit}"
    return f"{a_second * 3600:.3g}/h"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
