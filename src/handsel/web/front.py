"""Opening the doors: our application, carried by our server."""

import gc
from collections.abc import Callable

from handsel.kit.errors import ConfigurationError
from handsel.shop import Shop
from handsel.web import visits
from handsel.web.admin.uploading import COMING
from handsel.web.app import create_app
from handsel.web.carrier import Options, serve


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
    app = create_app(shop, show_mail=show_mail)
    _collect_seldom()
    serve(
        app,
        host=host.strip("[]"),
        port=int(port),
        threads=shop.settings.server.threads,
        on_ready=ready,
        options=Options(coming=COMING),
    )
    if counts := visits.recorder(app):
        counts.close()
    shop.close()


def _collect_seldom() -> None:
    """Keep the garbage collector from holding every page up for a tenth of a second.

    What is loaded by now stays, so nobody need look through it again. What thousands of
    running downloads hold is looked through a fifth as often as Python would.
    """
    gc.collect()
    gc.freeze()
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, 5 * old)
