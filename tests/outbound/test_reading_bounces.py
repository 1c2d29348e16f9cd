"""What mail systems write back, understood as facts; and garbage, which is not."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handsel.outbound import bounces
from handsel.outbound.bounces import MOST, Report, read
from handsel.outbound.verdicts import Kind, judge
from tests.outbound.reports import FOLDER, ID, SYSTEMS, TO, TOKEN, report


def understood(raw: bytes) -> Report:
    """Read a report that must be understood."""
    found = read(raw)
    assert found is not None
    return found


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_dead_address_is_understood_from_every_mail_system(system: str) -> None:
    found = understood(report(system, name="first"))

    assert found.kind is Kind.HARD
    assert found.recipients == (TO,)
    assert found.action == "failed"
    assert found.message_id == ID
    assert found.token == TOKEN
    assert "first" in found.name
    assert found.at
    assert found.at.date().isoformat() == "2026-11-23"
    assert found.words.startswith("550")


def test_the_servers_own_words_are_kept_in_one_line() -> None:
    assert understood(report("postfix")).words == (
        "550 5.1.1 <ann@reader.test>: Recipient address rejected: User unknown"
    )
    assert "المستخدم غير معروف" in understood(report("arabic")).words


def test_a_bounce_that_a_real_postfix_has_written() -> None:
    found = understood((FOLDER / "postfix-genuine.eml").read_bytes())

    assert found == Report(
        kind=Kind.HARD,
        recipients=("nouser@reader.test",),
        action="failed",
        status="5.1.1",
        words="550 5.1.1 <nouser@reader.test>: Recipient address rejected: User unknown",
        message_id=ID.replace("example.com", "shop.test"),
        token=TOKEN,
        name=found.name,
        at=datetime(2026, 11, 26, 15, 16, 4, tzinfo=UTC),
    )


def test_a_bounce_in_arabic_that_a_real_postfix_has_written() -> None:
    found = understood((FOLDER / "postfix-genuine-arabic.eml").read_bytes())

    assert found.kind is Kind.HARD
    assert found.recipients == ("قارئ@xn--mgbh0fb.example",)
    assert (found.token, found.words) == (TOKEN, "550 5.1.1 User unknown")


def test_a_delay_is_soft() -> None:
    found = understood(report("delayed"))
    assert (found.kind, found.action, found.status) == (Kind.SOFT, "delayed", "4.4.1")


def test_a_complaint_names_the_mail_and_who_complained() -> None:
    found = understood(report("complaint"))

    assert found.kind is Kind.COMPLAINT
    assert found.recipients == (TO,)
    assert (found.token, found.message_id) == (TOKEN, ID)
    assert found.words == "abuse BigMail-Feedback/1.0"


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus", ""])
def test_feedback_that_is_no_complaint(kind: str) -> None:
    raw = report("complaint").replace(b"Type: abuse", f"Type: {kind}".encode())
    assert read(raw) is None


def test_what_only_a_person_understands_is_not_understood() -> None:
    assert read(report("qmail")) is None
    assert read(b"Subject: Out of office\n\nI am on holiday.\n") is None
    assert read(b"") is None


def test_a_report_inside_a_mail_or_inside_another_report_counts_for_nothing() -> None:
    forwarded = (
        b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n'
        b"Content-Type: message/rfc822\n\n" + report("postfix") + b"\n--x--\n"
    )
    assert read(forwarded) is None
    inside = report("delayed").replace(
        b"Content-Type: text/rfc822-headers\n\n",
        b"Content-Type: message/rfc822\n\n" + report("postfix").partition(b"\n\n")[0],
    )
    assert understood(inside).kind is Kind.SOFT


def test_capitals_that_a_mail_system_lost_or_made_do_not_matter() -> None:
    raw = report("gmail").replace(TOKEN.encode(), TOKEN.upper().encode())
    assert understood(raw).token == TOKEN


def test_an_address_of_any_letters_in_every_way_it_is_written() -> None:
    whole = report("arabic", to="قارئ@مثال.example")
    assert understood(whole).recipients[0] == "قارئ@مثال.example"

    escaped = report("exim", to=r"\x{642}\x{627}@reader.test")
    assert understood(escaped).recipients[0] == "قا@reader.test"

    head, _, rest = report("arabic").partition(b"Reporting-MTA")
    status, _, tail = rest.partition(b"\n--utf8")
    encoded = base64.encodebytes(b"Reporting-MTA" + status)
    head = head.replace(
        b"delivery-status\nContent-Transfer-Encoding: 8bit",
        b"delivery-status\nContent-Transfer-Encoding: base64",
    )
    assert understood(head + encoded + b"\n--utf8" + tail).recipients == (TO,)


def test_one_dead_member_behind_an_address_does_not_make_it_a_dead_one() -> None:
    other = (
        b"Reporting-MTA: dns; mx.shop.test\n\n"
        b"Final-Recipient: rfc822; second@reader.test\nAction: delayed\nStatus: 4.2.2\n"
    )
    raw = report("postfix").replace(b"Reporting-MTA: dns; mx.shop.test\n", other, 1)
    assert understood(raw).kind is Kind.SOFT


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "", Kind.HARD),
        ("5.1.2", "Host not found", Kind.HARD),
        ("5.1.10", "", Kind.HARD),
        ("5.2.1", "", Kind.HARD),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", Kind.HARD),
        ("5.0.0", "550 5.1.1 gone", Kind.HARD),
        ("5.0.0", "550 Unknown user", Kind.HARD),
        ("5.5.0", "550 Requested action not taken: mailbox unavailable", Kind.HARD),
        ("5.3.0", "553 5.3.0 <x@y.z>... User unknown", Kind.HARD),
        ("", "550 No such user here", Kind.HARD),
        ("5.0.0", "550 The address x@y.z does not exist", Kind.HARD),
        ("5.0.0", "550 go away", Kind.SOFT),
        ("", "User unknown", Kind.SOFT),
        ("5.2.2", "552 5.2.2 mailbox full", Kind.SOFT),
        ("5.0.0", "552 5.2.2 user unknown to us, for the mailbox is full", Kind.SOFT),
        ("5.2.3", "too large", Kind.SOFT),
        ("5.7.1", "550 5.7.1 Recipient unknown, or we do not like you", Kind.SOFT),
        ("5.7.26", "DMARC", Kind.SOFT),
        ("5.1.8", "sender rejected", Kind.SOFT),
        ("5.1.0", "550 5.1.0 <books@example.com> sender rejected", Kind.SOFT),
        ("5.0.0", "550 Sender address rejected: user unknown", Kind.SOFT),
        ("5.4.7", "expired", Kind.SOFT),
        ("4.4.7", "user unknown", Kind.SOFT),
        ("5.1.1.9", "", Kind.SOFT),
    ],
)
def test_only_what_is_said_of_the_address_itself_is_hard(
    status: str, words: str, kind: Kind
) -> None:
    assert judge("failed", status, words) is kind
    assert judge("delayed", status, words) is Kind.SOFT


PIECES = [
    part for name in ("postfix", "arabic", "complaint") for part in [report(name)]
]


@given(st.binary(max_size=2000))
@example(b"Content-Type: multipart/report; boundary=x\n\n--x\n")
@example(b'Content-Type: multipart/report; boundary="\xff"\n\n--\xff--')
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    assert read(raw) is None


@given(st.sampled_from(PIECES), st.data())
def test_no_damaged_report_breaks_the_reading(raw: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 60)))
        raw = raw[:start] + data.draw(st.binary(max_size=20)) + raw[end:]
    found = read(raw)
    assert found is None or isinstance(found, Report)


@pytest.mark.parametrize("sign", [b"\x0b", b"\x0c", b"\x1c"])
def test_a_line_that_ends_in_the_middle_of_a_field_breaks_no_reading(
    sign: bytes,
) -> None:
    """Python's parser takes these signs for no line's end, and its writer for one."""
    raw = report("complaint").replace(b"Arrival-Date: ", b"Arrival-Date: " + sign)
    assert read(raw.replace(b"Mon, 23 Nov 2026 ", b"")) is None


def test_what_is_huge_is_read_in_part_and_soon() -> None:
    huge = report("postfix") + b"x" * 50_000_000
    assert understood(huge).kind is Kind.HARD
    deep = b"".join(
        b'Content-Type: multipart/report; boundary="b%d"\n\n--b%d\n' % (i, i)
        for i in range(20_000)
    )
    assert read(deep) is None
    many = report("postfix").replace(
        b"Reporting-MTA: dns; mx.shop.test\n",
        b"Reporting-MTA: dns; mx.shop.test\n\n" + b"Action: failed\n\n" * 40_000,
    )
    read(many[: MOST * 2])
    assert len(understood(report("postfix", to="a" * 5000 + "@b.c")).words) <= (
        bounces.MOST_WORDS
    )
