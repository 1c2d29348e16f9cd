"""Reports as mail systems write them; each kept in `bounces/`, with holes to fill in."""

import itertools
import re
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

FOLDER = Path(__file__).parent / "bounces"
SYSTEMS = ("postfix", "exim", "exchange", "gmail", "arabic")
"""Those that say that an address is dead, each in its own way."""

TO = "ann@reader.test"
TOKEN = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1"
ID = "<0123456789abcdef0123456789abcdef@example.com>"

_count = itertools.count(1)


def report(
    system: str,
    *,
    to: str = TO,
    token: str = TOKEN,
    id_: str = ID,
    name: str = "",
    at: datetime | None = None,
) -> bytes:
    """Write a report of one mail system; empty `token`: it came to a plain address."""
    text = (FOLDER / f"{system}.eml").read_text("utf-8")
    if at:
        text = re.sub("(?m)^Date: .*$", f"Date: {format_datetime(at)}", text, count=1)
    if not token:
        text = text.replace("+{token}", "")
    values = {"to": to, "token": token, "id": id_, "name": name or f"r{next(_count)}"}
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text.encode()
