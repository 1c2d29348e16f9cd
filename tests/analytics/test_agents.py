"""Who looks: a person with a phone, a tablet, a computer, or a machine."""

import pytest

from handsel.analytics.agents import device
from handsel.models.words import Device
from tests.stories.visiting import COMPUTER, PHONE

ANDROID = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 Chrome/140.0.0.0 {}"
PEOPLE = {
    COMPUTER: Device.COMPUTER,
    PHONE: Device.PHONE,
    ANDROID.format("Pixel 8", "Mobile Safari/537.36"): Device.PHONE,
    ANDROID.format("CUBOT NOTE 20", "Mobile Safari/537.36"): Device.PHONE,
    ANDROID.format("SM-X910", "Safari/537.36"): Device.TABLET,
    "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1": (
        Device.TABLET
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Firefox/140.0": (
        Device.COMPUTER
    ),
}
MACHINES = [
    "",
    "curl/8.0",
    "python-requests/2.34",
    "GoogleImageProxy",
    "Slackbot-LinkExpanding 1.0",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0)",
    "Mozilla/5.0 (compatible; YandexBot/3.0) " + "x" * 5000,
]


@pytest.mark.parametrize("agent", PEOPLE, ids=lambda agent: agent[:40])
def test_people_are_known_by_what_they_hold(agent: str) -> None:
    assert device(agent) is PEOPLE[agent]


@pytest.mark.parametrize("agent", MACHINES, ids=lambda agent: agent[:40])
def test_machines_are_nobody(agent: str) -> None:
    assert device(agent) is None
