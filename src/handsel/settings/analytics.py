"""The settings of what is counted of visits."""

from ipaddress import ip_network

from pydantic import Field

from handsel.settings.section import Section, Words


class AnalyticsSettings(Section):
    """What is counted of visits, and for how long."""

    own: bool = Field(
        True,
        description="Count visits in the shop's own database: without cookies, without "
        "an address, for nobody but you. Sales are counted either way.",
    )
    keep_days: int = Field(
        396,
        description="How long single visits are kept, in days: 13 months. The counts of "
        "a day, which are of nobody, are kept for good.",
        ge=2,
        le=1200,
    )
    ignore: Words = Field(
        default_factory=list,
        description="Addresses or networks whose visits are not counted, for instance "
        'your own: `["203.0.113.7", "2001:db8::/48"]`.',
    )
    country_database: str = Field(
        "",
        description="A database of which address is in which country, in MaxMind's "
        "format (`.mmdb`), for visits whose country nothing in front says; needs "
        '`pip install "handsel[country]"`. Relative to the home folder.',
    )


def problems(analytics: AnalyticsSettings) -> list[str]:
    """Say what has the right form, and yet means nothing."""
    return [
        f"analytics.ignore: {each!r} is no address and no network; write 203.0.113.7 "
        "or 203.0.113.0/24."
        for each in analytics.ignore
        if not _is_network(each)
    ]


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
