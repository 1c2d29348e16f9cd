"""The doctor asks a real name server what it says of the sender's domain."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from handsel.ops.doctor import Finding, Level, domain
from handsel.settings import Settings
from tests.ground.names import NameServer

SPF = "v=spf1 include:relay.tillery.net ~all"
DMARC = "v=DMARC1; p=quarantine; rua=mailto:maud@tillery.net"
KEY = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqh" * 28


def settings(sender: str = "maud@tillery.net", **mail: Any) -> Settings:
    """A shop that sends its mails from this address."""
    own = {"transport": "smtp", "host": "mx.tillery.net", "from": sender}
    own |= {"dkim_selector": "s1"} | mail
    return Settings.model_validate({"mail": own})


@pytest.fixture
def well(names: NameServer) -> NameServer:
    """A domain where all is well."""
    names.texts["tillery.net"] = ["google-site-verification=x", SPF]
    names.texts["_dmarc.tillery.net"] = [DMARC]
    names.texts["s1._domainkey.tillery.net"] = [KEY]
    return names


def look(names: NameServer, own: Settings | None = None) -> list[Finding]:
    """What the doctor says of it."""
    return list(domain.look(own or settings(), names.resolver))


def ids(found: Sequence[Finding]) -> list[str]:
    """Their names alone."""
    return [each.id for each in found]


def test_nothing_is_said_of_a_domain_where_all_is_well(well: NameServer) -> None:
    assert look(well) == []


def test_a_key_behind_another_name_counts(well: NameServer) -> None:
    well.texts["s1.relay.net"] = well.texts.pop("s1._domainkey.tillery.net")
    well.aliases["s1._domainkey.tillery.net"] = "s1.relay.net"

    assert look(well) == []


def test_a_bare_domain_lacks_all_three_and_hears_what_to_do(names: NameServer) -> None:
    found = look(names)

    assert ids(found) == ["H051", "H055", "H057"]
    assert {each.level for each in found} == {Level.WARNING}
    spf, dkim, dmarc = found
    assert "no SPF" in spf.problem
    assert "include:" in spf.hint
    assert "s1._domainkey.tillery.net" in dkim.problem
    assert "no DMARC" in dmarc.problem
    assert "_dmarc.tillery.net" in dmarc.hint


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([SPF, "v=spf1 mx -all"], "2 SPF records"),
        (["v=spf1 mx +all"], "anybody"),
        (["V=SPF1 mx all"], "anybody"),
        (["v=spf10 mx -all"], "no SPF"),
        ([], "no SPF"),
    ],
)
def test_an_spf_record_that_does_not_help(
    records: list[str], words: str, well: NameServer
) -> None:
    well.texts["tillery.net"] = records

    (found,) = look(well)

    assert found.id in ("H051", "H052", "H053")
    assert words in found.problem


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        (["v=DMARC1; p=none"], Level.INFO, "only watches"),
        (["v=DMARC1; rua=mailto:x@y.net"], Level.WARNING, "no policy"),
        (["v=DMARC1; p=maybe"], Level.WARNING, "no policy"),
        ([DMARC, DMARC + "; pct=5"], Level.WARNING, "or several"),
        (["p=reject"], Level.WARNING, "no DMARC"),
    ],
)
def test_a_dmarc_record_that_does_not_help(
    records: list[str], level: Level, words: str, well: NameServer
) -> None:
    well.texts["_dmarc.tillery.net"] = records

    (found,) = look(well)

    assert found.id in ("H057", "H058", "H059")
    assert found.level is level
    assert words in found.problem


def test_spf_is_that_of_the_address_which_bounces_come_back_to(
    well: NameServer,
) -> None:
    own = settings(bounces="back@bounce.tillery.net")
    (found,) = look(well, own)
    assert "bounce.tillery.net" in found.problem
    well.texts["bounce.tillery.net"] = well.texts.pop("tillery.net")

    assert look(well, own) == []


def test_a_domain_above_speaks_for_those_below(well: NameServer) -> None:
    well.texts["shop.tillery.net"] = [SPF]
    well.texts["s1._domainkey.shop.tillery.net"] = [KEY]
    own = settings("maud@shop.tillery.net")

    assert look(well, own) == []
    well.texts["_dmarc.tillery.net"] = ["v=DMARC1; p=reject; sp=none"]
    assert "only watches" in look(well, own)[0].problem


def test_a_key_that_was_withdrawn(well: NameServer) -> None:
    well.texts["s1._domainkey.tillery.net"] = ["v=DKIM1; p="]

    (found,) = look(well)

    assert "withdrawn" in found.problem


def test_without_a_selector_it_says_how_to_name_it(well: NameServer) -> None:
    (found,) = look(well, settings(dkim_selector=""))

    assert (found.id, found.level) == ("H054", Level.INFO)
    assert "mail.dkim_selector" in found.hint


@pytest.mark.parametrize("way", ["silent", "fails"])
def test_a_net_that_does_not_answer_is_no_error_and_does_not_hold_up(
    way: str, well: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "PATIENCE", 0.4)
    setattr(well, way, True)
    began = time.monotonic()

    (found,) = look(well)

    assert (found.id, found.level) == ("H060", Level.INFO)
    assert "could not be looked up" in found.problem
    assert "\n" not in found.problem
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "own",
    [
        settings("maud@shop.example.com"),
        settings("maud@localhost"),
        settings("maud@books.test"),
        settings("maud@[127.0.0.1]"),
        settings(transport="folder"),
    ],
)
def test_domains_of_nobody_are_not_asked_for(own: Settings, well: NameServer) -> None:
    assert look(well, own) == []
    assert well.asked == []


def test_a_domain_beyond_ascii_is_asked_for_as_the_net_writes_it(
    names: NameServer,
) -> None:
    look(names, settings("maud@büchertisch.net"))

    assert names.asked[0] == "xn--bchertisch-9db.net"
