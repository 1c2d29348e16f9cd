"""The sample book that a throw-away shop sells, ready as files.

The book was written for this project and is in the public domain (CC0 1.0). The files
are made by `tools/sample_book.py`.
"""

from pathlib import Path

SAMPLE_TITLE = "The First Coin"
SITE_SHOP = "http://127.0.0.1:8000"

SAMPLE_DESCRIPTION = """\
*Handsel* is the first money of the day: the penny that comes across the counter before
any other penny, when the bread is still too hot to cut. It was never worth more than
another coin. It was only *first*, and to be first is a kind of work.

Five small stories about that coin, told by a niece whose aunt kept a stall:

- a baker whose worst loaf is the first to go,
- a ferryman with a fare that is owing until spring,
- a market day on which nobody will be the first to buy,
- a lamp mender who has to be her own customer,
- and a coin that went out to see the world, and came home.

You can read one while a kettle boils. **By Maud Tillery.** 15 pages, in the public domain
(CC0).
"""

_FOLDER = Path(__file__).parent


def sample_files() -> list[Path]:
    """The book in each of its formats: EPUB first, then PDF and plain text."""
    return [_FOLDER / f"the-first-coin{end}" for end in (".epub", ".pdf", ".txt")]


def sample_cover() -> Path:
    """The cover as a PNG of 900 x 1200 pixels."""
    return _FOLDER / "cover.png"


def sample_site() -> list[Path]:
    """The files of a web site of its author's, which sells the book from its own pages.

    It names the shop by `SITE_SHOP`, to be replaced by where the shop is.
    """
    return [*sorted((_FOLDER / "site").iterdir()), sample_cover()]
