"""Papers as PDF: what stands on them can be read, and what buyers type cannot stall a shop."""

import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from types import FrameType

import pytest
from pypdf import PdfReader

from handsel.ops import paperpdf
from handsel.sales.papers import Paper

PAPER = Paper(
    heading="Invoice",
    number="INV-17",
    about="",
    issued="2026-11-27",
    supplied="2026-11-26",
    order="H-1001",
    seller=("Ada Press", "1 Mill Lane", "ada@example.com"),
    buyer=("Grace Reader", "reader@example.com"),
    title="The Book",
    net="€12.61",
    tax_label="VAT 19%",
    tax="€2.39",
    gross="€15.00",
    notes=("Thank you.",),
    test=False,
)
LONG = 500
"""How long an address may be, and about how long a note is."""


def pages(paper: Paper) -> list[list[str]]:
    """Give what stands on each page of a paper, as somebody copies it."""
    read = PdfReader(BytesIO(paperpdf.render(paper)))
    return [page.extract_text().splitlines() for page in read.pages]


def lines(paper: Paper) -> list[str]:
    """Give what stands on a paper that has one page."""
    [page] = pages(paper)
    return page


def made_out(*buyer: str) -> Paper:
    """A paper for somebody with this name and address."""
    return replace(PAPER, buyer=buyer)


def between(found: list[str], before: str, after: str) -> list[str]:
    """Give the lines below one and above another."""
    return found[found.index(before) + 1 : found.index(after)]


def buyer_of(paper: Paper) -> list[str]:
    """Give the lines in which a buyer stands, each in whatever fonts it is set."""
    [page] = PdfReader(BytesIO(paperpdf.render(paper))).pages
    found: dict[float, str] = {}

    def note(text: str, _: object, place: list[float], *font: object) -> None:
        if text.strip("\n"):
            found[place[5]] = found.get(place[5], "") + text.strip("\n")

    page.extract_text(visitor_text=note)
    return between(list(found.values()), "Invoice INV-17", "Date2026-11-27")


def test_what_stands_on_a_paper_stands_in_the_pdf_in_its_order() -> None:
    assert lines(PAPER) == [
        *("Ada Press", "1 Mill Lane", "ada@example.com", "Invoice INV-17"),
        *("Grace Reader", "reader@example.com"),
        *("Date", "2026-11-27", "Paid", "2026-11-26", "Order", "H-1001"),
        *("The Book", "€12.61", "VAT 19%", "€2.39", "Total", "€15.00", "Thank you."),
    ]


def test_a_credit_note_names_its_invoice_and_a_test_says_so() -> None:
    found = lines(replace(PAPER, heading="Credit note", about="INV-9", test=True))

    assert between(found, "ada@example.com", "Grace Reader") == [
        *("TEST", "Credit note INV-17", "For invoice INV-9")
    ]
    assert "Money moved" in found
    assert "Paid" not in found


def test_the_same_words_give_the_same_bytes() -> None:
    assert paperpdf.render(PAPER) == paperpdf.render(PAPER)


def test_words_are_kept_whole_and_every_line_but_the_last_is_full() -> None:
    note = " ".join(f"word{n}" for n in range(60))

    first, *rest = found = between(
        lines(replace(PAPER, notes=(note, "End"))), "€15.00", "End"
    )

    assert " ".join(found) == note
    assert len(first) > 80
    assert all(line.startswith("word") for line in rest)


def test_one_endless_word_is_cut_and_loses_nothing() -> None:
    word = "".join(chr(ord("a") + n % 26) for n in range(LONG))

    name, *address = buyer_of(made_out("Grace", f"To {word}"))

    assert name == "Grace"
    assert address[0] == "To"
    assert "".join(address[1:]) == word
    assert len(address) < 12


@pytest.mark.parametrize(
    "letters",
    [
        "東京都千代田区丸の内",
        "ひらがなとカタカナ",
        "서울특별시종로구",
        "北京市，上海市。",
    ],
)
def test_chinese_japanese_and_korean_fill_lines_and_break_anywhere(
    letters: str,
) -> None:
    address = (letters * LONG)[:LONG]

    _, *found = buyer_of(made_out("Grace", f"Room 7 {address}"))

    assert found[0].startswith(f"Room 7 {letters}")
    assert "".join(found) == f"Room 7 {address}"
    assert len({len(line) for line in found[1:-1]}) == 1


def test_arabic_is_joined_and_set_from_the_right() -> None:
    [set_as] = buyer_of(made_out("مكتبة السلام"))

    assert set_as != "مكتبة السلام"
    assert as_typed(set_as) == "مكتبة السلام"


def as_typed(line: str) -> str:
    """Take joined letters apart again; pypdf reads what is set from the right as such."""
    return unicodedata.normalize("NFKC", line)


def test_arabic_and_hebrew_on_many_lines_lose_nothing() -> None:
    for words in ("مكتبة السلام في المدينة ", "ספר טוב ברחוב הראשי "):
        text = (words * LONG)[:LONG].strip()

        found = buyer_of(made_out(*[text]))

        assert len(found) > 2
        assert " ".join(map(as_typed, found)) == text


def test_scripts_mix_on_one_line() -> None:
    [found] = buyer_of(made_out("Haus 5, 東京, שלום"))

    assert found == "Haus 5, 東京, שלום"


def test_many_lines_go_on_on_a_second_page() -> None:
    every = [f"Line {n}" for n in range(60)]

    first, second = pages(made_out(*every))

    assert [line for line in first + second if line.startswith("Line ")] == every
    assert first[-1].startswith("Line ")
    assert second[-1] == "Thank you."


def test_parts_that_are_empty_take_no_line() -> None:
    bare = replace(PAPER, buyer=(), notes=(), net="", tax_label="", tax="")

    assert lines(bare) == [
        *("Ada Press", "1 Mill Lane", "ada@example.com", "Invoice INV-17"),
        *("Date", "2026-11-27", "Paid", "2026-11-26", "Order", "H-1001"),
        *("The Book", "€15.00", "Total", "€15.00"),
    ]
    assert lines(replace(bare, buyer=("", " "), notes=("",))) == lines(bare)


def test_markup_in_a_name_is_only_letters() -> None:
    name = r"<b>Grace</b> &amp; Co. <script> (a) \n ) Tj %s {0}"

    assert buyer_of(made_out(name)) == [name]


def test_a_letter_that_no_font_has_is_a_white_square() -> None:
    assert buyer_of(made_out("Grace \N{GRINNING FACE}\N{MUSICAL SYMBOL G CLEF}")) == [
        "Grace □□"
    ]


WORST: dict[str, Callable[[int], str]] = {
    "Latin": lambda many: "W" * many,
    "Chinese": lambda many: "".join(chr(0x4E00 + n) for n in range(many)),
    "Korean": lambda many: "한" * many,
    "Arabic": lambda many: "ب" * many,
    "Hebrew": lambda many: "ש" * many,
    "nobody's": lambda many: "\N{GRINNING FACE}" * many,
    "mixed": lambda many: "aب語" * (many // 3),
    "short words": lambda many: "ب " * (many // 2),
}


@pytest.mark.parametrize("script", WORST)
def test_twice_as_many_letters_are_no_more_than_twice_the_work(script: str) -> None:
    paperpdf.render(PAPER)  # loads the fonts
    make = WORST[script]

    none, half, whole = (
        calls(made_out(make(many * 2 // 5), make(many)))
        for many in (0, LONG // 2, LONG)
    )

    assert whole - none < 2.3 * (half - none)
    assert whole - none < 150 * LONG


def calls(paper: Paper) -> int:
    """Count the functions that are called to set a paper."""
    count = 0

    def note(frame: FrameType, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        paperpdf.render(paper)
    finally:
        sys.setprofile(None)
    return count
