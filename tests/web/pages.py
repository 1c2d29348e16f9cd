"""An example of what each template is given, as the comment at its top says."""

from dataclasses import replace
from typing import Any

from markupsafe import Markup

from handsel.ops import previewing
from handsel.sales.papers import Paper
from handsel.settings import Settings

Context = dict[str, Any]

SHOP = {
    "name": "Maud Tillery's Stall",
    "url": "https://books.example",
    "email": "maud@books.example",
    "address": "3 Thread Lane, Velden",
}

NO_CHOICE = {"asks": False, "bar": None, "google": None}
QUESTION = {"action": "/consent", "google": True, "hidden": {"back": "/p/first-coin"}}
ASKED = {"asks": True, "bar": QUESTION, "google": None}
SAID_YES = {
    "asks": True,
    "bar": None,
    "google": {"id": "G-ABC123", "client": "1.2", "page": "https://x", "keep": 99},
}

NO_COUPON = {"asked": False, "code": "", "saved": "", "typed": "", "error": ""}
COUPON = NO_COUPON | {"asked": True, "code": "SPRING25", "saved": "€3.75"}
COUPON_WRONG = NO_COUPON | {
    "asked": True,
    "typed": "<b>SPRING",
    "error": "There is no coupon “<b>SPRING” here. Check how it is written.",
}

NO_BUSINESS = {
    "asked": False,
    "number": "",
    "tax": "VAT",
    "saved": "",
    "typed": "",
    "error": "",
}
BUSINESS = NO_BUSINESS | {"asked": True, "number": "ATU13585627", "saved": "€1.36"}
BUSINESS_WRONG = NO_BUSINESS | {
    "asked": True,
    "typed": "ATU<b>",
    "error": "“ATU<b>” does not look like a VAT number.",
}

PRODUCT = {
    "name": "The First Coin",
    "headline": "The First Coin",
    "slug": "first-coin",
    "url": "/p/first-coin",
    "summary": "Small stories about handsel money, one kettle long each.",
    "description_html": Markup(
        "<p><em>Handsel</em> is the first money of the day.</p><ul><li>a baker</li></ul>"
    ),
    "contents": [],
    "editions": [],
    "currencies": [],
    "price": "€15.00",
    "old_price": "",
    "tax_note": "",
    "price_note": "",
    "open_price": None,
    "coupon": NO_COUPON,
    "business": NO_BUSINESS,
    "free": False,
    "draft": False,
    "cover_url": "/cover.png",
    "cover_width": 900,
    "cover_height": 1200,
    "formats": ["EPUB", "PDF", "TXT"],
    "files": [
        {"format": "EPUB", "name": "the-first-coin.epub", "size": "78 kB"},
        {"format": "PDF", "name": "the-first-coin.pdf", "size": "131 kB"},
    ],
    "download_limit": 5,
    "seller": "Maud Tillery",
}

CONTENTS = [
    {"name": "The First Coin", "url": "/p/first-coin", "files": PRODUCT["files"]},
    {"name": "The Draft <b>", "url": "", "files": PRODUCT["files"]},
]
CHOICES: dict[str, Any] = {
    "editions": [
        {"name": "Text", "price": "€15.00", "url": "/p/first-coin", "current": True},
        {"name": "Text <b> & code", "price": "€25.00", "url": "/p/b", "current": False},
    ],
    "currencies": [
        {"code": "EUR", "url": "/p/first-coin?currency=EUR", "current": True},
        {"code": "USD", "url": "/p/first-coin?currency=USD", "current": False},
    ],
}
ON_SALE = {
    **PRODUCT,
    "price": "€9.00",
    "old_price": "€15.00",
    "price_note": "Until 31 January 2027",
}
OPEN_PRICE: dict[str, Any] = {
    "words": "€5.00 or more",
    "currency": "EUR",
    "suggestions": [
        {"value": "10.00", "label": "€10.00", "chosen": True},
        {"value": "15.00", "label": "€15.00", "chosen": False},
    ],
    "other": "",
    "error": "",
}
OPEN = {**PRODUCT, "price": "", "open_price": OPEN_PRICE}
OPEN_WRONG = {
    **OPEN,
    "open_price": OPEN_PRICE
    | {"other": "2<b>", "error": "The price is €5.00 or more."},
}

META = {
    "url": "https://books.example/p/first-coin",
    "description": "Small stories about handsel money.",
    "image": "https://books.example/cover.png",
    "oembed_url": "https://books.example/oembed?url=first-coin",
    "amount": "15.00",
    "currency": "EUR",
    "json_ld": {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": "The First Coin",
        "offers": {"@type": "Offer", "price": "15.00", "priceCurrency": "EUR"},
    },
}

ORDER = {
    "number": "H-1042",
    "email": "ann@reader.example",
    "total": "€15.00",
    "refunded": "",
    "date": "23 November 2026",
    "card_last4": "4242",
    "statement_text": "TILLERY STALL",
    "test": True,
}

PATIENT = 3600
"""Seconds after which an example that waits for money looks again: not while a test looks."""

HIDDEN = {"nonce": "3q8f"}
FORM: Context = {"values": {}, "errors": {}, "suggestion": ""}
FORM_WRONG: Context = {
    "values": {"email": "ann@reader."},
    "errors": {
        "email": "This is not a whole e-mail address: something is missing at its end."
    },
    "suggestion": "",
}
FORM_DECLINED: Context = {
    "values": {"email": "ann@reader.example", "number": "4000 0000 0000 0002"},
    "errors": {
        "number": "The card was declined. Try another one.",
        "expiry": "This month is over.",
    },
}
FORM_TYPO: Context = {
    "values": {"email": "ann@gmial.com"},
    "errors": {},
    "suggestion": "ann@gmail.com",
}
BUTTONS = [{"provider": "test", "label": "card", "text": "Buy now"}]
CARD_AND_PAYPAL = [
    {"provider": "stripe", "label": "card", "text": "Buy with card"},
    {"provider": "paypal", "label": "PayPal", "text": "Buy with PayPal"},
]

PAYMENT = {
    "title": "The First Coin",
    "amount": "€15.00",
    "seller": "Maud Tillery's Stall",
    "action": "/test/pay/1",
    "cancel_url": "/p/first-coin?cancelled=1",
}

CARDS = [
    {"number": "4242 4242 4242 4242", "what": "pays"},
    {"number": "4000 0000 0000 0002", "what": "is declined"},
    {"number": "4000 0000 0000 9995", "what": "has not enough money"},
    {"number": "4000 0000 0000 3220", "what": "asks the bank first"},
]


def bought_file(
    number: int,
    kind: str,
    *,
    left: int = 3,
    newest: bool = True,
    news: bool = False,
) -> Context:
    """One file on the purchase page."""
    return {
        "id": number,
        "format": kind,
        "name": f"the-first-coin.{kind.lower()}",
        "size": "131 kB",
        "version": "1.2" if news else "1.1" if newest else "1.0",
        "newest": newest,
        "news": news,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "action": f"/d/token/{number}",
        "left": left,
        "running": False,
        "limit": 5,
    }


PURCHASE: Context = {
    "state": "ready",
    "order": ORDER,
    "product": PRODUCT,
    "groups": [
        {
            "name": "",
            "files": [
                bought_file(1, "EPUB"),
                bought_file(2, "PDF", left=5),
                bought_file(3, "TXT", left=0),
                bought_file(4, "PDF", left=5, newest=False),
            ],
            "news": [],
        }
    ],
    "hidden": HIDDEN,
    "papers": [{"name": "Invoice INV-17", "url": "/d/token/invoice/1"}],
    "autostart": False,
    "mail_state": "sent",
    "resend_action": "/d/token/resend",
    "address_action": "/d/token/address",
    "mendable": True,
    "address": FORM,
    "notice": "",
    "check_url": "/d/token",
    "refresh_seconds": PATIENT,
}

NEWER_FILES = [
    bought_file(5, "PDF", left=5, news=True),
    bought_file(1, "EPUB"),
    bought_file(2, "PDF", newest=False),
]
NEWS: list[Context] = [
    {
        "version": "1.2",
        "date": "2026-11-26",
        "notes_html": Markup("<p>Two mistakes mended.</p>"),
    },
    {"version": "1.1", "date": "2026-10-02", "notes_html": ""},
]

PRODUCT_PAGE: Context = {
    "free_button": "Get it free",
    "product": PRODUCT,
    "buy_action": "/buy/first-coin",
    "buttons": BUTTONS,
    "hidden": HIDDEN,
    "kept": {},
    "kept_business": {},
    "errors": {},
    "pressed": False,
    "error": None,
    "cancelled": False,
    "owned_url": None,
    "meta": META,
}

FRAMED: Context = {
    "product": PRODUCT,
    "as_card": False,
    "buy_url": "/buy/first-coin?page=ada.example/books",
    "product_url": "/p/first-coin?page=ada.example/books",
    "sold": True,
}

BUY: Context = {
    "product": PRODUCT,
    "back_url": "/p/first-coin",
    "form": FORM,
    "buy_action": "/buy/first-coin",
    "buttons": BUTTONS,
    "hidden": HIDDEN,
    "statement_text": "TILLERY STALL",
    "sums": {"before": "", "discount": "", "relief": "", "total": "€15.00"},
    "asks_email": False,
    "free": False,
    "kept": {},
    "kept_business": {},
}
LOWERED = {"before": "€15.00", "discount": "€3.75", "relief": "", "total": "€11.25"}
WITHOUT_TAX = {"before": "€15.00", "discount": "", "relief": "€1.36", "total": "€13.64"}

FREE = {**PRODUCT, "free": True, "price": "Free"}
BUY_FREE = {
    **BUY,
    "product": FREE,
    "sums": {"before": "", "discount": "", "relief": "", "total": "Free"},
    "asks_email": True,
    "free": True,
}
PAY: Context = {
    "product": PRODUCT,
    "seller": "Maud Tillery's Stall",
    "coupon": "",
    "tax_note": "Including VAT, where it is due",
    "tax_name": "VAT",
    "sums": BUY["sums"],
    "email": "",
    "unfinished": False,
    "stripe": {
        "key": "pk_test_1",
        "secret": "cs_test_1_secret_1",
        "return_url": "/return/stripe?session=cs_test_1",
        "open_url": "/pay/cs_test_1/open",
        "email_url": "/pay/cs_test_1/email",
    },
    "hosted_action": "/pay/cs_test_1/hosted",
    "cancel_url": "/p/first-coin?cancelled=1",
}
TESTPAY: Context = {
    "payment": PAYMENT,
    "form": FORM,
    "cards": CARDS,
    "hidden": HIDDEN,
}
MAIL = {
    "url": "/mailbox/1",
    "subject": "Your copy of The First Coin (order H-1042)",
    "sender": "Maud Tillery's Stall <maud@books.example>",
    "to": "ann@reader.example",
    "date": "23 November 2026, 10:04",
    "text": "Thank you. Your copy is here:\n\nhttps://books.example/d/token\n",
    "html_url": "/mailbox/1/html",
}

PAPER = Paper(
    heading="Invoice",
    number="INV-17",
    about="",
    issued="2026-11-23",
    supplied="2026-11-23",
    order="H-1042",
    seller=("Maud Tillery's Stall", "3 Thread Lane", "VAT number DE136695976"),
    buyer=("Ann <b> Reader", "France", "ann@reader.example"),
    title="The First Coin",
    net="€14.22",
    tax_label="VAT 5.5% (France)",
    tax="€0.78",
    gross="€15.00",
    notes=("Thank you for reading.",),
    test=True,
)
INVOICE: Context = {
    "paper": PAPER,
    "form": {"values": {"name": "", "address": "", "tax_number": ""}, "errors": {}},
    "fixed_number": "",
    "saved": False,
    "purchase_url": "/d/token",
    "pdf_url": "/d/token/invoice/1.pdf",
    "action": "/d/token/invoice/1",
    "hidden": HIDDEN,
}
INVOICE_WRONG: Context = {
    "values": {"name": "", "address": "<b>", "tax_number": "x" * 50},
    "errors": {
        "name": "An invoice needs a name. Yours, or your company's.",
        "address": "That is more than 500 letters. Please shorten it.",
        "tax_number": "That is more than 40 letters. Please shorten it.",
    },
}
CHECK: Context = {
    "product": PRODUCT,
    "why": "brake",
    "form": FORM,
    "action": "/check/first-coin",
    "hidden": HIDDEN,
}
CHECK_WAIT: Context = {
    "product": PRODUCT,
    "email": "ann@reader.example",
    "suggestion": "",
    "mail": "coming",
    "impatient": False,
    "minutes": 60,
    "action": "/checking/key",
    "form": FORM,
    "again": "/check/first-coin",
    "hidden": HIDDEN,
}

# name of the example -> template, what it is given
PAGES: dict[str, tuple[str, Context]] = {
    "shop": (
        "shop.html",
        {
            "products": [
                PRODUCT,
                {**PRODUCT, "name": "A Book without a Cover", "cover_url": None},
                {**FREE, "draft": True},
            ]
        },
    ),
    "shop empty": ("shop.html", {"products": []}),
    "product": ("product.html", PRODUCT_PAGE),
    "product two ways": (
        "product.html",
        {**PRODUCT_PAGE, "buttons": CARD_AND_PAYPAL, "cancelled": True},
    ),
    "product owned": ("product.html", {**PRODUCT_PAGE, "owned_url": "/d/token"}),
    "product wrong": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": {**PRODUCT, "cover_url": None},
            "error": {
                "message": "Our payment provider is slow.",
                "hint": "Try again in a minute.",
            },
        },
    ),
    "product, asks": ("product.html", {**PRODUCT_PAGE, "privacy": ASKED}),
    "consent": (
        "consent.html",
        {"question": QUESTION, "said": "yes", "refused": False, "privacy": ASKED},
    ),
    "consent, cookie alone": (
        "consent.html",
        {
            "question": QUESTION | {"google": False},
            "said": "",
            "refused": False,
            "privacy": ASKED | {"bar": None},
        },
    ),
    "consent, refused": (
        "consent.html",
        {"question": QUESTION, "said": "no", "refused": True, "privacy": ASKED},
    ),
    "consent, nothing to choose": (
        "consent.html",
        {"question": QUESTION, "said": "", "refused": False},
    ),
    "product free": ("product.html", {**PRODUCT_PAGE, "product": FREE}),
    "product on sale": ("product.html", {**PRODUCT_PAGE, "product": ON_SALE}),
    "product with coupon": (
        "product.html",
        {**PRODUCT_PAGE, "product": {**ON_SALE, "price_note": "", "coupon": COUPON}},
    ),
    "product coupon wrong": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": {**PRODUCT, "coupon": COUPON_WRONG},
            "errors": {"coupon": COUPON_WRONG["error"]},
        },
    ),
    "product with tax": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": {
                **PRODUCT,
                "tax_note": "Including VAT",
                "business": NO_BUSINESS | {"asked": True},
            },
        },
    ),
    "product for a business": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": {
                **ON_SALE,
                "business": BUSINESS,
                "tax_note": "Without VAT: reverse charge",
            },
        },
    ),
    "product business wrong": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": {**PRODUCT, "business": BUSINESS_WRONG},
            "errors": {"vat_id": BUSINESS_WRONG["error"]},
        },
    ),
    "product open price": (
        "product.html",
        {**PRODUCT_PAGE, "product": OPEN, "buttons": CARD_AND_PAYPAL},
    ),
    "product open price wrong": (
        "product.html",
        {
            **PRODUCT_PAGE,
            "product": OPEN_WRONG,
            "errors": {"amount": "The price is €5.00 or more."},
            "pressed": True,
        },
    ),
    "product of several editions and currencies": (
        "product.html",
        {**PRODUCT_PAGE, "product": {**PRODUCT, **CHOICES}},
    ),
    "product bundle": (
        "product.html",
        {**PRODUCT_PAGE, "product": {**PRODUCT, "files": [], "contents": CONTENTS}},
    ),
    "framed": ("embed.html", FRAMED),
    "framed card": ("embed.html", {**FRAMED, "as_card": True}),
    "framed free": ("embed.html", {**FRAMED, "product": {**PRODUCT, "free": True}}),
    "framed open price": ("embed.html", {**FRAMED, "product": OPEN}),
    "framed on sale": ("embed.html", {**FRAMED, "product": ON_SALE}),
    "framed with coupon": (
        "embed.html",
        {**FRAMED, "product": {**ON_SALE, "coupon": COUPON}},
    ),
    "framed coupon wrong": (
        "embed.html",
        {**FRAMED, "product": {**PRODUCT, "coupon": COUPON_WRONG}},
    ),
    "framed not for sale": ("embed.html", {**FRAMED, "sold": False}),
    "product not for sale": ("product.html", {**PRODUCT_PAGE, "buttons": []}),
    "buy": ("buy.html", BUY),
    "buy two ways": ("buy.html", {**BUY, "buttons": CARD_AND_PAYPAL}),
    "buy with coupon": (
        "buy.html",
        {**BUY, "product": {**PRODUCT, "coupon": COUPON}, "sums": LOWERED},
    ),
    "buy with a coupon of each buyer": (
        "buy.html",
        {
            **BUY,
            "product": {**PRODUCT, "coupon": COUPON},
            "sums": LOWERED,
            "asks_email": True,
        },
    ),
    "buy for a business": (
        "buy.html",
        {
            **BUY,
            "product": {**PRODUCT, "business": BUSINESS},
            "sums": WITHOUT_TAX,
        },
    ),
    "buy free": ("buy.html", BUY_FREE),
    "buy free typo": ("buy.html", {**BUY_FREE, "form": FORM_TYPO}),
    "buy free wrong": ("buy.html", {**BUY_FREE, "form": FORM_WRONG}),
    "pay": ("pay.html", PAY),
    "pay with coupon": (
        "pay.html",
        {**PAY, "coupon": "SPRING25", "sums": LOWERED, "email": "ann@reader.example"},
    ),
    "pay unfinished": ("pay.html", {**PAY, "unfinished": True}),
    "testpay": ("testpay.html", TESTPAY),
    "testpay wrong": ("testpay.html", {**TESTPAY, "form": FORM_DECLINED}),
    "testpay 3ds": ("testpay_3ds.html", {"payment": PAYMENT, "hidden": HIDDEN}),
    "processing": (
        "processing.html",
        {
            "product_name": "The First Coin",
            "email": "ann@reader.example",
            "check_url": "/return/test?session=1",
            "refresh_seconds": PATIENT,
        },
    ),
    "purchase": ("purchase.html", PURCHASE),
    "purchase news": (
        "purchase.html",
        {
            **PURCHASE,
            "groups": [{"name": "", "files": NEWER_FILES, "news": NEWS}],
        },
    ),
    "purchase of a bundle": (
        "purchase.html",
        {
            **PURCHASE,
            "autostart": True,
            "groups": [
                {"name": "Two at once", "files": [bought_file(9, "ZIP")], "news": []},
                {"name": "The First Coin", "files": NEWER_FILES, "news": NEWS},
            ],
        },
    ),
    "purchase first": (
        "purchase.html",
        {**PURCHASE, "autostart": True, "mail_state": "waiting"},
    ),
    "purchase wrong address": (
        "purchase.html",
        {**PURCHASE, "address": FORM_WRONG, "mail_state": "dead"},
    ),
    "purchase resent": (
        "purchase.html",
        {**PURCHASE, "notice": "The link is on its way to ann@reader.example."},
    ),
    "purchase processing": ("purchase.html", {**PURCHASE, "state": "processing"}),
    "purchase refunded": ("purchase.html", {**PURCHASE, "state": "refunded"}),
    "purchase revoked": ("purchase.html", {**PURCHASE, "state": "revoked"}),
    "purchase disputed": ("purchase.html", {**PURCHASE, "state": "disputed"}),
    "purchase review": ("purchase.html", {**PURCHASE, "state": "review"}),
    "purchase no files": (
        "purchase.html",
        {**PURCHASE, "groups": [{"name": "", "files": [], "news": []}]},
    ),
    "invoice": ("invoice.html", INVOICE),
    "invoice saved": ("invoice.html", {**INVOICE, "saved": True}),
    "invoice of a business": (
        "invoice.html",
        {**INVOICE, "fixed_number": "ATU13585627"},
    ),
    "invoice wrong": ("invoice.html", {**INVOICE, "form": INVOICE_WRONG}),
    "credit note": (
        "invoice.html",
        {
            **INVOICE,
            "paper": replace(
                PAPER, heading="Credit note", about="INV-17", net="", tax="", test=False
            ),
        },
    ),
    "check": ("check.html", CHECK),
    "check of a crowd": ("check.html", {**CHECK, "why": "crowd"}),
    "check wrong": ("check.html", {**CHECK, "form": FORM_WRONG}),
    "check wait": ("check_wait.html", CHECK_WAIT),
    "check typo": ("check_wait.html", {**CHECK_WAIT, "suggestion": "ann@gmail.com"}),
    **{
        f"check {mail}": (
            "check_wait.html",
            {**CHECK_WAIT, "mail": mail, "impatient": True},
        )
        for mail in ("coming", "sent", "refused", "none", "away")
    },
    "check line": (
        "check_line.html",
        {
            "product": PRODUCT,
            "turn_minutes": 4,
            "check_url": "/checking/key",
            "refresh_seconds": 60,
        },
    ),
    "check open": (
        "check_open.html",
        {"product": PRODUCT, "action": "/buy/first-coin", "hidden": HIDDEN},
    ),
    "find": ("find.html", {"form": FORM, "action": "/find", "hidden": HIDDEN}),
    "find wrong": (
        "find.html",
        {"form": FORM_WRONG, "action": "/find", "hidden": HIDDEN},
    ),
    "find sent": (
        "find_sent.html",
        {"email": "ann@reader.example", "minutes": 30, "find_url": "/find"},
    ),
    "find open": ("find_open.html", {"action": "/find/key", "hidden": HIDDEN}),
    "find list": (
        "find_list.html",
        {
            "email": "ann@reader.example",
            "find_url": "/find",
            "purchases": [
                {**ORDER, "name": "The First Coin", "url": "/d/a", "status": ""},
                {**ORDER, "name": "Second", "url": "/d/b", "status": "refunded"},
            ],
        },
    ),
    "find list empty": (
        "find_list.html",
        {"email": "ann@reader.example", "find_url": "/find", "purchases": []},
    ),
    "leave": (
        "leave.html",
        {
            "email": "ann@reader.example",
            "stopped": False,
            "mendable": True,
            "done": False,
            "action": "/u/t",
        },
    ),
    "left by bouncing": (
        "leave.html",
        {
            "email": "ann@reader.example",
            "stopped": True,
            "mendable": False,
            "done": False,
            "action": "/u/t",
        },
    ),
    "left": (
        "leave.html",
        {
            "email": "ann@reader.example",
            "stopped": True,
            "mendable": True,
            "done": True,
            "action": "/u/t",
        },
    ),
    "used up": (
        "used_up.html",
        {
            "product_name": "The First Coin",
            "order_number": "H-1042",
            "limit": 5,
            "purchase_url": "/d/token",
        },
    ),
    "error": (
        "error.html",
        {
            "status": 404,
            "message": "There is no such page.",
            "hint": "Check the link: it may have been cut in two by a mail program.",
        },
    ),
    "mailbox": ("mailbox.html", {"mails": [MAIL]}),
    "mailbox empty": ("mailbox.html", {"mails": []}),
    "mail": ("mail.html", {"mail": MAIL, "mailbox_url": "/mailbox"}),
    "mail text only": (
        "mail.html",
        {"mail": {**MAIL, "html_url": None}, "mailbox_url": "/mailbox"},
    ),
}

SETTINGS = Settings.model_validate({"shop": SHOP})

MAILS: dict[str, tuple[str, Context]] = {
    name: (
        f"mail/{name}.jinja",
        previewing.facts(SETTINGS, name, test=True) | {"shop": SHOP},
    )
    for name in previewing.NAMES
}
