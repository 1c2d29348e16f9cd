"""The server that carries a WSGI application: pages in threads, files by the loop.

`serve` is all one needs. Flask, or any other application, stays plain WSGI and knows
nothing of this; a view that answers with a file returns `wsgi.file_wrapper` around it.
"""

from handsel.web.carrier.exchange import Options
from handsel.web.carrier.server import Carrier, address_of, listen, serve

__all__ = ["Carrier", "Options", "address_of", "listen", "serve"]
