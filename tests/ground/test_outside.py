"""The guard over transactions can bark."""

import http.client
import smtplib
from pathlib import Path

import pytest

from handsel.sales.payments.base import UnknownSessionError
from handsel.sales.payments.test import TestProvider
from handsel.shop import Shop
from tests.ground import outside
from tests.ground.smtp import SmtpServer
from tests.web.serving import serving


def nothing(environ: object, start_response: object) -> list[bytes]:
    """An application that says nothing."""
    start_response("200 OK", [("Content-Length", "0")])  # type: ignore[operator]
    return []


def test_asking_a_web_server_inside_a_transaction_is_noticed(shop: Shop) -> None:
    with serving(nothing) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.connect()
        assert outside.forgive() == 0
        with shop.transaction():
            connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    assert outside.forgive() == 1


def test_connecting_inside_a_transaction_is_noticed(shop: Shop) -> None:
    with SmtpServer() as server, shop.transaction():
        smtplib.SMTP(server.host, server.port).close()
    assert outside.forgive() >= 1


def test_talking_to_a_mail_server_inside_a_transaction_is_noticed(shop: Shop) -> None:
    with SmtpServer() as server, smtplib.SMTP(server.host, server.port) as client:
        assert outside.forgive() == 0
        with shop.transaction():
            client.noop()
        assert outside.forgive() == 1


def test_asking_the_built_in_provider_inside_a_transaction_is_noticed(
    shop: Shop, tmp_path: Path
) -> None:
    provider = TestProvider(tmp_path)
    with shop.transaction(), pytest.raises(UnknownSessionError):
        provider.look_up("tp_none", shop.now())
    assert outside.forgive() >= 1
