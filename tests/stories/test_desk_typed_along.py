"""What is typed beside files is kept, also when they are too much or come too late."""

import io
from typing import Any

import pytest

from handsel.shop import Shop
from handsel.web.admin import tray
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.desks import Seller
from tests.stories.test_desk_products import get
from tests.stories.test_desk_sending import FORM, NobodysBusiness, long_body

NEW = "/admin/new-product"
BOOK = "/admin/products/book"
RELEASE = f"{BOOK}/release"
TYPED = {
    NEW: {"name": "The Song", "price": "7,50", "version": "3.1"},
    BOOK: {"name": "Another name", "price": "9"},
    RELEASE: {"version": "1.1", "notes": "More of it."},
}


@pytest.fixture
def ada(seller: Seller, shop: Shop) -> Seller:
    """Ada, who signed in with this browser herself; there is a book on her shelf."""
    make.product(shop)
    device = seller.device()
    assert device.sign_in().status_code == 303
    return device


def sent_from(place: str) -> str:
    """Give where the form of a page sends its files, without scripts."""
    return f"/whole?next={place}"


def with_file(place: str) -> dict[str, Any]:
    """Give what a form sends: what was typed, and a file."""
    return {**TYPED[place], "file": [(io.BytesIO(make.BOOK), "book.epub")]}


@pytest.mark.parametrize("place", TYPED)
def test_whoever_was_signed_out_meanwhile_loses_nothing_but_the_choice_of_files(
    shop: Shop, ada: Seller, clock: Clock, place: str
) -> None:
    page = ada.get(place)
    clock.move(minutes=40)

    kept = ada.press(page, sent_from(place), with_file(place))
    assert ada.tab().sign_in().status_code == 303
    again = ada.press(kept, place)

    assert kept.status_code == 401
    assert "The files are not here: choose them once more" in words(kept)
    assert set(form_of(kept, place).fields) == {"form_token", "kept"}
    assert (again.status_code, shop.uploads.waiting()) == (200, [])
    fields = form_of(again, place).fields
    for name in {"name", "price", "version"} & TYPED[place].keys():
        assert fields[name] == TYPED[place][name]
    assert TYPED[place].get("notes", "") in again.text
    assert get(shop, "book").name == "The Book"  # nothing was saved by looking


def test_a_form_of_somebody_elses_page_is_not_kept(ada: Seller, clock: Clock) -> None:
    clock.move(minutes=40)
    fields = with_file(NEW) | {"form_token": "x"}
    answer = ada.post(f"/admin/uploads{sent_from(NEW)}", fields)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/admin/sign-in"


def test_of_whoever_never_signed_in_here_nothing_is_read(
    shop: Shop, ada: Seller
) -> None:
    stranger = Visitor(shop, app=ada.app)
    stranger.get("/admin/sign-in")  # gives the browser its mark for forms
    body = NobodysBusiness()
    url = f"/admin/uploads{sent_from(NEW)}"
    assert long_body(stranger, "POST", url, FORM, body, size=99).status_code == 303
    assert not body.read_at_all
    ada.client.delete_cookie("handsel_staff", domain="127.0.0.1")
    assert long_body(ada, "POST", url, FORM, body, size=99).status_code == 303
    assert body.read_at_all  # so the test above can fail


def test_too_much_at_once_is_said_and_what_was_typed_stays(
    shop: Shop, ada: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in TYPED:
        page = ada.get(place)
        with monkeypatch.context() as small:
            small.setattr(tray, "WHOLE", len(make.BOOK))
            answer = ada.press(page, sent_from(place), with_file(place))
        assert answer.status_code == 413
        assert "at a time. Send less at once." in words(answer)
        for typed in TYPED[place].values():
            assert f'value="{typed}"' in answer.text or typed in words(answer)
    assert shop.uploads.waiting() == []


def test_too_much_for_that_is_not_read_and_nothing_is_promised(ada: Seller) -> None:
    body, size = NobodysBusiness(), 10 * tray.WHOLE + 1
    url = f"/admin/uploads{sent_from(NEW)}"
    answer = long_body(ada, "POST", url, FORM, body, size=size)
    assert answer.status_code == 413
    assert "some of what you typed may be there" in words(answer)
    assert not body.read_at_all


def test_a_form_of_somebody_elses_page_is_not_shown_either(
    ada: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tray, "WHOLE", len(make.BOOK))
    fields = with_file(NEW) | {"form_token": "x"}
    answer = ada.post(f"/admin/uploads{sent_from(NEW)}", fields)
    assert answer.status_code == 403
    assert "The Song" not in answer.text
