"""The program of the stop tests: a bookshop that says on its output what happens.

Called with a book and the seconds of grace. `/slow` says `begun` and takes a while.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from time import sleep
from wsgiref.types import StartResponse, WSGIEnvironment

from handsel.web.carrier import Options, serve
from tests.web.bookshop import Bookshop


def say(*words: object) -> None:
    """A line for the test to read."""
    print(*words, flush=True)  # noqa: T201  # this is its whole purpose


class Said(list[int]):
    """Deliveries, said instead of kept."""

    def append(self, count: int) -> None:
        """Say it."""
        say("delivered", count)


def slow(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A purchase that takes half a second."""
    say("begun")
    sleep(0.5)  # the time that passes is what is tested
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"bought"]


if __name__ == "__main__":
    shop = Bookshop(Path(sys.argv[1]), Said(), {"/slow": slow})
    options = Options(grace=float(sys.argv[2]))
    serve(shop, host="127.0.0.1", port=0, threads=4, on_ready=say, options=options)
    say("stopped")
