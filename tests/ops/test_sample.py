"""The sample book is complete, small, and what its source says."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

from handsel.ops import sample
from tools import sample_book


def test_the_book_comes_as_epub_pdf_and_text_and_is_small() -> None:
    files = [*sample.sample_files(), sample.sample_cover()]
    assert [file.suffix for file in files] == [".epub", ".pdf", ".txt", ".png"]
    assert sum(file.stat().st_size for file in files) < 1_000_000
    assert sample.sample_cover().stat().st_size < 150_000


def test_a_reader_accepts_the_epub() -> None:
    path = sample.sample_files()[0]
    assert path.read_bytes()[30:58] == b"mimetypeapplication/epub+zip"
    with zipfile.ZipFile(path) as epub:
        assert epub.testzip() is None
        names = set(epub.namelist())
        # S314 guards against strangers' XML; this is our own.
        package = ElementTree.fromstring(epub.read("book/package.opf"))  # noqa: S314
        listed = {
            item.attrib["href"] for item in package.iter() if "href" in item.attrib
        }
        assert {f"book/{name}" for name in listed} == {
            name for name in names if name.startswith("book/")
        } - {"book/package.opf"}
        for name in names:
            if name.endswith(".xhtml"):
                ElementTree.fromstring(epub.read(name))  # noqa: S314


def test_the_kept_files_are_what_the_source_gives(tmp_path: Path) -> None:
    epub, _, text = sample.sample_files()
    source = sample_book.SOURCE.read_text("utf-8")
    assert text.read_text("utf-8") == sample_book.plain_text(source)
    sample_book.write_epub(sample_book.read_book(source), tmp_path / "again.epub")
    with zipfile.ZipFile(epub) as kept, zipfile.ZipFile(tmp_path / "again.epub") as new:
        assert {n: kept.read(n) for n in kept.namelist()} == {
            n: new.read(n) for n in new.namelist()
        }
