"""Those who count elsewhere: Google Analytics, Plausible, Matomo; one file for each.

A file writes what is told to one of them, and reads the answer; it calls nobody.
"""

from handsel.outbound.counters.base import (
    Answer,
    Call,
    CannotTellError,
    Counter,
    Hit,
    HitName,
)
from handsel.outbound.counters.ga4 import GoogleAnalytics
from handsel.outbound.counters.matomo import Matomo
from handsel.outbound.counters.plausible import Plausible
from handsel.settings import Settings

__all__ = [
    "Answer",
    "Call",
    "CannotTellError",
    "Counter",
    "GoogleAnalytics",
    "Hit",
    "HitName",
    "Matomo",
    "Plausible",
    "chosen",
]


def chosen(settings: Settings) -> dict[str, Counter]:
    """Give those whom the settings name, by their names."""
    wanted = settings.analytics
    found: list[Counter] = []
    if wanted.ga4_id and wanted.ga4_secret:
        secret = wanted.ga4_secret.get_secret_value()
        found.append(GoogleAnalytics(wanted.ga4_id, secret, wanted.ga4_base))
    if wanted.plausible_domain:
        where = (wanted.plausible_url, wanted.plausible_domain)
        found.append(Plausible(*where, settings.public_url))
    if wanted.matomo_url and wanted.matomo_site:
        token = wanted.matomo_token
        found.append(
            Matomo(
                wanted.matomo_url,
                wanted.matomo_site,
                token.get_secret_value() if token else "",
                settings.public_url,
            )
        )
    return {each.name: each for each in found}
