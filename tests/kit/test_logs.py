"""No secret reaches a log, whichever way it travels."""

import io
import logging
from collections.abc import Iterator

import pytest

from handsel.kit.logs import RedactSecrets, redact
from handsel.kit.signing import Keys, link_token, public_id

# Not random: it is part of the names of tests, which all workers must agree on.
KEYS = Keys(b"i" * 32, {"a": b"a" * 32}, "a")
TOKEN = link_token(KEYS, public_id(KEYS, "test", "s"), 1)


class Log:
    """A logger that writes into memory as the shop's do into a file."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.addFilter(RedactSecrets())
        self.logger = logging.getLogger("handsel.test.logs")
        self.logger.addHandler(self.handler)
        self.logger.propagate = False

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.logger.removeHandler(log.handler)


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("key sk_live_51Hx_yZ0 used", "key sk_*** used"),
        ("'rk_test_4eC39'", "'rk_***'"),
        ("STRIPE_whsec_ab/c+d=", "STRIPE_whsec_***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"),
        ("Cookie: a=b; c=d", "Cookie:***"),
        ("Set-Cookie: __Host-x=1; Secure\nHost: x", "Set-Cookie:***\nHost: x"),
        ("{'cookie': 'a=b'}", "{'cookie':***"),
        ("(b'Cookie', b'a=b')", "(b'Cookie',***"),
        (f"GET /d/{TOKEN} 200", "GET /d/*** 200"),
        (f'"POST /d/{TOKEN}/book.pdf"', '"POST /d/***/book.pdf"'),
        ("GET /g/Zm9v-_x?x=1", "GET /g/***?x=1"),
        ("https://shop.example/u/abc#x", "https://shop.example/u/***#x"),
        ("303 /find/1767x9aZ", "303 /find/***"),
        ("next=%2Fd%2Fabc%2Fbook", "next=%2Fd%2F***%2Fbook"),
        (f"token='{TOKEN}'", "token='***'"),
        ("GET /return/stripe?session=cs_live_a1&x", "GET /return/stripe?session=***&x"),
        (
            "GET /return/paypal?token=5O19&PayerID=X",
            "GET /return/paypal?token=***&PayerID=X",
        ),
        ("said A21AAGHr9qtiRRXH4oYcQokQgV99rGqEIf.", "said ***."),
        ("GET /pay/cs_live_a1/hosted", "GET /pay/***/hosted"),
        ("'cs_live_a1_secret_b2c'", "'cs_live_a1_secret_***'"),
        ("postgresql://shop:pa:ss/w@db/shop", "postgresql://shop:***@db/shop"),
        # What must stay, or a log is of no use.
        ("GET /p/find-me 200", "GET /p/find-me 200"),
        ("task_done, risk_high", "task_done, risk_high"),
        (
            "a bearer of news, basic authentication",
            "a bearer of news, basic authentication",
        ),
        ("GET /find 200", "GET /find 200"),
        ("http://127.0.0.1:8000/p/book", "http://127.0.0.1:8000/p/book"),
        ("sha256 " + "ab" * 32, "sha256 " + "ab" * 32),
        ("order H-1042 of cs_live_a1", "order H-1042 of cs_live_a1"),
    ],
)
def test_secrets_are_taken_out_and_the_rest_stays(told: str, written: str) -> None:
    assert redact(told) == written
    assert redact(written) == written


def test_a_secret_among_the_arguments_is_not_written(log: Log) -> None:
    log.logger.error("%s asked for %s (%d)", "ann", f"/d/{TOKEN}", 404)
    assert log.text == "ann asked for /d/*** (404)\n"


def test_a_secret_put_together_from_two_arguments_is_not_written(log: Log) -> None:
    log.logger.error("/d/%s%s", TOKEN[:20], TOKEN[20:])
    assert log.text == "/d/***\n"


def test_a_secret_in_a_dictionary_of_arguments_is_not_written(log: Log) -> None:
    log.logger.error("%(key)s", {"key": "sk_live_abc"})
    assert log.text == "sk_***\n"


def test_a_secret_in_a_traceback_is_not_written(log: Log) -> None:
    try:
        try:
            raise KeyError(f"/g/{TOKEN}")
        except KeyError as error:
            raise ValueError("bad key sk_live_abc") from error
    except ValueError:
        log.logger.exception("It failed for whsec_abc")
    assert TOKEN not in log.text
    assert "_abc" not in log.text
    assert "ValueError: bad key sk_***" in log.text
    assert "KeyError: '/g/***'" in log.text
    assert log.text.startswith("It failed for whsec_***\nTraceback")


def test_a_secret_in_a_stack_is_not_written(log: Log) -> None:
    log.logger.error("here", stack_info=True)  # sk_live_abc
    assert "sk_live_abc" not in log.text
    assert "Stack (most recent call last)" in log.text


def test_an_error_as_the_message_is_cleaned(log: Log) -> None:
    log.logger.error(ValueError("rk_live_abc"))
    assert log.text == "rk_***\n"


def test_arguments_that_do_not_fit_are_cleaned_and_break_nothing(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    log.logger.error("%s and %s", "sk_live_abc")
    assert log.text == "%s and %s ('sk_***',)\n"
    assert capsys.readouterr().err == ""


def test_two_handlers_write_the_same(log: Log) -> None:
    second = io.StringIO()
    handler = logging.StreamHandler(second)
    handler.addFilter(RedactSecrets())
    log.logger.addHandler(handler)
    try:
        log.logger.error("x", exc_info=ValueError("sk_live_abc"))
    finally:
        log.logger.removeHandler(handler)
    assert second.getvalue() == log.text == "x\nValueError: sk_***\n"
