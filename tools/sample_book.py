"""Make the sample book: EPUB, PDF, plain text and cover picture, from its Markdown.

For developers only; the results are kept in `src/handsel/ops/sample`. The text is
`tools/the-first-coin.md`, the cover `src/handsel/ops/sample/cover.svg`. The EPUB and the
text come out the same every time; PDF and PNG depend on the browser that prints them and
on the fonts of the machine (the kept ones were set in Noto Serif).

    python tools/sample_book.py CHROMIUM
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from textwrap import dedent

from markdown_it import MarkdownIt

SOURCE = Path(__file__).with_name("the-first-coin.md")
SAMPLE = Path(__file__).parents[1] / "src/handsel/ops/sample"
MADE = datetime(2026, 11, 23, tzinfo=UTC)
IDENTIFIER = "urn:uuid:5f8f2d34-0c0f-4d4e-9a57-6a0b1e9f1c01"

BOOK_CSS = """\
body { font-family: serif; line-height: 1.5; margin: 5%; }
h1, h2 { font-weight: normal; line-height: 1.2; margin: 3em 0 1.5em; text-align: center; }
p { margin: 0; text-indent: 1.4em; }
h1 + p, h2 + p, .first { text-indent: 0; }
.title p, nav li { text-align: center; text-indent: 0; }
nav ol { list-style: none; padding: 0; }
img { display: block; height: auto; margin: 0 auto; max-height: 100vh; max-width: 100%; }
"""

PRINT_CSS = """\
@page { size: 148mm 210mm; margin: 20mm 19mm 22mm;
  @bottom-center { content: counter(page); font: 8.5pt "Noto Serif", serif; } }
@page :first { margin: 0; @bottom-center { content: none; } }
@page front { @bottom-center { content: none; } }
html { font: 12pt/1.6 "Noto Serif", Georgia, serif; }
body { margin: 0; text-align: justify; text-wrap: pretty; orphans: 2; widows: 2; }
.cover img { display: block; height: 209.9mm; object-fit: cover; width: 149mm; }
.title { page: front; break-before: page; padding-top: 52mm; text-align: center; }
.title h1 { font-size: 26pt; font-weight: 700; line-height: 1.2; margin: 0 0 4mm; }
.title p { margin: 0; text-indent: 0; }
.title p + p { margin-top: 26mm; letter-spacing: .12em; text-transform: uppercase; }
section { break-before: page; padding-top: 26mm; }
h2 { font-size: 17pt; font-style: italic; font-weight: 400; line-height: 1.25;
  margin: 0 0 13mm; text-align: center; text-wrap: balance; }
p { margin: 0; text-indent: 1.5em; }
h2 + p { text-indent: 0; }
h2 + p::first-line { font-variant-caps: small-caps; letter-spacing: .04em; }
"""


@dataclass(frozen=True)
class Chapter:
    """One chapter: its heading and its paragraphs as XHTML."""

    title: str
    body: str


@dataclass(frozen=True)
class Book:
    """The whole text, taken apart."""

    title: str
    subtitle: str
    author: str
    chapters: tuple[Chapter, ...]


def main(chromium: str) -> None:
    """Write every file of the sample book."""
    text = SOURCE.read_text("utf-8")
    book = read_book(text)
    (SAMPLE / "the-first-coin.txt").write_text(plain_text(text), "utf-8")
    take_picture(chromium, SAMPLE / "cover.svg", SAMPLE / "cover.png")
    write_epub(book, SAMPLE / "the-first-coin.epub")
    print_pdf(chromium, book, SAMPLE / "the-first-coin.pdf")


def read_book(text: str) -> Book:
    """Take the Markdown apart: title, subtitle, author, then chapters from each `##`."""
    front, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title, subtitle, author = front.strip().split("\n\n")
    markdown = MarkdownIt("commonmark", {"typographer": True}).enable(
        ["replacements", "smartquotes"]
    )
    chapters = [part.split("\n", 1) for part in parts]
    return Book(
        title.removeprefix("# "),
        subtitle,
        author.removeprefix("by "),
        tuple(Chapter(name, markdown.render(body)) for name, body in chapters),
    )


def plain_text(text: str) -> str:
    """Give the Markdown without its marks; headings underlined."""
    text = re.sub(r"\*(.+?)\*", r"_\1_", text, flags=re.DOTALL)
    return re.sub(
        r"^(#+) (.+)$",
        lambda m: m[2] + "\n" + ("=" if m[1] == "#" else "-") * len(m[2]),
        text,
        flags=re.MULTILINE,
    )


def write_epub(book: Book, path: Path) -> None:
    """Write an EPUB 3: the media type first and not compressed (OCF 3.3, 4.2.2)."""
    with zipfile.ZipFile(path, "w") as epub:
        _put(epub, "mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in epub_files(book).items():
            _put(epub, name, content, zipfile.ZIP_DEFLATED)


def _put(epub: zipfile.ZipFile, name: str, content: str | bytes, how: int) -> None:
    entry = zipfile.ZipInfo(name, MADE.timetuple()[:6])
    entry.compress_type = how
    entry.external_attr = 0o644 << 16
    epub.writestr(entry, content)


def epub_files(book: Book) -> dict[str, str | bytes]:
    """Everything in the EPUB but its media type: file name to content."""
    container = """\
        <?xml version="1.0" encoding="UTF-8"?>
        <container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
        <rootfiles><rootfile full-path="book/package.opf"
        media-type="application/oebps-package+xml"/></rootfiles></container>
        """
    files: dict[str, str | bytes] = {
        "META-INF/container.xml": dedent(container),
        "book/package.opf": epub_package(book),
        "book/book.css": BOOK_CSS,
        "book/cover.png": (SAMPLE / "cover.png").read_bytes(),
        "book/cover.xhtml": page("Cover", f'<img src="cover.png" alt="{_alt(book)}"/>'),
        "book/title.xhtml": page(book.title, title_page(book)),
        "book/nav.xhtml": page("Contents", contents(book)),
    }
    for number, chapter in enumerate(book.chapters, 1):
        body = f"<h2>{escape(chapter.title)}</h2>\n{chapter.body}"
        files[f"book/chapter-{number}.xhtml"] = page(chapter.title, body)
    return files


def page(title: str, body: str) -> str:
    """One XHTML page of the EPUB."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en"'
        ' xmlns:epub="http://www.idpf.org/2007/ops">\n'
        f"<head><title>{escape(title)}</title>"
        '<link rel="stylesheet" href="book.css"/></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def title_page(book: Book) -> str:
    """Title, subtitle and author."""
    return (
        f'<div class="title"><h1>{escape(book.title)}</h1>\n'
        f"<p><em>{escape(book.subtitle)}</em></p>\n<p>{escape(book.author)}</p></div>"
    )


def contents(book: Book) -> str:
    """The table of contents, as EPUB 3 wants it."""
    items = "\n".join(
        f'<li><a href="chapter-{number}.xhtml">{escape(chapter.title)}</a></li>'
        for number, chapter in enumerate(book.chapters, 1)
    )
    return f'<nav epub:type="toc"><h2>Contents</h2>\n<ol>\n{items}\n</ol></nav>'


def epub_package(book: Book) -> str:
    """The package document: what the book is, which files it has, in which order."""
    pages = ["cover", "title", "nav"]
    pages += [f"chapter-{number}" for number in range(1, len(book.chapters) + 1)]
    nav = ' properties="nav"'
    manifest = "\n".join(
        f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"'
        f"{nav if name == 'nav' else ''}/>"
        for name in pages
    )
    spine = "\n".join(f'<itemref idref="{name}"/>' for name in pages)
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"
 xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{IDENTIFIER}</dc:identifier>
<dc:title>{escape(book.title)}</dc:title>
<dc:creator>{escape(book.author)}</dc:creator>
<dc:description>{escape(book.subtitle)}</dc:description>
<dc:language>en</dc:language>
<dc:rights>CC0 1.0</dc:rights>
<meta property="dcterms:modified">{MADE:%Y-%m-%dT%H:%M:%SZ}</meta>
</metadata>
<manifest>
<item id="css" href="book.css" media-type="text/css"/>
<item id="cover-picture" href="cover.png" media-type="image/png"
 properties="cover-image"/>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def print_pdf(chromium: str, book: Book, path: Path) -> None:
    """Set the book as A5 pages."""
    sections = "".join(
        f"<section><h2>{escape(chapter.title)}</h2>{chapter.body}</section>"
        for chapter in book.chapters
    )
    cover = f'<img src="{(SAMPLE / "cover.svg").as_uri()}" alt="{_alt(book)}">'
    html = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(book.title)}</title><style>{PRINT_CSS}</style>"
        f'<div class="cover">{cover}</div>{title_page(book)}{sections}</html>'
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "book.html")
        source.write_text(html, "utf-8")
        _browse(
            chromium,
            f"--print-to-pdf={path}",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            source.as_uri(),
        )


def take_picture(chromium: str, drawing: Path, path: Path) -> None:
    """Paint the cover, 900 x 1200 pixels."""
    _browse(
        chromium,
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--window-size=900,1200",
        f"--screenshot={path}",
        drawing.as_uri(),
    )


def _alt(book: Book) -> str:
    return escape(f"Cover of {book.title} by {book.author}")


def _browse(chromium: str, *arguments: str) -> None:
    # Only files of our own are opened, so the browser's sandbox has nothing to guard.
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", *arguments]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python tools/sample_book.py CHROMIUM")
    main(sys.argv[1])
