"""The books at the desk: proving that they are right, asking what was missed."""

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.rates import time_words
from handsel.ops.desk import books as ledger
from handsel.ops.reconcile_words import AGAIN
from handsel.web.admin.desk import desk, done, outside
from handsel.web.pages import page, the_shop

CHOICES = [*ledger.SPANS.items(), ("date", "the time since a date")]


@desk.get("/books")
def books() -> Response:
    """Show what the last proof found, and what the providers said last."""
    return _page({"since": ledger.USUAL}, {})


def _page(values: dict[str, str], errors: dict[str, str]) -> Response:
    shop = the_shop()
    proof, answers = ledger.proof(shop), ledger.answers(shop)
    return page(
        "admin/books.html",
        422 if errors else 200,
        proof=proof,
        proof_took=time_words(proof.run.seconds),
        answers=answers,
        answers_took=time_words(answers.run.seconds),
        again=AGAIN,
        providers=ledger.providers(shop),
        choices=CHOICES,
        here_url=url_for("desk.books"),
        form={"values": values, "errors": errors},
    )


@desk.post("/books/prove")
def prove_books() -> AnyResponse:
    """Begin to prove the books; `files`: read the files for sale as well."""
    files = request.form.get("files") == "yes"
    with outside("books.proving", "books", files="yes" if files else "no"):
        ledger.prove(the_shop(), files=files)
    return done("desk.books", "The books are being proved. The shop stays open.")


@desk.post("/books/ask")
def ask_providers() -> AnyResponse:
    """Begin to ask the payment providers what was missed, `since` or from a `date` on."""
    shop = the_shop()
    typed = {name: request.form.get(name, "")[:40] for name in ("since", "date")}
    try:
        since = ledger.read_since(typed["since"], typed["date"], shop.now())
    except BadInputError as error:
        return _page(typed, {error.field: str(error)})
    with outside("books.asked", "books", since=since):
        ledger.ask(shop, since)
    return done("desk.books", "The providers are being asked. The shop stays open.")
