"""Amazon SNS on this machine: an https server under Amazon's name, which signs messages.

with Amazon() as amazon:
    post("ses", amazon.message(told, at=now))

Names of Amazon's lead here and nowhere else. Clients trust it by `SSL_CERT_FILE`, so
that what they would refuse in the world they refuse here.
"""

import base64
import json
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

HOST = "sns.eu-central-1.amazonaws.com"
HOSTS = {
    "arn:aws:sns:eu-central-1": HOST,
    "arn:aws-cn:sns:cn-north-1": "sns.cn-north-1.amazonaws.com.cn",
    "arn:aws-us-gov:sns:us-gov-west-1": "sns.us-gov-west-1.amazonaws.com",
    "arn:aws-eusc:sns:eusc-de-east-1": "sns.eusc-de-east-1.amazonaws.eu",
}
"""Where it lives for the topics of each of its worlds."""
TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
PEM = Encoding.PEM
Keys = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_getaddrinfo = socket.getaddrinfo


class Amazon:
    """Amazon SNS of one region; what it says to a path can be changed at any time."""

    asked: list[str]
    """The paths it was asked for."""
    answers: dict[str, tuple[int, bytes]]
    """What it says to a path; a status from 300 to 399 leads to the path in the body."""
    delay: float = 0
    """Seconds until it answers."""

    def __init__(self, folder: Path) -> None:
        self.asked = []
        self.name = f"/SimpleNotificationService-{secrets.token_hex(16)}.pem"
        self.answers = {self.name: (200, certificate())}
        self.confirm = f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336a"
        self.answers[self.confirm] = (200, b"<ConfirmSubscriptionResponse/>")
        self.go = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.socket = _tls(folder).wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def __enter__(self) -> Self:
        """Open the door."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def message(self, words: object, *, at: datetime, **changed: Any) -> dict[str, str]:
        """Write a notification and sign it; what is `changed` is signed as well."""
        message: dict[str, str] = {
            "Type": "Notification",
            "MessageId": secrets.token_hex(16),
            "TopicArn": TOPIC,
            "Message": words if isinstance(words, str) else json.dumps(words),
            "Timestamp": at.astimezone(UTC).isoformat()[:19] + ".123Z",
            "SignatureVersion": "2",
            "SigningCertURL": f"https://{HOST}{self.name}",
        }
        return signed(message | changed)

    def confirmation(self, *, at: datetime, **changed: Any) -> dict[str, str]:
        """Write what comes when somebody has subscribed our address to a topic."""
        address = f"https://{HOST}{self.confirm}"
        asks = {"Type": "SubscriptionConfirmation", "Token": "2336a"}
        return self.message(
            "You have chosen", at=at, **(asks | {"SubscribeURL": address} | changed)
        )


def signed(
    message: dict[str, str], key: rsa.RSAPrivateKey | None = None
) -> dict[str, str]:
    """Sign a message as Amazon does, or with another key."""
    names = "Message MessageId Subject SubscribeURL Timestamp Token TopicArn Type"
    found = [name for name in names.split() if name in message]
    text = "".join(f"{name}\n{message[name]}\n" for name in found).encode()
    version = message["SignatureVersion"]
    how = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
    signature = (key or signing_key()).sign(text, padding.PKCS1v15(), how)
    return message | {"Signature": base64.b64encode(signature).decode()}


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Amazon's own."""
    return rsa.generate_private_key(65537, 2048)


@cache
def other_key() -> rsa.RSAPrivateKey:
    """Somebody else's."""
    return rsa.generate_private_key(65537, 2048)


def certificate(key: Keys | None = None, years: int = 100, *hosts: str) -> bytes:
    """Give a certificate that signs itself, valid since 2026 for so many years."""
    key = key or signing_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amazon")])
    known = x509.SubjectAlternativeName(
        [x509.DNSName(each) for each in hosts or (HOST,)]
    )
    since = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=365 * years))
        .add_extension(known, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(PEM)


@cache
def _tls_files() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(key, 100, *HOSTS.values()), key.private_bytes(
        PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _tls(folder: Path) -> ssl.SSLContext:
    for name, content in zip(("amazon.crt", "amazon.key"), _tls_files(), strict=True):
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "amazon.crt", folder / "amazon.key")
    return context


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hangs up, or does not trust us."""


def _handler(amazon: Amazon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            amazon.asked.append(self.path)
            amazon.go.wait(amazon.delay)
            status, content = amazon.answers.get(self.path, (404, b"no such thing"))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", content.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def amazon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """Amazon SNS, reachable under its own name and trusted."""
    with Amazon(tmp_path) as server:

        def found(host: Any, port: Any, *args: Any, **more: Any) -> Any:
            if host in HOSTS.values() and port == 443:
                host, port = "127.0.0.1", server.port
            return _getaddrinfo(host, port, *args, **more)

        monkeypatch.setattr(socket, "getaddrinfo", found)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "amazon.crt"))
        yield server
