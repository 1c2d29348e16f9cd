"""The demo's mailbox: a seller who tries the shop reads its mails in the browser."""

from html import unescape

from handsel.shop import Shop
from handsel.web.app import create_app
from tests import make
from tests.ground.visitor import Visitor, words
from tests.stories.buyers import buy, mails


def test_the_receipt_is_shown_with_who_sent_it_and_who_gets_it(shop: Shop) -> None:
    make.product(shop)
    visitor = Visitor(shop, app=create_app(shop, show_mail=True))
    buy(visitor)
    [mail] = mails(shop)

    shown = unescape(words(visitor.get(f"/mail/{mail.path.name}")))

    assert mail.sender == "Ada's Books <books@localhost>"
    assert "<books@localhost> To reader@example.com" in shown
    assert mail.subject in words(visitor.get("/mail"))


def test_a_shop_at_work_has_no_mailbox(shop: Shop, visitor: Visitor) -> None:
    assert visitor.get("/mail").status_code == 404
