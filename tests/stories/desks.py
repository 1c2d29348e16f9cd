"""Somebody who runs the shop, with a password and an app for codes."""

import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import pyotp
import pytest
from werkzeug.test import TestResponse

from handsel.customers.staff import codes, passwords, people, sessions
from handsel.customers.staff.sessions import Place
from handsel.shop import Shop
from tests.ground.visitor import Visitor, form_of

EMAIL = "ada@example.com"
PASSWORD = "seven green bottles on a wall"


class Seller(Visitor):
    """A browser at the desk. `secret` is in the app; `paper` are the codes on paper."""

    secret: str = ""
    paper: Sequence[str] = ()

    def device(self) -> "Seller":
        """Take another device of the same person, with the same app for codes."""
        other = Seller(self._shop, address=self._address, app=self.app)
        other.secret = self.secret
        return other

    def tab(self) -> "Seller":
        """Open another tab of the same browser, with the same cookies."""
        other = self.device()
        other.client._cookies = self.client._cookies
        return other

    def code(self) -> str:
        """Read the code that the app shows now."""
        return pyotp.TOTP(self.secret).at(self._shop.now())

    def begin(self, link: str) -> TestResponse:
        """Open an invitation, choose a password, scan the picture, type the code."""
        page = self.get(link)
        self.secret = secret_on(page)
        fields = {"password": PASSWORD, "again": PASSWORD, "code": self.code()}
        answer = self.press(page, "/admin/begin/", fields)
        self.paper = re.findall(r"<code>([a-z0-9-]{14})</code>", answer.text)
        return answer

    def sign_in(
        self, *, password: str = PASSWORD, code: str | None = None
    ) -> TestResponse:
        """Sign in from the first page, as far as it goes."""
        page = self.follow("/admin/")
        step = self.press_and_follow(
            page, "/admin/sign-in", {"email": EMAIL, "password": password}
        )
        if "/admin/sign-in/code" not in step.text:
            return step
        return self.press(step, "/sign-in/code", {"code": code or self.code()})

    def do(
        self, page: TestResponse, action: str, fields: dict[str, str] | None = None
    ) -> TestResponse:
        """Press a button of a page; prove who it is if asked; follow where it leads."""
        answer = self.press(page, action, fields)
        if answer.status_code == 403 and "confirm_password" in answer.text:
            answer = self.press(answer, action, {"confirm_password": PASSWORD})
        return self.go_on(answer)

    def form_word(self) -> str:
        """Give the word that forms of this browser carry."""
        return form_of(self.get("/admin/account"), "sign-out").fields["form_token"]


def secret_on(page: TestResponse) -> str:
    """Read what the picture on the page holds, in the form that is to be typed."""
    found = re.search(r"<p><code>([A-Z2-7 ]+)</code></p>", page.text)
    assert found, page.text
    return found[1].replace(" ", "")


@cache
def _kept_password() -> str:
    """Hash the password once for all tests: that is slow on purpose."""
    return passwords.keep(PASSWORD)


def hire(shop: Shop, email: str = EMAIL) -> Seller:
    """Let somebody in who has come through the door already, and is signed in."""
    seller = Seller(shop)
    seller.secret = pyotp.random_base32()
    with shop.transaction() as session:
        person = people.add(session, email, shop.now())
        person.password_hash = _kept_password()
        codes.keep(session, shop.keys, person, seller.secret, 0)
        seller.paper = codes.new_recovery_codes(session, shop.keys, person)
        place = Place("127.0.0.0/24", "Firefox on Linux")
        token = sessions.start(session, person, place, shop.now())
    host = urlsplit(shop.settings.shop.url).hostname or ""
    seller.client.set_cookie("handsel_staff", token, domain=host)
    seller.get("/admin/account")  # gives the browser its mark for forms
    return seller


@pytest.fixture
def seller(shop: Shop) -> Seller:
    """Ada, signed in at her desk."""
    return hire(shop)
