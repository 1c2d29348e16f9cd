"""A small WSGI application that shows how a view answers with a file."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from handsel.kit import ranges
from handsel.kit.filebody import FileBody

ETAG = '"sha256-1"'


def book_bytes(size: int) -> bytes:
    """Bytes in which a shifted or repeated piece shows."""
    return b"".join(b"%08d" % number for number in range(size // 8 + 1))[:size]


@dataclass
class Bookshop:
    """`/book` is a file, `/page` a page; what was delivered is noted in `done`."""

    book: Path
    done: list[int] = field(default_factory=list)
    more: dict[str, WSGIApplication] = field(default_factory=dict)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        views = {"/book": self._book, "/page": _page, "/echo": _echo, **self.more}
        view = views.get(environ["PATH_INFO"], _echo)
        return view(environ, start_response)

    def _book(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        size = self.book.stat().st_size
        headers = [("ETag", ETAG), ("Accept-Ranges", "bytes")]
        headers.append(("Content-Type", "application/epub+zip"))
        try:
            part = ranges.asked(
                method=environ["REQUEST_METHOD"],
                range_header=environ.get("HTTP_RANGE"),
                if_range=environ.get("HTTP_IF_RANGE"),
                etag=ETAG,
                size=size,
            )
        except ranges.UnsatisfiableRangeError as error:
            headers.append(("Content-Range", f"bytes */{size}"))
            start_response("416 Range Not Satisfiable", headers)
            return [error.message.encode()]
        status = "200 OK"
        if part is not None:
            status = "206 Partial Content"
            headers.append(("Content-Range", part.content_range(size)))
        part = part or ranges.Part(0, size)
        headers.append(("Content-Length", str(part.length)))
        start_response(status, headers)
        wrapper: Callable[[FileBody, int], Iterable[bytes]]
        wrapper = environ["wsgi.file_wrapper"]
        # The wrapper, or the server in its stead, closes the body, and that the file.
        file = self.book.open("rb")
        return wrapper(
            FileBody(
                file, start=part.start, length=part.length, on_done=self.done.append
            ),
            65536,
        )


def _page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"a page"]


def _echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    seen = {key: value for key, value in environ.items() if isinstance(value, str)}
    seen["body"] = body.decode("latin-1")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
