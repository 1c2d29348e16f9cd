"""Waiting for something to become true, with a deadline instead of a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 10) -> T:
    """Ask again and again until the answer is true, and return that answer.

    Raises AssertionError when it is not true after so many seconds, with the last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"Not so after {seconds} s; the last answer: {answer!r}"
            )
        time.sleep(0.01)
    return answer
