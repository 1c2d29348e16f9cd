"""Whether an address is dead, by what a mail server said of it (RFC 3463).

Wrong either way costs: writing to dead addresses on and on makes mailbox providers
distrust the shop; and somebody who is struck off by mistake misses what was paid for. So
only what is said of the address itself is hard. What is said of this mail, this sender
or this hour is soft, even when the server calls it permanent:

- 5.2.2 a full mailbox, 5.2.3 and 5.3.4 a mail too large, 5.6.x its content;
- 5.7.x a policy: spam filters, block lists, SPF, DKIM, DMARC;
- 5.1.7 and 5.1.8, which are about the sender's address;
- 5.4.6 and 5.4.7 loops, and 4.x.x with "failed": tried for days and given up.

Codes that say nothing by themselves (5.0.0, 5.1.0, 5.2.0, 5.3.0, 5.5.0, or none at
all, only 550) are hard when the words beside them leave no doubt.
"""

import re
from enum import StrEnum

_DEAD = frozenset(
    {
        "5.1.1",  # no such mailbox
        "5.1.2",  # no such domain
        "5.1.3",  # no address at all
        "5.1.6",  # moved, and nobody knows where to
        "5.1.10",  # the domain takes no mail (RFC 7505)
        "5.2.1",  # the mailbox is switched off
        "5.4.1",  # Exchange Online: no such recipient
        "5.4.4",  # no way to the domain
        "5.4.310",  # Exchange Online: no such domain
    }
)
_VAGUE = frozenset({"", "5.0.0", "5.1.0", "5.2.0", "5.3.0", "5.5.0"})
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_PLAIN = re.compile(r"(?<![\d.])(55[0-4])(?![\d.])")
_WORDS = re.compile(
    r"(user|recipient|mailbox|address|account)( is| was)? (unknown|unavailable|disabled|"
    r"inactive|invalid|not found|does not exist|doesn't exist|no longer)"
    r"|(unknown|no such|invalid|nonexistent|non-existent) "
    r"(local )?(user|recipient|mailbox|address|account|person)"
    r"|(user|recipient|mailbox|address|account).{0,80}"
    r"(does not exist|doesn't exist|not exist)",
    re.IGNORECASE,
)

_SENDER = re.compile(r"\bsender\b", re.IGNORECASE)


class Kind(StrEnum):
    """What a report comes to."""

    HARD = "hard"  # the address is dead
    SOFT = "soft"  # this mail did not arrive, or not yet; another one may
    COMPLAINT = "complaint"  # it arrived and was called spam


def judge(action: str, status: str, words: str) -> Kind:
    """Say whether a report that a delivery came to this `action` makes an address dead.

    Args:
        action: "failed", "delayed" and others of RFC 3464.
        status: such as "5.1.1"; may be empty.
        words: what the server said, which may hold a better code than `status`.
    """
    if action != "failed":
        return Kind.SOFT
    status = surest(status, words)
    if status in _DEAD:
        return Kind.HARD
    vague = status in _VAGUE and (status or _PLAIN.search(words))
    dead = vague and _WORDS.search(words) and not _SENDER.search(words)
    return Kind.HARD if dead else Kind.SOFT


def surest(status: str, words: str) -> str:
    """Give the code that says most: Exim, for one, has it only among the words."""
    if status not in _VAGUE:
        return status
    found = _CODE.search(words)
    return found[0] if found else status
