"""What the net says of the sender's domain: SPF, DKIM and DMARC, which mail needs to arrive.

All are TXT records. Nothing here is ever an error: the shop sells without them, and the
net may be away. What was not found out within three seconds is said to be unknown.
"""

import re
from collections.abc import Iterator
from time import monotonic

from dns.exception import DNSException
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

from handsel.ops.doctor.findings import Finding, Level
from handsel.outbound.addresses import wire_domain
from handsel.outbound.post import sender_of
from handsel.settings import Settings, is_loopback

PATIENCE = 3.0
"""Seconds for all questions together."""
_RESERVED = re.compile(
    r"(.*\.)?(localhost|test|example|invalid|local|internal|example\.(com|net|org))"
)


class _NotAnsweredError(Exception):
    """The net did not say whether there is such a record."""


class _Net:
    """Asks the net for texts, with one patience for all of it."""

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver
        self._until = monotonic() + PATIENCE

    def texts(self, name: str) -> list[str]:
        """Give every TXT record of a name. Raises _NotAnsweredError."""
        left = max(0.01, self._until - monotonic())
        try:
            self._resolver = self._resolver or Resolver()
            found = self._resolver.resolve(name, "TXT", search=False, lifetime=left)
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError) as error:
            raise _NotAnsweredError from error
        return [
            b"".join(record.strings).decode("ascii", "replace")
            for record in found
            if isinstance(record, TXT)
        ]


def look(settings: Settings, resolver: Resolver | None = None) -> Iterator[Finding]:
    """Look at the domain that mails come from, if mails are sent and it can be known.

    Args:
        resolver: whom to ask; None for the machine's own.
    """
    domain = _domain_of(sender_of(settings).address)
    # Where mails come back to is what SPF is checked for.
    envelope = _domain_of(settings.mail.bounces) or domain
    if settings.mail.transport != "smtp" or not domain or _is_nobodys(domain):
        return
    net = _Net(resolver)
    try:
        yield from _spf(net, envelope)
        yield from _dkim(net, domain, settings.mail.dkim_selector)
        yield from _dmarc(net, domain)
    except _NotAnsweredError:
        yield Finding(
            "H060",
            Level.INFO,
            f"SPF, DKIM and DMARC of {domain} could not be looked up: no name "
            "server gave an answer.",
            "Try again when this machine reaches the net and its name server.",
        )


def _domain_of(address: str) -> str:
    return wire_domain(address.rpartition("@")[2].rstrip("."))


def _is_nobodys(domain: str) -> bool:
    """Say whether no record can be there: names for tests and for this machine."""
    address = domain.startswith("[") or domain.replace(".", "").isdigit()
    return address or is_loopback(domain) or bool(_RESERVED.fullmatch(domain))


def _warning(name: str, problem: str, hint: str) -> Finding:
    return Finding(name, Level.WARNING, problem, hint)


def _spf(net: _Net, domain: str) -> Iterator[Finding]:
    found = [each for each in net.texts(domain) if re.match(r"(?i)v=spf1(\s|$)", each)]
    if not found:
        yield _warning(
            "H051",
            f"{domain} does not say who may send its mail: it has no SPF record.",
            f"Publish a TXT record at {domain}, such as `v=spf1 include:RELAY ~all`; "
            "your mail provider says which.",
        )
    elif len(found) > 1:
        yield _warning(
            "H052",
            f"{domain} has {len(found)} SPF records, so that none of them counts.",
            "Put all senders into one record: `v=spf1 include:ONE include:OTHER ~all`.",
        )
    elif {"all", "+all"} & set(found[0].lower().split()):
        yield _warning(
            "H053",
            f"The SPF record of {domain} ends in `+all`: anybody may send in its name.",
            "Write `~all` instead, after the servers that do send for you.",
        )


def _dkim(net: _Net, domain: str, selector: str) -> Iterator[Finding]:
    if not selector:
        yield Finding(
            "H054",
            Level.INFO,
            f"Whether mails from {domain} are signed (DKIM) cannot be seen: the name of "
            "the key is not known here.",
            "Set mail.dkim_selector to the word before `._domainkey` in the record that "
            "your mail provider told you to publish.",
        )
        return
    place = f"{selector}._domainkey.{domain}"
    keys = [_tags(each) for each in net.texts(place)]
    if not any("p" in tags for tags in keys):
        yield _warning(
            "H055",
            f"There is no DKIM key at {place}: signatures of your mails cannot be "
            "checked.",
            "Publish the record your mail provider shows you, or correct "
            "mail.dkim_selector.",
        )
    elif not any(tags.get("p") for tags in keys):
        yield _warning(
            "H056",
            f"The DKIM key at {place} was withdrawn: it is empty.",
            "Publish the record your mail provider shows you now.",
        )


def _dmarc(net: _Net, domain: str) -> Iterator[Finding]:
    place, found = _nearest_dmarc(net, domain)
    policy = (found.get("sp") if place != domain else None) or found.get("p", "")
    hint = (
        f"Publish a TXT record at _dmarc.{place}: `v=DMARC1; p=none; rua=mailto:YOU`, "
        "and go on to p=quarantine when the reports are clean."
    )
    if not found:
        problem = f"{domain} does not say what to do with forged mail: it has no DMARC"
        yield _warning("H057", f"{problem} record, or several.", hint)
    elif policy not in ("none", "quarantine", "reject"):
        yield _warning("H058", f"The DMARC record of {place} has no policy (p=).", hint)
    elif policy == "none":
        yield Finding(
            "H059",
            Level.INFO,
            f"The DMARC record of {place} only watches: its policy is p=none.",
            "Go on to p=quarantine when the reports show that all your mails pass.",
        )


def _nearest_dmarc(net: _Net, domain: str) -> tuple[str, dict[str, str]]:
    """Find the record that counts: the domain's own, else that of one above it."""
    labels = domain.split(".")
    for first in range(max(1, len(labels) - 1)):
        place = ".".join(labels[first:])
        texts = [e for e in net.texts(f"_dmarc.{place}") if e.startswith("v=DMARC1")]
        if texts:
            return place, _tags(texts[0]) if len(texts) == 1 else {}
    return domain, {}


def _tags(record: str) -> dict[str, str]:
    """Take `v=DMARC1; p=none` apart."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
