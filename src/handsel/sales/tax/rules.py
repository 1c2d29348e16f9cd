"""By which rule a sale is taxed, where its buyer is, and how much of a price is tax.

Prices contain their tax: what a buyer pays never depends on it, so that it is the same on
the page, in the mail and on the invoice. Only a business of another EU country, which
pays the tax itself, pays less.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from handsel.models.words import TaxClass, TaxTreatment
from handsel.sales.tax import rates
from handsel.settings.tax import TaxSettings


@dataclass(frozen=True)
class Places:
    """What says where a buyer is: two letters each, or None.

    Args:
        billing: of the address that was given with the payment, or of the account.
        card: of the bank that issued the card.
        network: of the line they came by.
    """

    billing: str | None = None
    card: str | None = None
    network: str | None = None


@dataclass(frozen=True)
class Tax:
    """How a sale is taxed. `basis_points`: 1,900 is 19 %.

    `confirmed`: two pieces of evidence agreed on the country, or none was needed.
    """

    treatment: TaxTreatment
    basis_points: int
    country: str | None
    confirmed: bool = True


def where(places: Places) -> tuple[str | None, bool]:
    """Say in which country a buyer is, and whether two pieces of evidence agree on it.

    Those are what a seller has to keep: Implementing Regulation (EU) No 282/2011, 24b and
    24f. Where no two agree, the address counts, then the card, then the network.
    """
    said = [place for place in (places.billing, places.card, places.network) if place]
    if not said:
        return None, False
    country, times = Counter(said).most_common(1)[0]  # the first of those as frequent
    return country, times > 1


def tax(settings: TaxSettings, kind: TaxClass, places: Places, on: date) -> Tax:
    """Say how a sale to a consumer is taxed, as far as that is for us to say."""
    country, _ = where(places)
    if settings.mode == "none":
        return Tax(TaxTreatment.NONE, 0, country)
    if settings.mode == "flat":
        return Tax(TaxTreatment.FLAT, settings.basis_points, country)
    if settings.mode == "stripe":  # which goes by the address that it asks for
        return Tax(TaxTreatment.PROVIDER, 0, places.billing or country)
    return _in_the_union(settings, kind, places, on)


def _in_the_union(
    settings: TaxSettings, kind: TaxClass, places: Places, on: date
) -> Tax:
    """Tax by the states of the EU.

    A buyer of whom nobody knows where they are counts as one of the seller's own country;
    without the One Stop Shop, all consumers in the EU do.
    """
    home = rates.state(settings.country)
    country, confirmed = where(_by_state(places))
    country = country or home
    if not rates.covers(country):
        return Tax(TaxTreatment.OUTSIDE, 0, country, confirmed)
    by_buyer = settings.one_stop_shop or not rates.covers(home)
    owed_to = country if by_buyer else home
    rule = TaxTreatment.DOMESTIC if owed_to == home else TaxTreatment.DESTINATION
    # Of a day before the table begins nobody is asked any more; its first day must do.
    rate = rates.rate(owed_to, kind, max(on, rates.BEGINNING))
    return Tax(rule, rate.basis_points, owed_to, confirmed)


def of_business(country: str, places: Places) -> Tax:
    """Say how a sale to a business of another EU state is taxed: by the business itself.

    Evidence that names another country leaves it unconfirmed, for the seller to look at.
    """
    found = _by_state(places)
    known = {found.billing, found.card, found.network} - {None}
    return Tax(TaxTreatment.REVERSE_CHARGE, 0, country, known <= {country})


def _by_state(places: Places) -> Places:
    said = (places.billing, places.card, places.network)
    return Places(*(place and rates.state(place) for place in said))


def share(tax: int, whole: int, before: int, part: int) -> int:
    """Give the tax of a part of a sum, of which other parts went `before`.

    The shares of all parts together are the tax to the last cent, however it is parted.

    Args:
        tax: the tax in the whole, in minor units, as all others.
    """
    return _upto(tax, whole, before + part) - _upto(tax, whole, before)


def _upto(tax: int, whole: int, part: int) -> int:
    return (2 * tax * min(part, whole) + whole) // (2 * whole)
