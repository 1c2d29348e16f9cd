"""Slugs, addresses and file names come out usable, whatever was typed."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.kit.errors import BadInputError
from handsel.kit.text import (
    check_slug,
    content_disposition,
    email_key,
    human_size,
    normalise_email,
    safe_filename,
    slugify,
    suggest_email,
)

# A text of any kind, half surrogates included, as a hostile client sends it.
any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Writing Idiomatic Python", "writing-idiomatic-python"),
        ("Café au lait!", "cafe-au-lait"),
        ("  A -- B  ", "a-b"),
        ("Don't Panic", "dont-panic"),
        ("Straße & Øre", "strasse-ore"),
        ("Łódź", "lodz"),
        ("C++ in 21 days", "c-in-21-days"),
        ("\N{LATIN SMALL LIGATURE FI}ne", "fine"),
        ("word " * 20, "word-word-word-word-word-word-word-word-word-word-word-word"),
        ("x" * 80, "x" * 60),
        ("x" * 29 + " " + "y" * 30 + " z", "x" * 29 + "-" + "y" * 30),
    ],
)
def test_a_title_becomes_a_slug(title: str, slug: str) -> None:
    assert slugify(title) == slug


@pytest.mark.parametrize("title", ["كتاب الطبخ", "食谱", "🍰", "!!!", "", "\ud800"])
def test_a_title_without_latin_letters_gets_a_lasting_slug(title: str) -> None:
    assert re.fullmatch(r"item-[0-9a-f]{8}", slugify(title))
    assert slugify(title) == slugify(title)


def test_two_chinese_books_have_two_slugs() -> None:
    assert slugify("食谱") != slugify("小说")


@given(any_text)
def test_every_slug_we_make_is_one_we_accept(title: str) -> None:
    assert check_slug(slugify(title)) == slugify(title)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("My Book", "Try: my-book"),
        ("my--book", "Try: my-book"),
        ("-book", "Try: book"),
        ("../etc/passwd", "Try: etc-passwd"),
        ("book\n", "Try: book"),
        ("", "Try: my-book"),
        ("a" * 61, "Try: " + "a" * 60),
    ],
)
def test_a_slug_no_url_can_carry_is_refused_with_one_that_can(
    typed: str, hint: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        check_slug(typed)
    assert caught.value.hint == hint
    assert caught.value.field == "slug"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (" Ann.B+books@Example.COM \n", "Ann.B+books@example.com"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("x@BÜCHER.example.de", "x@bücher.example.de"),
        ("x@xn--bcher-kva.de", "x@bücher.de"),
        ("jo\u0308rg@example.com", "jörg@example.com"),
    ],
)
def test_an_address_is_written_in_one_way(typed: str, written: str) -> None:
    assert normalise_email(typed) == written
    assert normalise_email(written) == written


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "Type the one you read."),
        ("ann", "no @ in it"),
        ("ann@", "It should look like"),
        ("@example.com", "It should look like"),
        ("ann@example", "It should look like"),
        ("ann@@example.com", "It should look like"),
        ("ann@example..com", "It should look like"),
        ("ann@[127.0.0.1]", "It should look like"),
        ("ann@example.com, bob@example.com", "Type one address"),
        ("Ann <ann@example.com>", "Type one address"),
        ("ann@example.com\nBcc: x@y.z", "Type one address"),
        ("ann\0@example.com", "It should look like"),
        ("x" * 65 + "@example.com", "It should look like"),
        ("x@" + "y" * 5000 + ".com", "It should look like"),
    ],
)
def test_what_is_no_address_is_refused_kindly(typed: str, hint: str) -> None:
    with pytest.raises(BadInputError) as caught:
        normalise_email(typed)
    assert hint in caught.value.hint
    assert caught.value.field == "email"


@given(st.one_of(any_text, any_text.map(lambda text: f"{text}@example.com")))
def test_anything_typed_is_an_address_or_a_sentence(typed: str) -> None:
    try:
        address = normalise_email(typed)
    except BadInputError as error:
        assert error.field == "email"  # noqa: PT017 - most texts are refused, some not
    else:
        assert not re.search(r"[\s\x00-\x1f\x7f]", address)


def test_two_spellings_of_an_address_are_one_customer() -> None:
    assert email_key(" Ann@Example.COM") == email_key("ann@example.com")
    assert email_key("JO\u0308RG@example.com") == email_key("jörg@example.com")
    assert email_key("ann@example.com") != email_key("anne@example.com")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ann@gmial.com", "ann@gmail.com"),
        ("Ann@GMAI.com", "Ann@gmail.com"),
        ("ann@gnail.com", "ann@gmail.com"),
        ("ann@gmail.con", "ann@gmail.com"),
        ("ann@gmail.co", "ann@gmail.com"),
        ("ann@gamil.cmo", "ann@gmail.com"),
        ("ann@hotnail.com", "ann@hotmail.com"),
        ("ann@htomial.com", "ann@hotmail.com"),
        ("ann@outlok.com", "ann@outlook.com"),
        ("ann@yaho.com", "ann@yahoo.com"),
        ("ann@iclod.com", "ann@icloud.com"),
        ("ann@protonmial.com", "ann@protonmail.com"),
    ],
)
def test_a_mistyped_provider_is_noticed(typed: str, meant: str) -> None:
    assert suggest_email(typed) == meant


REAL = """
gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.ca ymail.com
hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.ca hotmail.ch hotmail.cz hotmail.es
outlook.com outlook.de outlook.fr outlook.cz outlook.cl live.com msn.com icloud.com me.com
mac.com aol.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de mail.com mail.ru yandex.ru
email.com orange.fr free.fr wanadoo.fr libero.it comcast.net qq.com 163.com protonmail.com
protonmail.ch proton.me pm.me fastmail.com fastmail.fm t-online.de online.de zoho.com hey.com
posteo.de mailbox.org example.com example.org rocketmail.com inbox.com cloud.com
snail.com postmail.com
"""


@pytest.mark.parametrize("domain", REAL.split())
def test_a_real_provider_is_never_doubted(domain: str) -> None:
    assert suggest_email(f"ann@{domain}") is None


@pytest.mark.parametrize("typed", ["", "ann", "@gmial.com", "ann@", "ann@.", "@"])
def test_half_an_address_gets_no_hint(typed: str) -> None:
    assert suggest_email(typed) is None


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("book.pdf", "book.pdf"),
        ("My Book, 2nd edition.epub", "My Book, 2nd edition.epub"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\book.pdf", "book.pdf"),
        ("a\0b\r\nc.pdf", "ab c.pdf"),
        ("book.pdf. . ", "book.pdf"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("", "file"),
        ("book/", "file"),
        ('what? "this": <*>|.pdf', "what_ _this__ ____.pdf"),
        ("CON", "_CON"),
        ("con.pdf", "_con.pdf"),
        ("nul .txt", "_nul.txt"),
        ("LPT¹.txt", "_LPT¹.txt"),
        ("console.log", "console.log"),
        ("كتاب الطبخ.pdf", "كتاب الطبخ.pdf"),
        ("👩\u200d🍳 Rezepte.epub", "👩\u200d🍳 Rezepte.epub"),
        ("evil\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", "evilfdp.exe"),
        ("cafe\u0301.pdf", "café.pdf"),
        ("half \ud800.pdf", "half.pdf"),
        ("two \x1b\x85spaces.pdf", "two spaces.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("ß" * 300 + ".tar.gz", "ß" * 98 + ".gz"),
        ("x." + "y" * 300, "x." + "y" * 198),
    ],
)
def test_a_file_keeps_what_any_disk_takes_of_its_name(
    given_name: str, safe: str
) -> None:
    assert safe_filename(given_name) == safe


@given(any_text)
def test_every_name_is_safe_and_stays_so(text: str) -> None:
    name = safe_filename(text)
    assert 0 < len(name.encode()) <= 200
    assert not re.search(r'[\x00-\x1f\x7f/\\<>:"|?*]', name)
    assert name.strip(" .") == name
    assert safe_filename(name) == name


def test_a_plain_name_needs_one_form_only() -> None:
    assert content_disposition("book.pdf") == 'attachment; filename="book.pdf"'


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Café & Straße.pdf", "Cafe & Strasse.pdf"),
        ("كتاب.pdf", "file.pdf"),
        ("100% true.pdf", "100_ true.pdf"),
        ("🍰.epub", "file.epub"),
    ],
)
def test_a_name_in_other_letters_has_a_twin_in_ascii(name: str, twin: str) -> None:
    header = content_disposition(name)
    assert header.startswith(f"attachment; filename=\"{twin}\"; filename*=UTF-8''")
    assert unquote(header.partition("''")[2]) == name


@given(any_text)
def test_no_name_breaks_out_of_the_header(text: str) -> None:
    header = content_disposition(text)
    assert re.fullmatch(
        r'attachment; filename="[^"\\\x00-\x1f\x7f-\U0010ffff]+"'
        r"(; filename\*=UTF-8''[A-Za-z0-9._~%-]+)?",
        header,
    )


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1449, "1.4 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1 MB"),
        (1_400_000, "1.4 MB"),
        (23_560_000, "23.6 MB"),
        (5_000_000_000, "5 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_said_as_people_do(size: int, said: str) -> None:
    assert human_size(size) == said


def test_nfc_is_what_names_are_kept_in() -> None:
    assert unicodedata.is_normalized("NFC", safe_filename("e\u0301.pdf"))
