"""What every answer carries, who is answered at all, and how errors read."""

import io

import pytest
from werkzeug.test import TestResponse

from handsel.shop import Shop
from tests import make
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import BUYER, buy, mails, with_settings

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def check(answer: TestResponse) -> None:
    """Every answer is closed to everything that nobody needs (reliability, browsers)."""
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy
    assert answer.headers["Referrer-Policy"] in ("strict-origin", "no-referrer")
    assert "Permissions-Policy" in answer.headers
    assert "Server" not in answer.headers


def test_every_answer_carries_the_same_guards(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = buy(visitor)
    pressed = visitor.press(page, "/1")
    static = page.get_data(as_text=True).partition('src="')[2].partition('"')[0]

    for path in (
        *("/", "/p/book", "/buy/book", "/find", "/healthz", "/readyz", static),
        *("/p/none", "/none", "/d/none", "/g/none", "/find/none", "/cover/none"),
        *("/return/test", "/testpay/none", page.request.path, pressed.location),
    ):
        check(visitor.get(path))
        check(visitor.head(path))
    check(pressed)
    check(visitor.post("/buy/book"))
    check(visitor.post("/webhooks/test"))


def test_a_page_that_does_not_work_that_way_says_so(visitor: Visitor) -> None:
    wrong = visitor.post("/")
    assert wrong.status_code == 405
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET", "HEAD"}
    assert "Go back" in words(wrong)
    check(wrong)


def test_a_body_too_large_is_refused_and_says_so(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    large = visitor.post("/buy/book", {"email": "x" * 300_000})
    assert large.status_code == 413
    assert "too much" in words(large)
    check(large)
    hook = visitor.post("/webhooks/test", {"x": "x" * 300_000})
    assert hook.status_code in (400, 413)


def test_a_broken_template_is_said_in_plain_words(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    own = shop.home / "templates"
    own.mkdir(exist_ok=True)
    (own / "base.html").write_text("{{ nobody.knows }}")

    broken = visitor.get("/p/book")

    assert broken.status_code == 500
    assert "Something went wrong on our side" in broken.get_data(as_text=True)
    assert "nobody" not in broken.get_data(as_text=True)
    check(broken)


@pytest.mark.parametrize(
    "path", ["/", "/p/book", "/buy/book", "/find", "/static/shop.css", "/none"]
)
def test_another_host_is_not_answered(shop: Shop, visitor: Visitor, path: str) -> None:
    make.product(shop)
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:8000", "a@b"):
        refused = visitor.get(path, headers={"Host": host})
        assert refused.status_code == 400
        assert "evil" not in refused.get_data(as_text=True)
        assert "evil" not in refused.headers.get("Location", "")
        check(refused)


FORGED = {
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "host=evil.example",
    "X-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Original-URL": "/evil.example",
    "X-Forwarded-Proto": "gopher",
}


@pytest.mark.parametrize("proxy", ["none", "nginx"])
def test_no_header_of_a_visitor_gets_into_a_link(shop: Shop, proxy: str) -> None:
    shop = with_settings(shop, "server", proxy=proxy)
    make.product(shop)
    visitor = Visitor(shop)
    visitor.client.environ_base.update(
        {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in FORGED.items()
        }
    )
    payment = visitor.press_and_follow(visitor.get("/p/book"), "/buy/book")
    answers = [visitor.get("/p/book"), payment]
    came_back = visitor.press(payment, "/testpay/", BUYER)
    answers += [came_back, visitor.go_on(came_back)]
    visitor.press(visitor.get("/find"), "/find", {"email": BUYER["email"]})

    for answer in answers:
        assert "evil" not in answer.get_data(as_text=True)
        assert "gopher" not in answer.get_data(as_text=True)
        assert "evil" not in answer.headers.get("Location", "")
        assert "gopher" not in answer.headers.get("Location", "")
    written = mails(shop)
    assert len(written) == 2
    for mail in written:
        assert "http://127.0.0.1:8000/" in mail.text
        assert "evil" not in mail.text + mail.html


@pytest.mark.parametrize(
    "odd", ["%00", "a%00b", "%FF%FE", "%F0%9F%99%88", "..%2f..%2f", "'"]
)
def test_odd_letters_in_an_address_are_not_found_and_no_error(
    visitor: Visitor, odd: str
) -> None:
    for path in ("/p/", "/buy/", "/d/", "/g/", "/find/", "/cover/", "/testpay/", "/"):
        assert visitor.get(f"{path}{odd}").status_code == 404
    assert visitor.get(f"/return/test?session={odd}").status_code == 404


def test_a_web_hook_nobody_signed_is_refused(shop: Shop, visitor: Visitor) -> None:
    forged = visitor.post("/webhooks/test", {"object": "tp_x"})
    assert 400 <= forged.status_code < 500
    assert visitor.post("/webhooks/cash").status_code == 404


def test_a_form_of_another_kind_is_no_reason_to_fail(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    sent = visitor.client.post(
        "/buy/book",
        data={"press": (io.BytesIO(b"file"), "press.txt")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303
    assert visitor.client.post("/find", data=b"\xff\xfe\x00").status_code == 422
    bad = visitor.client.post("/find", data={"email": "a\0b\r\nBcc: x@example.com"})
    assert bad.status_code == 422
