"""Long lists of the desk as files for a spreadsheet."""

from collections.abc import Iterable, Iterator

from flask import Response

BOM = "\ufeff"
"""By which a spreadsheet knows that letters are in UTF-8."""
PIECE = 1 << 15
"""Letters of a sheet that are sent at once."""


def streamed(lines: Iterable[str], name: str) -> Response:
    """Answer with a sheet that is written while it is sent, in little memory."""
    return Response(
        _pieces(lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Bring lines together: each piece of an answer costs a way from thread to thread."""
    block = BOM
    for line in lines:
        block += line
        if len(block) >= PIECE:
            yield block
            block = ""
    yield block
