"""The head of a mail: any text made safe for it, and written without surprises.

Python's own `email` up to 3.11.9 lets an encoded word such as `=?UTF-8?Q?=0ABcc:_x?=`
become a header of its own (CVE-2024-6923); and its folding (measured on 3.11.7) loses
blanks in one of fourteen subjects with letters beyond ASCII, the quotes around a long
name with a comma, and the address in a long List-Unsubscribe. So texts are made safe
first, headers are written by a few lines here, and the result is read back.
"""

import re
import unicodedata
from collections.abc import Iterator
from email import policy
from email.header import Header
from email.headerregistry import (
    Address,
    AddressHeader,
    DateHeader,
    MessageIDHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage, Message
from email.parser import Parser
from textwrap import wrap
from typing import Any

LINE = 76
"""Longest line we write; an encoded word and quoted-printable may not have more."""

# Control characters, line and paragraph separators, and halves of characters.
_UNSAFE = frozenset({"Cc", "Zl", "Zp", "Cs"})
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ]*")


def header_text(text: str, *, limit: int = 200) -> str:
    """Make any text safe as the value of a header, or as a name in one.

    Control characters and runs of blanks become one blank, no encoded word survives
    (RFC 2047: every `=?` is broken), and what is longer than `limit` characters ends in
    an ellipsis. Safe to repeat: a safe text stays as it is.
    """
    blanks = (" " if unicodedata.category(c) in _UNSAFE else c for c in text)
    safe = " ".join("".join(blanks).split()).replace("=?", "= ?")
    return safe if len(safe) <= limit else safe[: limit - 1].rstrip() + "…"


class MailPolicy(policy.EmailPolicy):
    """How our mails are written: CRLF, seven bits, short lines, RFC 2047 by the book.

    With `utf8=True` (RFC 6532) headers are written as they are. Raises ValueError for a
    value with a control character: it has not been through `header_text`.
    """

    def fold(self, name: str, value: Any) -> str:
        """Write one header, its line end included."""
        return self._written(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Write one header, its line end included, as it goes over the wire."""
        return self._written(name, value).encode("utf-8" if self.utf8 else "ascii")

    def _written(self, name: str, value: Any) -> str:
        if any(unicodedata.category(c) in _UNSAFE for c in str(value)):
            raise ValueError(f"{name} holds a control character: {str(value)!r}.")
        if isinstance(value, AddressHeader):
            addresses = (self._address(name, each) for each in value.addresses)
            return f"{name}: {f',{self.linesep} '.join(addresses)}{self.linesep}"
        if isinstance(value, DateHeader | MessageIDHeader):
            return f"{name}: {value}{self.linesep}"
        if isinstance(value, UnstructuredHeader):
            return f"{name}: {self._text(name, str(value))}{self.linesep}"
        return str(super().fold(name, value))

    def _address(self, name: str, address: Address) -> str:
        spec = address.addr_spec
        if not address.display_name:
            return spec
        phrase = self._phrase(name, address.display_name)
        last = phrase.rpartition("\n")[2]
        gap = " " if len(last) + len(spec) + 3 < LINE else f"{self.linesep} "
        return f"{phrase}{gap}<{spec}>"

    def _phrase(self, name: str, words: str) -> str:
        if _PLAIN_NAME.fullmatch(words):
            return words
        if words.isascii() or self.utf8:
            return '"' + re.sub(r'(["\\])', r"\\\1", words) + '"'
        return self._text(name, words)

    def _text(self, name: str, text: str) -> str:
        if self.utf8:
            return text
        if text.isascii():
            return f"{self.linesep} ".join(_lines(text, LINE - len(name) - 2))
        header = Header(text, "utf-8", maxlinelen=LINE, header_name=name)
        return header.encode(linesep=self.linesep)


def _lines(text: str, width: int) -> list[str]:
    """Break at blanks only: an address of a web page stays whole."""
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


MAIL_POLICY = MailPolicy(linesep="\r\n", cte_type="7bit", max_line_length=LINE)


def check_head(message: EmailMessage) -> None:
    """Read a mail back as others will, and compare: headers, addresses, line ends.

    Raises ValueError when a header came or went, an address changed, or a line does not
    end in CR LF: a programmer's error, since `header_text` leaves no way to it.
    """
    wire = message.as_bytes()
    if _BARE_LINE_END.search(wire):
        raise ValueError("The mail holds a line end that is not CR LF.")
    read = Parser(policy=policy.default).parsestr(wire.decode())
    if list(_names(read)) != list(_names(message)):
        raise ValueError(f"The mail's headers changed: {list(_names(read))}.")
    if list(_addresses(read)) != list(_addresses(message)):
        raise ValueError(f"The mail's addresses changed: {list(_addresses(read))}.")


def _names(message: Message) -> Iterator[list[str]]:
    return ([name.lower() for name in part] for part in message.walk())


def _addresses(message: Message) -> Iterator[list[str]]:
    for name in ("From", "To", "Reply-To"):
        for header in message.get_all(name, []):
            if isinstance(header, AddressHeader):
                yield [address.addr_spec for address in header.addresses]
