"""A template or a route is compiled once for the whole test run, not once for every shop.

Each shop has an environment of its own, whose templates Jinja compiles when they are
first used: half of what a visit costs. What it compiles is the same for the same text,
name and options; so here it is kept by all of them, as Jinja offers.

Each application has routes of its own, and for each of them Werkzeug writes and compiles
two functions that build its address: most of what an application costs. They know
nothing but the words of the route; so all applications have the same ones.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """Keeps every text that was compiled by name, file and content."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled before, if it was of this text."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled now."""
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


class Route(Rule):
    """A route whose functions are those of the same route of another application."""

    _kept: ClassVar[dict[Any, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(
        self, append_unknown: bool = True
    ) -> Callable[..., tuple[str, str]]:
        key = (self.rule, *self._trace, repr(self.defaults), append_unknown)
        if key not in self._kept:
            self._kept[key] = super()._compile_builder(append_unknown)
        return self._kept[key]


PAGES, MAILS = Compiled(), Compiled()
"""Two, because the same file of a page and of a mail need not mean the same."""


def pytest_configure() -> None:
    """Let every application that is made from now on use them; this is Flask's own way."""
    Flask.jinja_options = {"bytecode_cache": PAGES}
    Flask.url_rule_class = Route
