"""The cards of the test provider: which numbers there are, and reading what was typed.

No real card is ever taken, and no number is kept: only its last four digits.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handsel.kit.errors import BadInputError

LATER = timedelta(seconds=20)
"""How long a card that pays later takes: long enough to see, short enough to wait."""

_USE_THIS = "Use 4242 4242 4242 4242."


@dataclass(frozen=True)
class Card:
    """One test number and what the pretend bank does with it.

    Args:
        number: digits only.
        what_happens: one sentence, for the payment page and the docs.
        refusal: why the bank says no; empty when it says yes.
        asks: the bank first wants to know that it is really the card's owner (3-D Secure).
        delay: how long after the buyer has finished the money arrives.
        comes: false when, after the delay, it does not.
        disputed: the owner disputes the payment at once.
    """

    number: str
    what_happens: str
    refusal: str = ""
    asks: bool = False
    delay: timedelta = timedelta(0)
    comes: bool = True
    disputed: bool = False

    @property
    def last4(self) -> str:
        """The last four digits; no two test cards share them."""
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """The number as it is printed on a card, in groups of four."""
        return " ".join(re.findall("....", self.number))


# The numbers are the ones that Stripe's test mode has for the same ends, so that hands
# which know them need not learn others. Only 0077 means something else there.
TEST_CARDS = (
    Card("4242424242424242", "Pays."),
    Card("4000000000000002", "Is declined.", refusal="Your bank declined this card."),
    Card(
        "4000000000009995",
        "Is declined: not enough money on it.",
        refusal="There is not enough money on this card.",
    ),
    Card("4000002500003155", "Asks you to confirm (3-D Secure), then pays.", asks=True),
    Card(
        "4000008400001629",
        "Asks you to confirm (3-D Secure), and is declined even so.",
        asks=True,
        refusal="Your bank declined this card.",
    ),
    Card("4000000000000077", "Pays later: the money takes 20 seconds.", delay=LATER),
    Card(
        "4000000000000341",
        "Seems to pay later, but after 20 seconds no money has come.",
        delay=LATER,
        comes=False,
    ),
    Card("4000000000000259", "Pays, and is disputed by its owner.", disputed=True),
)


def card_ending(last4: str) -> Card:
    """Find a test card by its last four digits. KeyError when there is none."""
    return {card.last4: card for card in TEST_CARDS}[last4]


def read_card(number: str, expiry: str, cvc: str, now: datetime) -> Card:
    """Find the test card that was typed, with the three fields as a person types them.

    Spaces, dashes and the digits of any script are understood. Raises BadInputError with
    `field` `number`, `expiry` or `cvc`, in the order of the page.
    """
    card = _read_number(_plain(number))
    _check_expiry(_plain(expiry), now)
    _check_cvc(_plain(cvc))
    return card


def _plain(text: str) -> str:
    """Write digits of any script as 0-9, any dash as `-`; drop invisible marks."""
    letters = []
    for letter in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.decimal(letter)))
        elif category == "Pd":
            letters.append("-")
        elif category != "Cf":
            letters.append(letter)
    return "".join(letters).strip()


def _read_number(typed: str) -> Card:
    number = re.sub(r"[\s-]", "", typed)
    if not number:
        raise BadInputError("The card number is missing.", _USE_THIS, field="number")
    if not re.fullmatch(r"[0-9]{13,19}", number):
        raise BadInputError(
            "This is not a whole card number.",
            f"It has 16 digits, sometimes a few more or less. {_USE_THIS}",
            field="number",
        )
    if not passes_luhn(number):
        raise BadInputError(
            "There is a slip in the card number.",
            f"Please compare it digit by digit. {_USE_THIS}",
            field="number",
        )
    for card in TEST_CARDS:
        if card.number == number:
            return card
    raise BadInputError(
        "This is a test shop: it takes no real cards, and has not kept this one.",
        _USE_THIS,
        field="number",
    )


def passes_luhn(number: str) -> bool:
    """Whether the check digit at the end of a card number fits (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_EXPIRY = re.compile(
    r"(?P<month>[0-9]{1,2})\s*[/.\s-]\s*(?P<year>[0-9]{4}|[0-9]{2})"
    r"|(?P<month2>[0-9]{2})(?P<year2>[0-9]{4}|[0-9]{2})"
)


def _check_expiry(typed: str, now: datetime) -> None:
    """A card is good until the end of its month."""
    if not typed:
        raise BadInputError(
            "The expiry date is missing.",
            "Any month to come, like 12/34.",
            field="expiry",
        )
    match = _EXPIRY.fullmatch(typed)
    month = int(match["month"] or match["month2"]) if match else 0
    if not match or not 1 <= month <= 12:
        raise BadInputError(
            "This is not an expiry date.", "Month and year, like 12/34.", field="expiry"
        )
    year = int(match["year"] or match["year2"])
    today = now.astimezone(UTC)
    if (year if year > 99 else 2000 + year, month) < (today.year, today.month):
        raise BadInputError(
            "This expiry date is past.",
            "Any month to come, like 12/34.",
            field="expiry",
        )


def _check_cvc(typed: str) -> None:
    if not typed:
        raise BadInputError(
            "The security code (CVC) is missing.", "Any three digits.", field="cvc"
        )
    if not re.fullmatch(r"[0-9]{3,4}", typed):
        raise BadInputError(
            "The security code (CVC) has three or four digits.",
            "In this test shop any will do.",
            field="cvc",
        )
