"""The settings of what is counted of visits, and who else is told of it."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from handsel.settings.loopback import is_loopback
from handsel.settings.section import Section, Words


class AnalyticsSettings(Section):
    """What is counted of visits, for how long, and who else is told of it."""

    own: bool = Field(
        True,
        title="Count visits in the shop",
        description="Count visits in the shop's own database: without cookies, without "
        "an address, for nobody but you. Sales are counted either way.",
    )
    keep_days: int = Field(
        396,
        title="Days that single visits are kept",
        description="How long single visits are kept, in days: 13 months. The counts of "
        "a day, which are of nobody, are kept for good.",
        ge=2,
        le=1200,
    )
    ignore: Words = Field(
        default_factory=list,
        title="Addresses that are not counted",
        description="Addresses or networks whose visits are not counted, for instance "
        'your own: `["203.0.113.7", "2001:db8::/48"]`.',
    )
    country_database: str = Field(
        "",
        title="File that knows countries",
        description="A database of which address is in which country, in MaxMind's "
        "format (`.mmdb`), for visits whose country nothing in front says; needs "
        '`pip install "handsel[country]"`. Relative to the home folder.',
    )
    consent_cookie: bool = Field(
        False,
        title="Ask visitors whether they may be known again",
        description="Ask visitors whether they may be known again on another day, by a "
        "cookie. `analytics.ga4_id` asks as well.",
    )
    ga4_id: str = Field(
        "",
        title="Google Analytics: measurement ID",
        description="Google Analytics 4: the measurement ID of your web stream. Google's "
        "script is loaded after a visitor has said yes, and not before.",
        pattern=r"^(G-[A-Z0-9]{4,20})?$",
        examples=["G-ABC123DEF4"],
    )
    ga4_secret: SecretStr | None = Field(
        None,
        title="Google Analytics: API secret",
        description="The secret of the same stream's Measurement Protocol API, by which "
        "the shop itself tells Google of purchases and refunds. Better in a file: "
        "`ga4_secret_file`.",
    )
    ga4_base: str = Field(
        "",
        title="Google Analytics: another address",
        description="Another address of the API; only with HANDSEL_ENV=test.",
    )
    plausible_url: str = Field(
        "https://plausible.io",
        title="Plausible: address",
        description="Where your Plausible is, if you run it yourself.",
        pattern=r"^https?://[^?#\s]+$",
        examples=["https://plausible.io"],
    )
    plausible_domain: str = Field(
        "",
        title="Plausible: site",
        description="The site in Plausible that is told of purchases and refunds; empty: "
        "none is.",
        pattern=r"^([A-Za-z0-9][\w.-]*(/[\w./-]*)?)?$",
        examples=["example.com"],
    )
    matomo_url: str = Field(
        "",
        title="Matomo: address",
        description="Where your Matomo is, which is told of purchases; empty: none is.",
        pattern=r"^(https?://[^?#\s]+)?$",
        examples=["https://matomo.example.com"],
    )
    matomo_site: int = Field(
        0,
        title="Matomo: number of the site",
        description="The number of the site there (`idsite`).",
        ge=0,
        le=1_000_000,
    )
    matomo_token: SecretStr | None = Field(
        None,
        title="Matomo: token",
        description="A token of Matomo's that may write to it: then it also takes "
        "purchases of more than a day ago. Better in a file: `matomo_token_file`.",
    )
    test_hits: bool = Field(
        False,
        title="Tell of test purchases, too",
        description="Tell all of these of test purchases, too, to try it out. Google "
        "shows them in DebugView.",
    )

    @property
    def asks(self) -> bool:
        """Whether there is anything that a visitor must be asked for."""
        return self.consent_cookie or bool(self.ga4_id)


def problems(analytics: AnalyticsSettings) -> list[str]:
    """Say what has the right form, and yet means nothing."""
    return [*_networks(analytics), *_others(analytics)]


def _others(analytics: AnalyticsSettings) -> list[str]:
    found = []
    if analytics.asks and not analytics.own:
        found.append(
            "analytics.own: what visitors are asked for counts only with the shop's own "
            "counts; set it to true, or take analytics.ga4_id and consent_cookie away."
        )
    if bool(analytics.matomo_url) != bool(analytics.matomo_site):
        found.append(
            "analytics.matomo_url: Matomo needs it and analytics.matomo_site, both."
        )
    return found + [
        f"analytics.{name}: write https, or what is sold could be read on the way; it is "
        f"{url!r}."
        for name in ("plausible_url", "matomo_url")
        if _is_open(url := getattr(analytics, name))
    ]


def _is_open(url: str) -> bool:
    """Say whether a call there could be read by others."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _networks(analytics: AnalyticsSettings) -> list[str]:
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
