"""An invoice or a credit note as a PDF: the words of `Paper`, set on pages of A4.

Letters that DejaVu lacks (Chinese, Japanese, Korean) are left to the reader's own fonts,
as PDF provides for; what is written from right to left is put in order here, because
ReportLab sets letters as they come.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import bidirectional

from handsel.sales.papers import Paper

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 595.28, 841.89  # A4 in points
EDGE = 62.0
RIGHT = WIDTH - EDGE
SMALL, NORMAL, LARGE = 8.5, 10.0, 20.0
LEADING = 1.45
SOFT, INK, LINE = (0.36, 0.38, 0.40), (0.14, 0.15, 0.16), (0.80, 0.78, 0.74)


def render(paper: Paper) -> bytes:
    """Set a paper; the same words give the same bytes."""
    # Loading it takes a third of a second, which only this needs.
    from reportlab.pdfgen.canvas import Canvas

    target = BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT), invariant=1, lang="en")
    canvas.setTitle(f"{paper.heading} {paper.number}")
    canvas.setAuthor(paper.seller[0])
    _set(_Sheet(canvas), paper)
    canvas.save()
    return target.getvalue()


def _set(sheet: "_Sheet", paper: Paper) -> None:
    sheet.block(paper.seller, right=True)
    sheet.gap(30)
    if paper.test:
        sheet.line("TEST", size=NORMAL, bold=True)
    sheet.line(f"{paper.heading} {paper.number}", size=LARGE, bold=True)
    if paper.about:
        sheet.line(f"For invoice {paper.about}")
    sheet.gap(14)
    sheet.block(paper.buyer)
    sheet.gap(14)
    moved = "Money moved" if paper.about else "Paid"
    for what, when in (("Date", paper.issued), (moved, paper.supplied)):
        sheet.pair(what, when)
    sheet.pair("Order", paper.order)
    sheet.gap(22)
    sheet.sum(paper.title, paper.net or paper.gross)
    if paper.tax:
        sheet.sum(paper.tax_label, paper.tax)
    sheet.sum("Total", paper.gross, bold=True)
    sheet.gap(22)
    for note in paper.notes:
        sheet.line(note, size=SMALL, soft=True)


class _Sheet:
    """A page that is filled from the top, and goes on on another when it is full."""

    def __init__(self, canvas: "Canvas") -> None:
        self._canvas = canvas
        self._top = HEIGHT - EDGE

    def gap(self, points: float) -> None:
        self._top -= points

    def line(
        self, text: str, *, size: float = NORMAL, bold: bool = False, soft: bool = False
    ) -> None:
        """Set words on as many lines as they need."""
        for each in _wrapped(text, size, RIGHT - EDGE, bold):
            self._step(size)
            self._put(EDGE, each, size, bold=bold, soft=soft)

    def block(self, lines: tuple[str, ...], *, right: bool = False) -> None:
        """Set the lines of a name and address, the first of them bold."""
        left = EDGE + 240 if right else EDGE
        for number, text in enumerate(lines):
            for each in _wrapped(text, NORMAL, RIGHT - left, number == 0):
                self._step(NORMAL)
                self._put(left, each, NORMAL, bold=number == 0)

    def pair(self, what: str, value: str) -> None:
        self._step(NORMAL)
        self._put(EDGE, what, NORMAL, soft=True)
        self._put(EDGE + 90, _shaped(value), NORMAL)

    def sum(self, what: str, amount: str, *, bold: bool = False) -> None:
        """Set a line of the sum above a thin rule, the amount at the right edge."""
        amount = _shaped(amount)
        for number, each in enumerate(_wrapped(what, NORMAL, 340, bold)):
            self._step(NORMAL)
            self._put(EDGE, each, NORMAL, bold=bold)
            if number == 0:
                room = _width(amount, bold) * NORMAL
                self._put(RIGHT - room, amount, NORMAL, bold=bold)
        self.gap(6)
        self._canvas.setStrokeColorRGB(*LINE)
        self._canvas.line(EDGE, self._top, RIGHT, self._top)
        self.gap(4)

    def _step(self, size: float) -> None:
        self._top -= size * LEADING
        if self._top < EDGE:
            self._canvas.showPage()
            self._top = HEIGHT - EDGE

    def _put(
        self,
        left: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        soft: bool = False,
    ) -> None:
        self._canvas.setFillColorRGB(*(SOFT if soft else INK))
        for font, run, wide in _runs(_ordered(text), bold):
            self._canvas.setFont(font, size)
            self._canvas.drawString(left, self._top, run)
            left += wide * size


def _wrapped(text: str, size: float, room: float, bold: bool) -> Iterator[str]:
    """Break words into lines that fit; a word that is longer than a line is cut.

    Chinese, Japanese and Korean break at any letter. Buyers type what is set here, so
    each letter is measured once or twice, however long the word it is in.
    """
    most = room / size
    line, used = "", 0.0
    for part in _parts(_shaped(text)):
        wide = _width(part, bold)
        if used + wide <= most:
            line, used = line + part, used + wide
            continue
        if line:
            yield line
        *full, line = _cut(part.lstrip(), most, bold)
        yield from full
        used = _width(line, bold)
    if line:
        yield line


def _parts(text: str) -> list[str]:
    """Give what may begin a line, each with the space in front of it."""
    far = "".join(f"{chr(part[0])}-{chr(part[-1])}" for part in _FAR)
    return re.findall(f" ?[{far}]| ?[^ {far}]+", " ".join(text.split()))


def _cut(word: str, most: float, bold: bool) -> Iterator[str]:
    """Cut a word into as much as fits on each line; the last may have room left."""
    begin, used = 0, 0.0
    for here, letter in enumerate(word):
        wide = _set_as(letter, bold).wide
        if used + wide > most:
            yield word[begin:here]
            begin, used = here, 0.0
        used += wide
    yield word[begin:]


def _width(text: str, bold: bool) -> float:
    """Say how wide letters are at size 1."""
    return sum(_set_as(letter, bold).wide for letter in text)


def _shaped(text: str) -> str:
    """Join letters as Arabic joins them: in the whole of a text, wherever it breaks."""
    if _is_leftward(text):
        from arabic_reshaper import reshape

        return str(reshape(text))
    return text


def _ordered(line: str) -> str:
    """Put the letters of a line in the order they are seen in."""
    if _is_leftward(line):
        from bidi import get_display

        return str(get_display(line))
    return line


def _is_leftward(text: str) -> bool:
    return any(bidirectional(letter) in ("R", "AL") for letter in text)


def _runs(text: str, bold: bool) -> Iterator[tuple[str, str, float]]:
    """Part a line by the font that has its letters; say how wide each run is at size 1."""
    signs = [_set_as(letter, bold) for letter in text]
    for font, group in groupby(signs, lambda sign: sign.font):
        run = list(group)
        yield font, "".join(sign.shown for sign in run), sum(sign.wide for sign in run)


class _Sign(NamedTuple):
    """What is set for a letter. `wide`: at size 1."""

    font: str
    shown: str
    wide: float


@lru_cache(4096)
def _set_as(letter: str, bold: bool) -> _Sign:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    font, shown = _fonts().of(letter, bold), letter
    if not font:
        font, shown = "Sans", "\N{WHITE SQUARE}"
    return _Sign(font, shown, float(stringWidth(shown, font, 1)))


class _Fonts:
    """The fonts that are known to ReportLab, and which of them has a letter."""

    def __init__(self) -> None:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfbase.ttfonts import TTFont

        folder = files("handsel").joinpath("static/vendor/dejavu-2.37.1")
        names = {"Sans": "DejaVuSans.ttf", "Sans-Bold": "DejaVuSans-Bold.ttf"}
        fonts = {
            name: TTFont(name, BytesIO(folder.joinpath(file).read_bytes()))
            for name, file in names.items()
        }
        for font in fonts.values():
            pdfmetrics.registerFont(font)
        for name in set(_FAR.values()):
            pdfmetrics.registerFont(UnicodeCIDFont(name))
        # ReportLab cannot say which letter a sign beyond these was, to who copies it.
        self._letters = {
            name: {letter for letter in font.face.charToGlyph if letter < 0x10000}
            for name, font in fonts.items()
        }

    def of(self, letter: str, bold: bool) -> str:
        """Name the font that has a letter; empty if none has."""
        wanted = "Sans-Bold" if bold else "Sans"
        if ord(letter) in self._letters[wanted]:
            return wanted
        return next((name for part, name in _FAR.items() if ord(letter) in part), "")


# What every reader of PDF has or fetches: ISO 32000-1, 9.7.5.2.
_FAR = {
    range(0x3040, 0x3100): "HeiseiKakuGo-W5",
    range(0xAC00, 0xD7A4): "HYGothic-Medium",
    range(0x3000, 0x3040): "STSong-Light",
    range(0x3400, 0xA000): "STSong-Light",
    range(0xFF00, 0xFFF0): "STSong-Light",
}


@cache
def _fonts() -> _Fonts:
    return _Fonts()
