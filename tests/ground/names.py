"""A real name server on this machine, which answers what a test tells it.

with NameServer() as names:
    names.texts["shop.tillery.net"] = ["v=spf1 ~all"]
    names.resolver.resolve("shop.tillery.net", "TXT")
"""

import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from dns.resolver import Resolver


class NameServer:
    """A name server; set its attributes at any time. It knows texts and other names."""

    texts: dict[str, list[str]]
    """The TXT records of a name; a name that is not there does not exist."""
    aliases: dict[str, str]
    """CNAME records."""
    silent: bool = False
    """It answers nothing at all."""
    fails: bool = False
    """It says that it cannot answer (SERVFAIL)."""
    asked: list[str]
    """The names it was asked for."""

    def __init__(self) -> None:
        self.texts, self.aliases, self.asked = {}, {}, []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        """Open the door."""
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it: an empty datagram ends the loop."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def resolver(self) -> Resolver:
        """Somebody who asks this server and no other."""
        resolver = Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._socket.getsockname()[1]
        return resolver

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(4096)
            if not data:
                return
            answer = self._answer(dns.message.from_wire(data))
            if not self.silent:
                self._socket.sendto(answer.to_wire(), sender)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name = question.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        if self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        if alias := self.aliases.get(name):
            answer.answer.append(
                dns.rrset.from_text(name + ".", 60, "IN", "CNAME", alias + ".")
            )
            name = alias
        if name not in self.texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[name]:
            quoted = [_quoted(text) for text in self.texts[name]]
            answer.answer.append(
                dns.rrset.from_text(name + ".", 60, "IN", "TXT", *quoted)
            )
        return answer


def _quoted(text: str) -> str:
    """Write a text as in a zone file: in pieces of at most 255 letters."""
    pieces = [text[i : i + 255] for i in range(0, len(text), 255)] or [""]
    return " ".join(f'"{piece}"' for piece in pieces)


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A name server that knows nothing yet."""
    with NameServer() as server:
        yield server
