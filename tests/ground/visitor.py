"""Somebody with a browser, as far as a test without one can be: forms, links, cookies."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from handsel.shop import Shop
from handsel.web import create_app


class Form:
    """One form of a page: where it goes, and what its hidden fields say."""

    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method.lower()
        self.fields: dict[str, str] = {}
        self.typed: list[str] = []

    def add(self, tag: str, names: Mapping[str, str]) -> None:
        """Note a field; of several to choose from, the one that is chosen."""
        kind = names.get("type")
        if kind == "radio" and "checked" not in names:
            return
        self.fields[names["name"]] = names.get("value", "")
        if tag == "input" and kind != "hidden":
            self.typed.append(names["name"])


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._named: dict[str, Form] = {}
        self._apart: list[tuple[str, str, dict[str, str]]] = []
        """Fields that stand elsewhere and name their form."""
        self._ways: list[tuple[Form | None, dict[str, str]]] = []
        """Buttons that send their form to another address."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(names.get("action", ""), names.get("method", "get"))
            self.found.append(self._open)
            self._named[names.get("id", "")] = self._open
        elif tag in ("input", "button") and "name" in names:
            if "form" in names:
                self._apart.append((names["form"], tag, names))
            elif self._open:
                self._open.add(tag, names)
        if "formaction" in names:
            self._ways.append((self._open, names))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def close(self) -> None:
        """Give the fields that stand elsewhere to their forms.

        A form that can be sent to another address, too, is found under both.
        """
        super().close()
        for name, tag, names in self._apart:
            self._named[name].add(tag, names)
        for around, names in self._ways:
            form = self._named[names["form"]] if "form" in names else around
            assert form, names
            other = Form(names["formaction"], "post")
            other.fields, other.typed = form.fields, form.typed
            self.found.append(other)


class Visitor:
    """One browser: keeps cookies, follows links and redirects, fills forms.

    `app` spares making another application for another visitor of the same shop.
    """

    def __init__(
        self,
        shop: Shop,
        *,
        address: str = "127.0.0.1",
        app: Flask | None = None,
        **options: bool,
    ) -> None:
        self.app = app or create_app(shop, **options)
        host = urlsplit(shop.settings.shop.url).netloc
        self.client: FlaskClient = self.app.test_client()
        self._base = f"{urlsplit(shop.settings.shop.url).scheme}://{host}"
        self._shop = shop
        self._address = address

    def tab(self) -> "Visitor":
        """Open another tab of the same browser, with the same cookies."""
        other = Visitor(self._shop, address=self._address, app=self.app)
        other.client._cookies = self.client._cookies
        return other

    def device(self) -> "Visitor":
        """Take another device of the same person, which was never here."""
        return Visitor(self._shop, address=self._address, app=self.app)

    def get(self, url: str, **options: Any) -> TestResponse:
        """Open an address, without following redirects."""
        return self._ask("GET", url, **options)

    def head(self, url: str, **options: Any) -> TestResponse:
        """Ask for the headers of an address."""
        return self._ask("HEAD", url, **options)

    def post(
        self, url: str, fields: Mapping[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """Send fields that no page has given."""
        return self._ask("POST", url, data=dict(fields or {}), **options)

    def follow(self, url: str) -> TestResponse:
        """Open an address and follow where it leads."""
        return self.go_on(self.get(url))

    def press(
        self, page: TestResponse, action: str, fields: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Send the form of a page whose action contains `action`; do not follow."""
        form = form_of(page, action)
        values = form.fields | dict(fields or {})
        if form.method == "get":
            return self.get(f"{form.action}?{urlencode(values)}")
        return self.post(form.action, values)

    def press_and_follow(
        self, page: TestResponse, action: str, fields: Mapping[str, str] | None = None
    ) -> TestResponse:
        """The same, and follow where it leads."""
        return self.go_on(self.press(page, action, fields))

    def go_on(self, response: TestResponse) -> TestResponse:
        """Follow where an answer leads."""
        for _ in range(10):
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            response = self.get(response.headers["Location"])
        raise AssertionError("This goes round in circles.")

    def _ask(self, method: str, url: str, **options: Any) -> TestResponse:
        return self.client.open(
            self._path(url),
            method=method,
            base_url=self._base,
            environ_overrides={"REMOTE_ADDR": self._address},
            **{"buffered": True, **options},
        )

    def _path(self, url: str) -> str:
        parts = urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")


def forms_of(page: TestResponse) -> list[Form]:
    """Give every form of a page."""
    return forms_in(page.get_data(as_text=True))


def forms_in(html: str) -> list[Form]:
    """Give every form of a page that came over the line."""
    parser = _Forms()
    parser.feed(html)
    parser.close()
    return parser.found


def form_of(page: TestResponse, action: str) -> Form:
    """Give the form whose action is `action`, else the first that contains it."""
    forms = forms_of(page)
    found = [form for form in forms if form.action == action]
    found += [form for form in forms if action in form.action]
    assert found, f"no form for {action} in:\n{page.get_data(as_text=True)}"
    return found[0]


def words(page: TestResponse) -> str:
    """Give a page's text without its tags, spaces folded."""
    html = re.sub(
        r"<(style|script).*?</\1>", " ", page.get_data(as_text=True), flags=re.S
    )
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
