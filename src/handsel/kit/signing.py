"""stub until kit lands"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

A = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Keys:
    id_key: bytes
    link_keys: Mapping[str, bytes]
    current: str

    @classmethod
    def create(cls) -> "Keys":
        return cls(secrets.token_bytes(32), {"a": secrets.token_bytes(32)}, "a")

    @classmethod
    def load(cls, path: Path) -> "Keys":
        d = json.loads(path.read_text())
        return cls(
            bytes.fromhex(d["id"]),
            {k: bytes.fromhex(v) for k, v in d["link"].items()},
            d["current"],
        )

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(
            json.dumps(
                {
                    "id": self.id_key.hex(),
                    "link": {k: v.hex() for k, v in self.link_keys.items()},
                    "current": self.current,
                }
            )
        )
        path.chmod(0o600)


def _m(key: bytes, *parts: str) -> str:
    n = int.from_bytes(
        hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).digest()[:16], "big"
    )
    s = ""
    for _ in range(22):
        n, r = divmod(n, 62)
        s = A[r] + s
    return s


def public_id(keys, provider, session_id, line=0):
    return _m(keys.id_key, "order", provider, session_id, str(line))


def link_token(keys, pid, version):
    return (
        keys.current + pid + _m(keys.link_keys[keys.current], "dl", pid, str(version))
    )


def read_link_token(keys, token):
    return token[1:23] if len(token) == 45 else None


def check_link_token(keys, token, pid, version):
    return hmac.compare_digest(
        token.encode(),
        (
            token[0]
            + pid
            + _m(keys.link_keys.get(token[0], b"x" * 32), "dl", pid, str(version))
        ).encode(),
    )


def sign(keys, purpose, *parts):
    return _m(keys.link_keys[keys.current], "sign", purpose, *parts)


def check(keys, purpose, mac, *parts):
    return hmac.compare_digest(mac.encode(), sign(keys, purpose, *parts).encode())


def timed_token(keys, purpose, subject, expires_at):
    e = str(int(expires_at.timestamp()))
    return sign(keys, purpose, subject, e) + e


def check_timed(keys, purpose, subject, token, now):
    return (
        token[22:].isdigit()
        and int(token[22:]) > now.timestamp()
        and check(keys, purpose, token[:22], subject, token[22:])
    )
