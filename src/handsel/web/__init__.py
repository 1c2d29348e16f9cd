"""The shop in a browser: one blueprint for each kind of visitor.

`create_app(shop)` gives a plain WSGI application, which any server can carry.
"""

from handsel.web.app import create_app

__all__ = ["create_app"]
