"""From an HTTP request to a WSGI environ (PEP 3333)."""

import sys
from typing import BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import WSGIEnvironment

from aiohttp import web

from handsel.web.carrier.files import FileWrapper

# CGI has names of its own for these, and the body comes unpacked and with its length.
_NOT_COPIED = {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}


def build_environ(
    request: web.BaseRequest,
    body: BinaryIO,
    length: int | None,
    server: tuple[str, int],
) -> WSGIEnvironment:
    """The environ of a request to the server at `server`: address and port.

    Args:
        length: of the body, in bytes; None where it has none, or nobody knows yet.

    Text is what PEP 3333 asks for: each character stands for one byte as it came.
    """
    host, path, query = _target(request.raw_path)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(_as_bytes(path)).decode("latin-1"),
        "QUERY_STRING": _as_bytes(query).decode("latin-1"),
        "REQUEST_URI": _as_bytes(request.raw_path).decode("latin-1"),
        "CONTENT_TYPE": _as_bytes(request.headers.get("Content-Type", "")).decode(
            "latin-1"
        ),
        "CONTENT_LENGTH": "" if length is None else str(length),
        "REMOTE_ADDR": _address(request.remote),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{request.version.major}.{request.version.minor}",
        **_headers(request),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    if host:
        environ["HTTP_HOST"] = host
    return environ


def _target(target: str) -> tuple[str, str, str]:
    """Host, path and query of `/path?query`, or of a whole address (RFC 9112, 3.2.2)."""
    host = ""
    if target.lower().startswith(("http://", "https://")):
        host = urlsplit(target).netloc.rpartition("@")[2]
        target = "/" + target.split("//", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    return host, path, query


def _headers(request: web.BaseRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in request.raw_headers:
        # `X_Y` and `X-Y` would become the same key: a way past a proxy that sets one.
        if b"_" in raw_name:
            continue
        key = "HTTP_" + raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if key in found:
            value = found[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        found[key] = value
    return {key: value for key, value in found.items() if key not in _NOT_COPIED}


def _as_bytes(text: str) -> bytes:
    """The bytes as they came over the wire, which aiohttp shows as UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _address(remote: str | None) -> str:
    """Of the visitor; one who comes by IPv4 to an IPv6 socket is shown as IPv4."""
    return (remote or "").removeprefix("::ffff:")
