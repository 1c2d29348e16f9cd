"""Opening the doors: our application, carried by our server."""

import gc
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

from handsel.analytics.recorder import Recorder
from handsel.kit.errors import ConfigurationError
from handsel.ops import renewing
from handsel.shop import Shop
from handsel.web import visits
from handsel.web.admin.settings import RENEW
from handsel.web.admin.uploading import COMING
from handsel.web.app import create_app
from handsel.web.carrier import Options, serve

THRESHOLDS = gc.get_threshold()


def serve_shop(
    shop: Shop, bind: str, ready: Callable[[str], None], *, show_mail: bool = False
) -> None:
    """Serve the shop until SIGTERM or SIGINT; running downloads may finish.

    Args:
        bind: `HOST:PORT`; port 0 takes any free one.
        ready: called once with the address when the first visitor may come.
    """
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(
            f"{bind!r} is no address to listen on.", "Write it as 127.0.0.1:8000."
        )
    front = Front(shop, show_mail=show_mail)
    collect_seldom()
    with renewing.watching(front.watch):
        serve(
            front,
            host=host.strip("[]"),
            port=int(port),
            threads=shop.settings.server.threads,
            on_ready=ready,
            options=Options(coming=COMING),
        )
    front.close()
    shop.close()


class Front:
    """The application that answers; another takes its place when settings change.

    What runs in the old one, a download of hours perhaps, ends there.
    """

    def __init__(self, shop: Shop, *, show_mail: bool) -> None:
        self._show_mail = show_mail
        self.watch = renewing.Watch(shop, self._take)
        self._before: Recorder | None = None
        self._app = self._made(shop)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._app(environ, start_response)

    def _made(self, shop: Shop) -> Flask:
        app = create_app(shop, show_mail=self._show_mail)
        app.extensions[RENEW] = self.watch.take
        return app

    def _take(self, shop: Shop) -> None:
        old, self._app = self._app, self._made(shop)
        self._write_down()
        # What still runs in the old one may count until the next change, or the end.
        self._before = visits.recorder(old)
        self._write_down()
        # The one before was put aside as what stays; now it may go.
        gc.unfreeze()
        collect_seldom()

    def close(self) -> None:
        """Write down what was counted."""
        self._write_down()
        self._before = visits.recorder(self._app)
        self._write_down()

    def _write_down(self) -> None:
        if self._before:
            self._before.close()


def collect_seldom() -> None:
    """Keep the garbage collector from holding every page up for a tenth of a second.

    What is loaded by now stays, so nobody need look through it again. What thousands of
    running downloads hold is looked through a fifth as often as Python would.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS[:2], 5 * THRESHOLDS[2])
