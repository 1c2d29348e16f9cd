"""Waiting ends as soon as it can, and not without saying what it waited for."""

import pytest

from tests.ground.waiting import wait_until


def test_it_gives_the_first_answer_that_is_true() -> None:
    answers = iter(["", "", "here"])
    assert wait_until(lambda: next(answers)) == "here"


def test_it_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"Not so after 0.02 s.*\[\]"):
        wait_until(list, seconds=0.02)
