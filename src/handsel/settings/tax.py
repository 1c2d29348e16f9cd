"""What of a price is tax, and what stands on an invoice."""

from collections.abc import Collection
from typing import Literal

from pydantic import Field

from handsel.kit.money import is_country
from handsel.settings.section import Section


class TaxSettings(Section):
    """Which tax is in your prices. Nobody pays more for it: prices contain it."""

    mode: Literal["none", "flat", "eu", "stripe"] = Field(
        "none",
        title="How tax is worked out",
        description="`none`; `flat`, one rate for everybody; `eu`, VAT by the buyer's "
        "country, for sellers who use the One Stop Shop; `stripe`, worked out by Stripe "
        "Tax. See the chapter Tax before you choose.",
    )
    name: str = Field(
        "VAT",
        title="Name of the tax",
        description="What the tax is called on pages, mails and invoices.",
        min_length=1,
        max_length=20,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["VAT", "GST"],
    )
    rate: str = Field(
        "",
        title="Rate in percent",
        description="The rate of `flat` in percent, for instance `19` or `8.1`.",
        pattern=r"^(\d{1,2}(\.\d{1,2})?)?$",
        examples=["19", "8.1"],
    )
    country: str = Field(
        "",
        title="Your country",
        description="Your own country, as two letters; `eu` needs it.",
        pattern=r"^([A-Z]{2})?$",
        examples=["AT"],
    )
    one_stop_shop: bool = Field(
        True,
        title="You use the One Stop Shop",
        description="Whether you use the EU's One Stop Shop. If not, because you sell for "
        "less than the threshold to other EU countries, `eu` takes your own country's rate "
        "of all consumers in the EU.",
    )
    number: str = Field(
        "",
        title="Your VAT or tax number",
        description="Your own VAT or tax number, as it should stand on invoices.",
        max_length=40,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["ATU12345675"],
    )

    vies_base: str = Field(
        "",
        title="Another address of the register of VAT numbers",
        description="Another address of the EU's register of VAT numbers; only with "
        "HANDSEL_ENV=test.",
    )

    @property
    def basis_points(self) -> int:
        """The rate of `flat`; 1,900 is 19 %."""
        whole, _, part = self.rate.partition(".")
        return int(whole or 0) * 100 + int(part.ljust(2, "0") or 0)


class InvoiceSettings(Section):
    """What stands on invoices and credit notes beside the purchase itself."""

    prefix: str = Field(
        "INV-",
        title="Numbers of invoices begin with",
        description="What the numbers of invoices begin with. Another prefix begins to "
        "count anew.",
        max_length=20,
        pattern=r"^[A-Za-z0-9/._-]*$",
        examples=["INV-", "2027-"],
    )
    credit_prefix: str = Field(
        "CN-",
        title="Numbers of credit notes begin with",
        description="What the numbers of credit notes begin with; not the same.",
        max_length=20,
        pattern=r"^[A-Za-z0-9/._-]*$",
        examples=["CN-"],
    )
    first: int = Field(
        1,
        title="Number of the first invoice",
        description="The number the first invoice with this prefix has, for instance to "
        "go on from another system; of no effect on one that is in use.",
        ge=1,
        le=99_999_999,
    )
    seller: str = Field(
        "",
        title="Your legal name on invoices",
        description="Your legal name on invoices, where it is not `shop.name`.",
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["Ada Byron Ltd"],
    )
    note: str = Field(
        "",
        title="Sentence at the foot of invoices",
        description="A sentence at the foot of every invoice, for instance why there is "
        "no tax on it.",
        max_length=500,
    )


def problems(
    tax: TaxSettings, invoice: InvoiceSettings, providers: Collection[str]
) -> list[str]:
    """Say what is wrong between settings that are each right by themselves."""
    found = []
    if tax.mode == "flat" and not tax.rate:
        found.append("tax.rate: the flat mode needs the rate in percent.")
    if tax.mode == "eu" and not tax.country:
        found.append("tax.country: the eu mode needs your own country.")
    if tax.country and not is_country(tax.country):
        found.append(f"tax.country: {tax.country} is no country of ISO 3166.")
    if tax.mode == "stripe" and set(providers) - {"stripe", "test"}:
        found.append(
            "tax.mode: Stripe works out the tax of payments by Stripe alone; choose "
            "another mode, or let payments.enabled name nothing but stripe."
        )
    return found + _prefix_problems(invoice)


def _prefix_problems(invoice: InvoiceSettings) -> list[str]:
    """Refuse prefixes by which two papers could be called the same."""
    prefixes = {
        "invoice.prefix": invoice.prefix,
        "invoice.credit_prefix": invoice.credit_prefix,
    }
    found = [
        f"{name}: it should neither end in a digit nor begin with TEST-."
        for name, prefix in prefixes.items()
        if prefix[-1:].isdigit() or prefix.upper().startswith("TEST-")
    ]
    if invoice.prefix.upper() == invoice.credit_prefix.upper():
        found.append(
            "invoice.credit_prefix: it should differ from invoice.prefix, because each "
            "of them counts by itself."
        )
    return found
