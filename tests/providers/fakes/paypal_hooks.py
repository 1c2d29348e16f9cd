"""Web hooks of the fake PayPal, and forged ones: every way to lie that we know of."""

import base64
import gzip
import json
import secrets
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.providers.fakes.bank import Obj
from tests.providers.fakes.hooks import Hooks, Message
from tests.providers.fakes.paypal_bank import PayPalBank
from tests.providers.fakes.paypal_objects import new_id

CERTS = "/v1/notifications/certs/"
CERT = f"{CERTS}CERT-360caa42-fca2a594-1d93a270"
OLD_CERT = f"{CERTS}CERT-360caa42-fca2a594-old"


@cache
def key() -> rsa.RSAPrivateKey:
    """Give the key that this PayPal signs with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def other_key() -> rsa.RSAPrivateKey:
    """Give the key of somebody who is not PayPal."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(path: str, now: datetime) -> bytes | None:
    """Give what is at an address of the fake's; None if there is nothing."""
    if path not in (CERT, OLD_CERT):
        return None
    ends = now + timedelta(days=-1 if path == OLD_CERT else 300)
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(ends)
        .sign(key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


class PayPalHooks(Hooks):
    """Web hooks signed as PayPal signs them, with a certificate at the fake's address."""

    def __init__(self, bank: PayPalBank, webhook_id: str) -> None:
        super().__init__(bank)
        self.webhook_id = webhook_id
        self.origin = ""
        key()  # before several threads ask for it at once

    def signed(self, event: Obj) -> Message:
        return self.message(json.dumps(event).encode())

    def again(self, event: Obj) -> Obj:
        return event | {"id": f"WH-{new_id()}-{new_id()}"}

    def about(self, event: Obj, name: str) -> Obj:
        return event | {"resource": event["resource"] | {"id": name}}

    def ignored(self, event: Obj) -> dict[str, Obj]:
        return {"unknown type": event | {"event_type": "BILLING.PLAN.CREATED"}}

    def message(
        self,
        body: bytes,
        *,
        at: datetime | None = None,
        webhook_id: str | None = None,
        cert: str = "",
        by: rsa.RSAPrivateKey | None = None,
        stamp: str = "",
    ) -> Message:
        """Sign any body, well or badly."""
        time = stamp or f"{(at or self.bank.now).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        name = secrets.token_hex(16)
        known = self.webhook_id if webhook_id is None else webhook_id
        signed = f"{name}|{time}|{known}|{zlib.crc32(body)}".encode()
        given = (by or key()).sign(signed, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "paypal-transmission-id": name,
            "paypal-transmission-time": time,
            "paypal-transmission-sig": base64.b64encode(given).decode(),
            "paypal-cert-url": cert or f"{self.origin}{CERT}",
            "paypal-auth-algo": "SHA256withRSA",
            "content-type": "application/json",
        }
        return Message(headers, body)

    def forgeries(self, event: Obj) -> dict[str, Message]:
        good = self.signed(event)
        made = {name: make(self, good) for name, make in _FORGERIES.items()}
        for name, address in _ADDRESSES.items():
            made[name] = self.message(
                good.body, cert=address.format(origin=self.origin)
            )
        return made


def _with(message: Message, **headers: str) -> Message:
    named = {f"paypal-{name.replace('_', '-')}": text for name, text in headers.items()}
    return replace(message, headers=message.headers | named)


def _doubled(hooks: PayPalHooks, good: Message) -> Message:
    return hooks.message(good.body.replace(b'{"id"', b'{"id": "WH-OTHER", "id"', 1))


def _zipped(hooks: PayPalHooks, good: Message) -> Message:
    headers = good.headers | {"content-encoding": "gzip"}
    return Message(headers, gzip.compress(good.body))


_Make = Callable[[PayPalHooks, Message], Message]
_FORGERIES: dict[str, _Make] = {
    "no signature": lambda h, good: Message(
        {"content-type": "application/json"}, good.body
    ),
    "empty signature": lambda h, good: _with(good, transmission_sig=""),
    "no base64": lambda h, good: _with(good, transmission_sig="?"),
    "cut signature": lambda h, good: _with(
        good, transmission_sig=good.headers["paypal-transmission-sig"][:-8]
    ),
    "other key": lambda h, good: h.message(good.body, by=other_key()),
    "other web hook": lambda h, good: h.message(
        good.body, webhook_id="9HX00000000000000"
    ),
    "no web hook": lambda h, good: h.message(good.body, webhook_id=""),
    "other transmission": lambda h, good: _with(good, transmission_id="b" * 32),
    "changed time": lambda h, good: _with(
        good,
        transmission_time=f"{h.bank.now - timedelta(seconds=9):%Y-%m-%dT%H:%M:%SZ}",
    ),
    "other algorithm": lambda h, good: _with(good, auth_algo="SHA1withRSA"),
    "no algorithm": lambda h, good: _with(good, auth_algo=""),
    "changed body": lambda h, good: Message(
        good.headers, good.body.replace(b"WH-", b"WX-")
    ),
    "too old": lambda h, good: h.message(
        good.body, at=h.bank.now - timedelta(days=4, seconds=1)
    ),
    "future": lambda h, good: h.message(
        good.body, at=h.bank.now + timedelta(seconds=301)
    ),
    "no time": lambda h, good: h.message(good.body, stamp="yesterday"),
    "no zone": lambda h, good: h.message(good.body, stamp="2026-11-02T12:00:00"),
    "a list": lambda h, good: h.message(b"[1, 2]"),
    "empty body": lambda h, good: h.message(b""),
    "deep body": lambda h, good: h.message(b"[" * 200_000),
    "no object": lambda h, good: h.message(
        json.dumps(json.loads(good.body) | {"resource": 1}).encode()
    ),
    "nothing named": lambda h, good: h.message(
        json.dumps(json.loads(good.body) | {"resource": {}}).encode()
    ),
    "no name": lambda h, good: h.message(
        json.dumps(json.loads(good.body) | {"id": 7}).encode()
    ),
    "doubled key": _doubled,
    "utf-16": lambda h, good: h.message(good.body.decode().encode("utf-16")),
    "zipped": _zipped,
    "form": lambda h, good: h.message(b"id=WH-1&event_type=CHECKOUT.ORDER.APPROVED"),
    "IPN": lambda h, good: h.message(b"payment_status=Completed&mc_gross=15.00"),
}
_ADDRESSES = {
    "certificate elsewhere": "https://evil.example" + CERT,
    "certificate by name alone": "https://api.paypal.com.evil.example" + CERT,
    "certificate of the live PayPal": "https://api.paypal.com" + CERT,
    "certificate at another path": "{origin}/v1/notifications/certificates/CERT-1",
    "certificate above": "{origin}/v1/notifications/certs/../certs/CERT-1",
    "certificate asked for": "{origin}" + CERT + "?x=1",
    "certificate with a user": "http://x@127.0.0.1" + CERT,
    "certificate that is none": "{origin}/v1/notifications/certs/CERT-none",
    "certificate that is over": "{origin}" + OLD_CERT,
    "a file": "file:///etc/passwd",
}
"""Where a certificate must not come from."""
