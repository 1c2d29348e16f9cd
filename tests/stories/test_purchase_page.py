"""The page of a purchase: who may open it, what it says, what can be done on it."""

import re

import pytest

from handsel.kit.money import Money
from handsel.models.words import FactKind
from handsel.outbound.transports.folder import read_folder
from handsel.sales import orders
from handsel.sales.payments.base import Fact, RefundRequest
from handsel.shop import Shop
from tests import make
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories import buyers
from tests.stories.buyers import bank, buy, download, facts, mails, misread, order

SCANNER = {"headers": {"User-Agent": "Mozilla/5.0 SafeLinks"}}


def test_a_mail_scanner_that_opens_everything_uses_nothing_up(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)
    [mail] = mails(shop)
    [link] = set(re.findall(r"\S+/d/\w+", mail.text))
    scanner = visitor.device()

    assert scanner.head(link, **SCANNER).status_code == 200
    for _ in range(3):
        seen = scanner.device().get(link, **SCANNER)
        assert "data-autostart" not in seen.get_data(as_text=True)
    pressed = form_of(page, f"{page.request.path}/1").action
    assert scanner.get(pressed, **SCANNER).status_code == 405
    assert scanner.head(pressed, **SCANNER).status_code == 405

    assert facts(shop)["downloads_used"] == 0
    assert "5 of 5 left" in words(visitor.get(link))


def test_the_first_file_starts_by_itself_once_and_only_after_paying(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop, files={"a.epub": b"a", "b.pdf": b"b"})

    paid = buy(visitor).get_data(as_text=True)
    reloaded = visitor.get(facts(shop)["link"]).get_data(as_text=True)
    elsewhere = visitor.device().get(facts(shop)["link"]).get_data(as_text=True)

    assert paid.count("data-autostart") == 1
    assert paid.index("data-autostart") < paid.index("b.pdf")
    assert "data-autostart" not in reloaded
    assert "data-autostart" not in elsewhere


def test_coming_back_from_paying_much_later_starts_nothing(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buyers.payment_page(visitor)
    coming_back = visitor.press(page, "/testpay/", buyers.BUYER).location
    visitor.follow(coming_back)
    clock.move(hours=1)

    again = visitor.follow(coming_back)

    assert "data-autostart" not in again.get_data(as_text=True)


def test_nobody_else_may_keep_list_or_pass_on_the_page(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)
    pressed = visitor.press(page, f"{page.request.path}/1")

    for answer in (page, pressed, visitor.get(pressed.location), visitor.get("/d/no")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_link_with_any_letter_changed_is_as_unknown_as_a_guess(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    link = buy(visitor).request.path
    guess = visitor.get("/d/" + "a" * 45)

    assert guess.status_code == 404
    assert "find your purchases" in words(guess)
    for at in range(len("/d/"), len(link)):
        letter = "Q" if link[at] != "Q" else "R"
        wrong = visitor.get(link[:at] + letter + link[at + 1 :])
        assert (wrong.status_code, wrong.data) == (404, guess.data)
    for wrong_link in (link[:-1], link + "a", "/d/é" + link[4:], "/d/" + "9" * 5000):
        wrong = visitor.get(wrong_link)
        assert (wrong.status_code, wrong.data) == (404, guess.data)


@pytest.mark.parametrize("page_of", ["/{}", "/{}/1", "/{}/resend", "/{}/address"])
def test_nothing_can_be_pressed_on_a_page_that_is_not_there(
    shop: Shop, visitor: Visitor, page_of: str
) -> None:
    make.product(shop)
    page = buy(visitor)
    nonce = form_of(page, "/1").fields
    path = "/d" + page_of.format("a" + "b" * 44)
    assert visitor.post(path, nonce).status_code in (404, 405)


def test_a_page_left_open_for_long_asks_for_one_more_press(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    clock.move(hours=3)

    for action in ("/1", "/resend", "/address"):
        stale = visitor.press_and_follow(page, page.request.path + action)
        assert stale.status_code == 200
        assert "Please press once more" in words(stale)

    assert facts(shop)["downloads_used"] == 0
    assert download(visitor, stale).data == make.BOOK


def test_a_press_without_a_page_of_this_purchase_does_nothing(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page, other = buy(visitor), buy(visitor)
    theirs = form_of(other, "/1").fields["nonce"]
    mine = form_of(page, "/1").fields["nonce"]

    for nonce in ("", "x", theirs, misread(mine), mine + "0"):
        forged = visitor.post(f"{page.request.path}/1", {"nonce": nonce})
        assert "notice=stale" in forged.location
    assert facts(shop)["downloads_used"] == 0


def test_a_form_on_another_site_cannot_press(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    page = buy(visitor)
    fields = form_of(page, "/1").fields

    sent = visitor.client.post(
        f"{page.request.path}/1", data=fields, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert sent.status_code == 403
    assert "Error" not in words(sent)
    assert facts(shop)["downloads_used"] == 0


def test_a_purchase_opens_its_own_files_only(shop: Shop, visitor: Visitor) -> None:
    make.product(shop)
    make.product(shop, slug="other", files={"other.epub": b"not bought"})
    page = buy(visitor)
    nonce = form_of(page, "/1").fields

    for file_id in (2, 3, 0, 2**31, 2**70):
        wrong = visitor.post(f"{page.request.path}/{file_id}", nonce)
        assert wrong.status_code == 404
        assert b"other.epub" not in wrong.data


def test_several_files_each_have_their_own_count(shop: Shop, visitor: Visitor) -> None:
    make.product(shop, files={"a.epub": b"aa", "b.pdf": b"bb"}, limit=2)
    page = buy(visitor)

    assert download(visitor, page, 2).data == b"bb"

    said = words(visitor.get(page.request.path))
    assert said.index("2 of 2 left") < said.index("b.pdf") < said.index("1 of 2 left")


def test_the_link_can_be_sent_again_but_not_endlessly(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    assert "is on its way to reader@example.com" in words(page)
    mails(shop)
    page = visitor.get(page.request.path)
    assert "We sent this link to reader@example.com" in words(page)

    answers = []
    for _ in range(4):
        clock.move(minutes=2)
        answers.append(visitor.press_and_follow(page, "/resend"))

    assert "We have sent the link again" in words(answers[0])
    assert answers[3].status_code == 429
    sent = mails(shop)
    assert len(sent) == 4
    assert {mail.to for mail in sent} == {"reader@example.com"}
    assert all(facts(shop)["link"] in mail.text for mail in sent)


def test_a_long_address_can_be_sent_the_link_again_too(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.com"
    page = buy(visitor, email=email)
    for _ in range(2):
        clock.move(minutes=2)
        visitor.press(page, "/resend")

    assert [mail.to for mail in mails(shop)] == [email] * 3


@pytest.mark.parametrize("receipt_went_out", [True, False])
def test_a_mistyped_address_is_mended_and_the_link_in_a_strangers_mail_is_dead(
    shop: Shop, visitor: Visitor, clock: Clock, receipt_went_out: bool
) -> None:
    make.product(shop)
    page = buy(visitor, email="raeder@example.com")
    if receipt_went_out:
        mails(shop)
    clock.move(hours=23)
    page = visitor.get(page.request.path)

    mended = visitor.press_and_follow(
        page, "/address", {"email": " reader@example.com "}
    )

    assert "The old link no longer works" in words(mended)
    assert "reader@example.com" in words(mended)
    assert mended.request.path != page.request.path
    assert visitor.get(page.request.path).status_code == 404
    assert download(visitor, mended).data == make.BOOK
    mails(shop)
    sent = read_folder(shop.home / "mail")
    new = [mail for mail in sent if mended.request.path in mail.text]
    assert [mail.to for mail in new] == ["reader@example.com"]
    assert len(sent) == (2 if receipt_went_out else 1)
    assert "We sent this link to reader@example.com" in words(
        visitor.get(mended.request.path)
    )


def test_the_address_we_have_is_not_mended_but_written_to_again(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)

    same = visitor.press(page, "/address", {"email": "READER@example.com"})

    assert same.status_code == 422
    [named] = set(re.findall("Press “(.+?)”", words(same)))
    assert f">{named}</button>" in same.get_data(as_text=True)


def test_an_address_mended_back_and_forth_in_a_minute_gets_the_last_link(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor, email="a@example.com")
    for email in ("b@example.com", "a@example.com", "b@example.com"):
        mails(shop)
        page = visitor.press_and_follow(page, "/address", {"email": email})

    mails(shop)

    sent = read_folder(shop.home / "mail")
    last = [mail.to for mail in sent if page.request.path in mail.text]
    assert last == ["b@example.com"]


def test_an_address_that_is_none_is_said_to_be_so_beside_the_field(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)

    for typed in ("reader.example.com", "", "reader@example.com"):
        wrong = visitor.press(page, "/address", {"email": typed})
        assert wrong.status_code == 422
        html = wrong.get_data(as_text=True)
        assert 'id="email-error"' in html
        assert "<details open>" in html
        assert form_of(wrong, "/address").fields["email"] == typed
    assert order(shop).token_version == 1


def test_a_day_after_buying_only_the_seller_changes_the_address(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    path = buy(visitor).request.path
    clock.move(hours=25)

    fields = form_of(visitor.get(path), "/resend").fields
    late = visitor.post(f"{path}/address", fields | {"email": "new@example.com"})

    assert late.status_code == 422
    assert "Write to the seller" in words(late)
    assert visitor.get(path).status_code == 200


def test_a_mail_that_cannot_be_delivered_is_said_so_on_the_page(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor, email="rea=?der@example.com")
    mails(shop)

    said = words(visitor.get(page.request.path))

    assert "could not be delivered" in said
    assert "Correct the address" in said


def test_a_refund_closes_the_files_and_says_what_becomes_of_the_money(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    running = visitor.press(page, "/1").location
    clock.move(minutes=1)
    bank(shop).refund(
        order(shop).session_id, RefundRequest("back", Money(1500, "EUR")), shop.now()
    )
    shop.hear("test", order(shop).session_id)

    after = visitor.get(page.request.path)

    assert after.status_code == 200
    assert "This order was refunded" in words(after)
    assert "The money goes back" in words(after)
    assert f'action="{page.request.path}/1"' not in after.text
    _closed(visitor, page, running)


def test_a_part_of_the_money_back_leaves_the_files_open(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    clock.move(minutes=1)
    bank(shop).refund(
        order(shop).session_id, RefundRequest("back", Money(500, "EUR")), shop.now()
    )
    shop.hear("test", order(shop).session_id)

    assert download(visitor, page).data == make.BOOK


def test_a_dispute_closes_the_files_and_does_not_blame_the_seller(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    running = visitor.press(page, "/1").location
    clock.move(minutes=1)
    session = order(shop).session_id
    bank(shop).open_dispute(session, shop.now())
    shop.hear("test", session)

    said = words(visitor.get(page.request.path))

    assert "disputed" in said
    assert "The seller has closed it" not in said
    _closed(visitor, page, running)

    clock.move(minutes=1)
    bank(shop).close_dispute(session, FactKind.DISPUTE_WON, shop.now())
    shop.hear("test", session)
    assert visitor.get(running).data == make.BOOK


def test_a_card_disputed_at_once_still_leads_to_a_page_that_explains(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor, number=buyers.DISPUTED)
    assert "disputed" in words(page)
    assert "data-autostart" not in page.get_data(as_text=True)


def test_an_order_that_somebody_must_look_at_says_that_the_money_is_known(
    shop: Shop, visitor: Visitor
) -> None:
    make.product(shop)
    page = buy(visitor)
    with shop.transaction() as session:
        found = orders.by_number(session, "H-1001")
        found.review_reason = "The price was €15.00, but €1.00 was paid."
        orders.settle(session, found, shop.now())

    held = visitor.get(page.request.path)

    assert "The seller has closed it" not in words(held)
    assert "please do not pay again" in words(held)
    assert "H-1001" in words(held)
    assert "1.00" not in words(held).replace("15.00", "")
    mail = mails(shop)[0]
    assert mail.to == "ada@example.com"
    assert "€1.00 was paid" in mail.text
    _closed(visitor, page, None)


def test_a_purchase_the_seller_took_back_says_so(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    with shop.transaction() as session:
        found = orders.by_number(session, "H-1001")
        fact = Fact(FactKind.MANUAL_REVOKE, "revoked", Money(0, "EUR"), shop.now())
        orders.add_fact(session, found, fact, shop.now())

    said = words(visitor.get(page.request.path))

    assert "The seller has closed it" in said
    assert "Write to the seller" in said
    _closed(visitor, page, None)


def _closed(visitor: Visitor, page: object, running: str | None) -> None:
    """Neither a press nor a running download gives a byte more."""
    pressed = visitor.press(page, "/1")  # type: ignore[arg-type]
    assert pressed.status_code == 403
    if running:
        assert visitor.get(running).status_code == 403


def test_correcting_the_address_is_offered_only_while_it_works(
    shop: Shop, visitor: Visitor, clock: Clock
) -> None:
    make.product(shop)
    page = buy(visitor)
    assert "Wrong address? Fix it" in words(page)

    clock.move(hours=25)

    later = words(visitor.get(page.request.path))
    assert "Wrong address? Fix it" not in later
    assert "Send the link again" in later
