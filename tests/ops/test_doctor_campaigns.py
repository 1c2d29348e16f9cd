"""The doctor looks at mails to everyone: standing still, paused, failing."""

import dataclasses
from datetime import timedelta

import pytest

from handsel.ops import campaigning, releasing
from handsel.ops.doctor import Level
from handsel.ops.releasing import Sending
from handsel.ops.restore import FROM_BACKUP
from handsel.outbound import campaigns, recipients
from handsel.outbound.recipients import Sent
from tests.faults.test_broadcast_kill import many_buyers
from tests.ops.test_doctor import Patient, patient
from tests.stories.test_release import edition, send

__all__ = ["patient"]

BUYERS = 30


def made(patient: Patient, sending: Sending | None = None) -> int:
    """A mail to thirty buyers that has not begun."""
    many_buyers(patient.shop, BUYERS)
    wanted = edition(patient.shop, sending=sending)
    return releasing.announce(patient.shop, wanted)


def begun(patient: Patient, rate: str | None = None) -> int:
    """One that has."""
    campaign = made(patient, Sending(rate=rate))
    campaigning.begin(patient.shop, campaign)
    return campaign


def leased(patient: Patient, campaign: int) -> recipients.Addressee:
    """Lease one mail of it."""
    with patient.shop.transaction() as session:
        (one,) = recipients.claim(session, campaign, patient.clock(), 1)
    return one


def test_one_that_is_well_is_no_finding(patient: Patient) -> None:
    campaign = begun(patient)
    patient.clock.move(minutes=9)
    assert patient.findings() == {}

    send(patient.shop, campaign)
    patient.clock.move(days=1)
    assert patient.findings() == {}


def test_one_that_nobody_sends(patient: Patient) -> None:
    campaign = begun(patient)
    patient.clock.move(minutes=11)

    found = patient.findings()["H034"]

    assert found.level is Level.WARNING
    assert f"Mail {campaign} to the buyers of book" in found.problem
    assert "handsel run" in found.hint


def test_one_that_is_slow_by_its_limit_does_not_stand_still(patient: Patient) -> None:
    campaign = begun(patient, rate="2/h")
    one = leased(patient, campaign)
    with patient.shop.transaction() as session:
        recipients.done(session.connection(), [Sent(one.id, patient.clock())])
    patient.clock.move(minutes=35)

    assert patient.findings() == {}
    patient.clock.move(minutes=10)
    assert "H034" in patient.findings()


def test_one_where_the_rest_waits_for_another_try_does_not_either(
    patient: Patient,
) -> None:
    campaign = begun(patient)
    one = leased(patient, campaign)
    send(patient.shop, campaign)
    tired = dataclasses.replace(one, tries=5)
    with patient.shop.transaction() as session:
        recipients.later(session, tired, "452 full", patient.clock())
    patient.clock.move(hours=1)

    assert patient.findings() == {}


def test_one_whose_time_has_come_and_one_that_never_began(patient: Patient) -> None:
    campaign = made(patient)
    patient.clock.move(minutes=11)
    never = patient.findings()["H027"]
    campaigning.begin(patient.shop, campaign)
    send(patient.shop, campaign)
    words = ("Reading", "Sunday.", Sending(at=patient.clock() + timedelta(hours=1)))
    campaigning.create_broadcast(patient.shop, "book", *words)
    assert patient.findings() == {}
    patient.clock.move(minutes=71)

    assert "same command again" in never.hint
    assert "due since" in patient.findings()["H034"].problem


def test_leases_that_were_left(patient: Patient) -> None:
    leased(patient, begun(patient))
    patient.clock.move(minutes=13)

    assert "1 mails" in patient.findings()["H035"].problem


@pytest.mark.parametrize("reason", ["The mail server is not there.", FROM_BACKUP])
def test_one_that_paused_by_itself(patient: Patient, reason: str) -> None:
    campaign = begun(patient)
    with patient.shop.transaction() as session:
        held = campaigns.hold(session, campaign)
        campaigns.pause(session, held, reason)

    found = patient.findings()["H038"]

    assert found.level is Level.WARNING
    assert reason in found.problem
    assert f"handsel release resume {campaign}" in found.hint


def test_one_that_was_paused_by_hand_is_no_finding(patient: Patient) -> None:
    campaign = begun(patient)
    campaigning.pause(patient.shop, campaign)
    assert patient.findings() == {}
    campaigning.resume(patient.shop, campaign)
    campaigning.interrupt(patient.shop, campaign)
    assert patient.findings() == {}


def test_one_whose_mails_fail_for_a_week_after(patient: Patient) -> None:
    campaign = begun(patient)
    one = leased(patient, campaign)
    with patient.shop.transaction() as session:
        recipients.fail(session, one, "550 no such user")
    send(patient.shop, campaign)

    found = patient.findings()["H039"]

    assert "1 of its 30 mails" in found.problem
    assert f"handsel release status {campaign}" in found.hint
    patient.clock.move(days=8)
    assert "H039" not in patient.findings()
