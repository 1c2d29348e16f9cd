"""Requests in which no word has NUL: nobody types it, and PostgreSQL takes it nowhere.

It becomes the sign for what cannot be read, as in HTML (section 13.2.5 of the standard):
with nothing in its place, one word would become another.
"""

from typing import IO, Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property

Words = MultiDict[str, str]


class PlainParser(FormDataParser):
    """Read a form as Werkzeug does; in what was typed is no NUL."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], Words, MultiDict[str, Any]]:
        """Give the stream, the words and the files, as the method this one overrides."""
        stream, form, files = super().parse(stream, mimetype, content_length, options)
        return stream, _plain(form), files


class PlainRequest(Request):
    """A request whose form, and what stands behind the ? of its address, have no NUL."""

    form_data_parser_class = PlainParser

    @cached_property
    def args(self) -> Words:
        """What stands behind the ? of the address."""
        return _plain(super().args)


def _plain(words: Words) -> Words:
    said = list(words.items(multi=True))
    if not any("\0" in value for _, value in said):
        return words
    return ImmutableMultiDict(
        (name, value.replace("\0", "\ufffd")) for name, value in said
    )
