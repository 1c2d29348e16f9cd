"""What must not stand in a log: keys, cookies, and addresses that open a purchase."""

import logging
import re
import traceback

_HIDDEN = "***"

_SECRETS = [
    # Keys of payment providers, and what signs their messages.
    (re.compile(r"(?<![A-Za-z])(sk|rk|whsec)_[\w/+=-]+"), rf"\1_{_HIDDEN}"),
    (re.compile(r"(?<![0-9A-Za-z])A2[0-9][A-Z]{2}[\w-]{20,}"), _HIDDEN),
    (
        re.compile(r"(?i)\b(bearer|authorization\W+basic)\s+[\w.~+/=-]{8,}"),
        rf"\1 {_HIDDEN}",
    ),
    # `Cookie: …`, `{'cookie': …}`, `(b'Cookie', …)`: the rest of the line.
    (
        re.compile(r"(?i)\b((?:set-)?cookie(?:['\"]\s*,|['\"]?\s*[:=])).*"),
        rf"\1{_HIDDEN}",
    ),
    # With this a browser pays a session.
    (re.compile(r"(cs_(?:test|live)_\w+?_secret_)[\w%]+"), rf"\1{_HIDDEN}"),
    # Our own links, also inside of another address.
    (
        re.compile(
            r"(?i)((?:/|%2f)(?:d|g|u|find|pay|checked|checking|begin)(?:/|%2f))[^\s/?#&%\"'<>)\]}]+"
        ),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{45}(?![0-9A-Za-z])"), _HIDDEN),
    # Where a buyer comes back from paying, and is shown the purchase; what others who
    # count know us by.
    (
        re.compile(r"([?&](?:session|token|api_secret|token_auth)=)[^\s&#\"']+"),
        rf"\1{_HIDDEN}",
    ),
    # Passwords in the address of a database.
    (re.compile(r"(://[^\s/:@]*:)[^\s@]+@"), rf"\1{_HIDDEN}@"),
]


def redact(text: str) -> str:
    """Put `***` in the place of every secret in a text. Safe to repeat."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class RedactSecrets(logging.Filter):
    """Cleans records before a handler writes them: message, arguments, tracebacks.

    Belongs on every handler: a filter on a logger does not see what comes from the
    loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record; let every record through."""
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info and record.exc_info[0]:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info))
        if record.exc_text:
            record.exc_text = redact(record.exc_text).rstrip("\n")
            record.exc_info = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The arguments do not fit. Logging would print them as they are, to stderr.
        return f"{record.msg} {record.args}"
