"""Who comes into the desk: by a link, by password and code, by nothing else."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from handsel.customers.staff import passwords, sessions
from handsel.models import AuditEntry, RecoveryCode, Staff, StaffSession
from handsel.ops import inviting
from handsel.shop import Shop
from tests.ground.shops import Clock
from tests.ground.visitor import Visitor, form_of, words
from tests.stories.desks import EMAIL, PASSWORD, Seller, hire, secret_on


def test_the_link_of_init_opens_the_desk_once_and_the_codes_are_for_paper(
    shop: Shop,
) -> None:
    link = inviting.add(shop, EMAIL).link
    ada = Seller(shop)

    arrived = ada.begin(link)

    assert arrived.status_code == 200
    assert len(set(ada.paper)) == 10
    home = ada.get("/admin/")
    assert home.status_code == 200
    assert home.headers["Cache-Control"] == "no-store"
    again = Seller(shop).get(link)
    assert again.status_code == 410
    assert "has been used" in words(again)


def test_an_invitation_wants_a_good_password_typed_twice_and_the_right_code(
    shop: Shop,
) -> None:
    link = inviting.add(shop, EMAIL).link
    ada = Seller(shop)
    page = ada.get(link)
    ada.secret = secret_on(page)
    for fields, said in (
        ({"password": "short", "again": "short"}, "12 letters or more"),
        ({"password": "ada@example.com", "again": "ada@example.com"}, "first that any"),
        ({"password": "aaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaa"}, "first that any"),
        ({"password": PASSWORD, "again": PASSWORD + "!"}, "not the same"),
        ({"password": PASSWORD, "again": PASSWORD, "code": "000000"}, "not right"),
        ({"password": "x" * 201, "again": "x" * 201}, "too long"),
    ):
        answer = ada.press(page, "/begin/", {"code": ada.code(), **fields})
        assert answer.status_code == 422
        assert said in words(answer)
        assert secret_on(answer) == ada.secret  # the app has to look only once
    assert ada.begin(link).status_code == 200


def test_an_invitation_ends_after_seven_days_and_a_newer_one_makes_it_void(
    shop: Shop, clock: Clock
) -> None:
    first = inviting.add(shop, EMAIL).link
    second = inviting.link(shop, EMAIL).link
    assert Visitor(shop).get(first).status_code == 410
    clock.move(days=7, seconds=1)
    assert Visitor(shop).get(second).status_code == 410
    assert Visitor(shop).get(second[:-1] + "9").status_code == 404


def test_signing_in_takes_password_and_code_and_goes_where_one_wanted(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    other = seller.device()
    clock.move(minutes=2)

    sent_away = other.get("/admin/audit?subject=book")
    page = other.go_on(sent_away)
    step = other.press_and_follow(
        page, "/admin/sign-in", {"email": " ADA@example.com", "password": PASSWORD}
    )
    entered = other.press(step, "/sign-in/code", {"code": other.code()})

    assert sent_away.status_code == 303
    assert entered.headers["Location"] == "/admin/audit?subject=book"
    assert other.get("/admin/audit").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example/admin/", "//evil.example/admin/", "/\\evil.example"),
        *("/admin/../p/book", "javascript:alert(1)", "/d/token", "\t/admin/", ""),
        "/admin/\r\nSet-Cookie: a=b",
    ],
)
def test_a_forged_address_leads_to_nowhere_but_the_desk(
    shop: Shop, seller: Seller, clock: Clock, elsewhere: str
) -> None:
    clock.move(minutes=2)
    other = seller.device()
    page = other.get("/admin/sign-in", query_string={"next": elsewhere})
    step = other.press_and_follow(
        page, "/admin/sign-in", {"email": EMAIL, "password": PASSWORD}
    )
    entered = other.press(step, "/sign-in/code", {"code": other.code()})
    assert entered.headers["Location"] in ("/admin/", "/admin/../p/book")


def test_a_code_is_good_once_and_a_code_on_paper_too(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    code = seller.code()
    first, second, third, fourth = (seller.device() for _ in range(4))

    assert first.sign_in(code=code).status_code == 303
    replayed = second.sign_in(code=code)
    assert replayed.status_code == 422
    assert "used already" in words(replayed)
    paper = seller.paper[0].upper().replace("-", " ")
    assert third.sign_in(code=paper).status_code == 303
    assert fourth.sign_in(code=paper).status_code == 422
    assert fourth.sign_in(code=seller.paper[1]).status_code == 303


def test_nothing_tells_whether_an_address_belongs_to_the_staff(
    shop: Shop, seller: Seller
) -> None:
    visitor = seller.device()
    page = visitor.get("/admin/sign-in")
    known = visitor.press(page, "/sign-in", {"email": EMAIL, "password": "wrong" * 4})
    unknown = visitor.press(
        page, "/sign-in", {"email": "bob@example.com", "password": "wrong" * 4}
    )
    assert known.status_code == unknown.status_code == 422
    assert words(known) == words(unknown)
    for odd in ("", "x" * 5000, "a@b@c", "\0@x.y"):
        answer = visitor.press(page, "/sign-in", {"email": odd, "password": odd})
        assert answer.status_code == 422


def test_whoever_tries_passwords_is_slowed_down_and_others_are_not(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    thief = Seller(shop, address="203.0.113.9", app=seller.app)
    thief.secret = seller.secret
    tries = [thief.sign_in(password="wrong" * 4).status_code for _ in range(7)]
    assert tries == [422] * 5 + [429] * 2
    assert thief.sign_in().status_code == 429  # the right one must wait as well

    owner = Seller(shop, address="198.51.100.7", app=seller.app)
    owner.secret = seller.secret
    assert owner.sign_in().status_code == 303
    clock.move(minutes=16)
    assert thief.sign_in().status_code == 303


def refused(shop: Shop) -> list[tuple[str, dict[str, object]]]:
    """Give what the log has of wrong passwords."""
    wanted = AuditEntry.action == "staff.password_refused"
    with shop.reading() as session:
        rows = session.scalars(select(AuditEntry).where(wanted).order_by(AuditEntry.id))
        return [(row.network, row.detail) for row in rows]


def test_wrong_passwords_stand_in_the_log_and_cannot_fill_it(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    for last in range(1, 6):
        thief = Seller(shop, address=f"198.51.{last}.9", app=seller.app)
        page = thief.get("/admin/sign-in")
        for email in (EMAIL, EMAIL.upper(), EMAIL, "nobody@example.com"):
            wrong = {"email": email, "password": "wrong" * 4}
            assert thief.press(page, "/sign-in", wrong).status_code == 422
    assert refused(shop) == [
        ("198.51.1.0/24", {"tries": 1}),
        ("198.51.4.0/24", {"tries": 10}),
    ]
    clock.move(minutes=16)
    thief.sign_in(password="wrong" * 4)
    assert refused(shop)[2:] == [("198.51.5.0/24", {"tries": 1})]


def test_a_wrong_password_at_the_desk_stands_in_the_log(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=11)
    page = seller.get("/admin/people")
    asked = seller.press(page, "/admin/people", {"email": "bob@example.com"})
    seller.press(asked, "/admin/people", {"confirm_password": "no" * 8})
    assert refused(shop) == [("127.0.0.0/24", {})]


def test_codes_cannot_be_guessed_through(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    thief = seller.device()
    page = thief.get("/admin/sign-in")
    step = thief.press_and_follow(
        page, "/admin/sign-in", {"email": EMAIL, "password": PASSWORD}
    )
    tries = [
        thief.press(step, "/sign-in/code", {"code": f"{i:06}"}).status_code
        for i in range(12)
    ]
    assert tries == [422] * 10 + [429] * 2


def test_who_guesses_locks_no_browser_out_that_has_signed_in_before(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    owner, thief = seller.device(), seller.device()  # of the same network
    assert owner.sign_in().status_code == 303
    clock.move(minutes=2)
    for _ in range(12):
        thief.sign_in(code="000000")
    for _ in range(7):
        thief.sign_in(password="wrong" * 4)
    assert thief.sign_in().status_code == 429

    owner.press(owner.get("/admin/account"), "/admin/sign-out")
    assert owner.sign_in(password="wrong" * 4).status_code == 422
    assert owner.sign_in().status_code == 303

    host = urlsplit(shop.settings.shop.url).hostname or ""
    mark = owner.client.get_cookie("handsel_known-browser", domain=host)
    assert mark
    assert EMAIL not in mark.value
    forged = f"{'a' * 32}.{mark.value.partition('.')[2]}"
    thief.client.set_cookie(mark.key, forged, domain=host)
    assert thief.sign_in().status_code == 429  # the mark belongs to its proof


def test_a_browser_that_is_known_has_no_more_tries_than_any(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    owner = seller.device()
    assert owner.sign_in().status_code == 303
    owner.press(owner.get("/admin/account"), "/admin/sign-out")
    tries = [owner.sign_in(password="wrong" * 4).status_code for _ in range(7)]
    assert tries == [422] * 5 + [429] * 2


def test_half_a_sign_in_is_none_and_ends_after_ten_minutes(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    half = seller.device()
    step = half.press_and_follow(
        half.get("/admin/sign-in"), "/sign-in", {"email": EMAIL, "password": PASSWORD}
    )
    assert half.get("/admin/").status_code == 303
    clock.move(minutes=11)
    late = half.press(step, "/sign-in/code", {"code": seller.code()})
    assert late.headers["Location"].startswith("/admin/sign-in?")


def test_a_browser_is_signed_out_after_half_an_hour_alone_and_twelve_in_all(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    for _ in range(23):
        clock.move(minutes=29)
        assert seller.get("/admin/").status_code == 200
    clock.move(minutes=60)
    assert seller.get("/admin/").status_code == 303

    idle = seller.device()
    idle.sign_in()
    clock.move(minutes=31)
    assert idle.get("/admin/").status_code == 303
    with shop.transaction() as session:
        assert sessions.forget_old(session, shop.now()) == 2
        assert not session.scalars(select(StaffSession)).all()


def test_what_asks_by_itself_is_no_sign_of_life(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    for _ in range(4):
        clock.move(minutes=9)
        answer = seller.get("/admin/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Refresh"] == "true"


def test_a_form_that_was_sent_too_late_loses_nothing(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    page = seller.get("/admin/people")
    clock.move(minutes=40)

    kept = seller.press(page, "/admin/people", {"email": "bob@example.com"})
    assert seller.tab().sign_in().status_code == 303
    done = seller.press(kept, "/admin/people")

    assert kept.status_code == 401
    assert "bob@example.com" not in kept.text  # it is there, closed
    assert "A link for" in words(done)


def test_forms_of_others_and_of_other_browsers_are_refused(
    shop: Shop, seller: Seller
) -> None:
    fields = {"email": "bob@example.com"}
    word = seller.form_word()
    other = seller.device()
    other.get("/admin/sign-in")
    foreign = form_of(other.get("/admin/sign-in"), "/sign-in").fields["form_token"]

    for bad in ("", "x", foreign):
        refused = seller.post("/admin/people", {**fields, "form_token": bad})
        assert refused.status_code == 403
    cross = seller.post(
        "/admin/people",
        {**fields, "form_token": word},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert cross.status_code == 403
    assert (
        seller.post("/admin/people", {**fields, "form_token": word}).status_code == 200
    )


def test_what_matters_asks_for_the_password_again_and_keeps_what_was_typed(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=11)
    page = seller.get("/admin/people")

    asked = seller.press(page, "/admin/people", {"email": "bob@example.com"})
    wrong = seller.press(asked, "/admin/people", {"confirm_password": "no" * 8})
    right = seller.press(wrong, "/admin/people", {"confirm_password": PASSWORD})
    clock.move(minutes=9)
    after = seller.press(page, "/admin/people", {"email": "eve@example.com"})

    assert "Is it still you?" in words(asked)
    assert "not your password" in words(wrong)
    assert "A link for bob@example.com" in words(right)
    assert "A link for eve@example.com" in words(after)
    clock.move(minutes=16)
    tries = [
        seller.press(asked, "/admin/people", {"confirm_password": "no" * 8}).status_code
        for _ in range(7)
    ]
    assert tries == [403] * 5 + [429] * 2


def test_what_was_typed_is_not_readable_in_the_page_that_comes_between(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=11)
    page = seller.get("/admin/people")
    asked = seller.press(page, "/admin/people", {"email": "bob@example.com"})
    assert "bob@example.com" not in asked.text
    fields = form_of(asked, "/admin/people").fields
    assert set(fields) == {"form_token", "kept", "confirm_password"}

    elsewhere = seller.post(
        "/admin/mails/test", {**fields, "confirm_password": PASSWORD}
    )
    assert elsewhere.status_code == 403  # closed for one address
    other = hire(shop, "eve@example.com")
    stolen = {"form_token": other.form_word(), "kept": fields["kept"]}
    assert other.post("/admin/people", stolen).status_code == 403
    clock.move(minutes=16)
    seller.get("/admin/account")
    clock.move(minutes=16)
    late = seller.press(asked, "/admin/people", {"confirm_password": PASSWORD})
    assert late.status_code == 403
    assert "kept for a while only" in words(late)


def test_leaving_signs_out_here_and_elsewhere(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    phone = seller.device()
    phone.sign_in()

    account = seller.get("/admin/account")
    assert account.text.count("this one") == 1
    seller.do(account, "end-others")
    assert phone.get("/admin/").status_code == 303
    assert seller.get("/admin/").status_code == 200
    seller.press(seller.get("/admin/"), "sign-out")
    assert seller.get("/admin/").status_code == 303


def test_a_new_password_signs_other_browsers_out_and_is_the_only_one(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=2)
    phone = seller.device()
    phone.sign_in()
    fresh = "eleven blue bottles on a wall"

    done = seller.do(
        seller.get("/admin/account"), "/account/password", {"password": fresh}
    )

    assert "Your password is changed" in words(done)
    assert phone.get("/admin/").status_code == 303
    clock.move(minutes=2)
    assert "do not belong together" in words(phone.sign_in())
    assert phone.sign_in(password=fresh).status_code == 303


def test_whoever_is_taken_out_is_out_at_once(shop: Shop, seller: Seller) -> None:
    made = seller.do(
        seller.get("/admin/people"), "/admin/people", {"email": "bob@example.com"}
    )
    link = made.text.partition('<p class="secret"><code>')[2].partition("<")[0]
    bob = Seller(shop, app=seller.app)
    assert bob.begin(link).status_code == 200
    assert bob.get("/admin/").status_code == 200

    gone = seller.do(seller.get("/admin/people"), "/people/2/remove")

    assert "cannot sign in any more" in words(gone)
    assert bob.get("/admin/").status_code == 303
    with shop.reading() as session:
        assert session.scalars(select(Staff.email)).all() == [EMAIL]


def test_nobody_takes_themselves_out_and_a_new_link_voids_everything(
    shop: Shop, seller: Seller
) -> None:
    refused = seller.post("/admin/people/1/remove", {"form_token": seller.form_word()})
    assert refused.status_code == 409
    again = Seller(shop, app=seller.app)
    assert again.begin(inviting.link(shop, EMAIL).link).status_code == 200
    assert seller.get("/admin/").status_code == 303  # signed out by that
    assert again.get("/admin/").status_code == 200


def test_the_log_says_who_did_what_and_nothing_secret(
    shop: Shop, seller: Seller
) -> None:
    assert seller.begin(inviting.link(shop, EMAIL).link).status_code == 200
    seller.do(seller.get("/admin/account"), "/account/paper")
    page = seller.get("/admin/audit")

    said = words(page)
    for each in ("Came for the first", "Signed in", "Made new codes for paper"):
        assert each in said
    with shop.reading() as session:
        kept = session.scalars(select(AuditEntry)).all()
        hashes = session.scalars(select(Staff.password_hash)).all()
    assert {entry.who for entry in kept} == {EMAIL, inviting.SERVER}
    everything = " ".join(str(entry.detail) for entry in kept)
    assert PASSWORD not in everything
    assert str(hashes[0]).startswith("$argon2id$")
    assert passwords.matches(PASSWORD, hashes[0])


def test_a_strangers_form_is_not_repeated_to_whoever_is_signed_out(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    word = seller.form_word()
    clock.move(minutes=40)
    evil = {"url": "https://evil.example/", "with_email": "1"}

    without = seller.post("/admin/hooks/out", evil)
    foreign = seller.post(
        "/admin/hooks/out",
        {**evil, "form_token": word},
        headers={"Origin": "https://evil.example"},
    )

    for answer in (without, foreign):
        assert answer.status_code == 403
        assert "evil.example" not in answer.text


def test_the_next_person_is_offered_another_secret(shop: Shop, clock: Clock) -> None:
    first = inviting.add(shop, "mallory@example.com").link
    known = secret_on(Seller(shop).get(first))
    inviting.remove(shop, "mallory@example.com")
    clock.move(seconds=1)
    second = inviting.add(shop, "bob@example.com").link
    assert secret_on(Seller(shop).get(second)) != known


def test_codes_on_paper_are_hashed_with_a_key_the_database_does_not_have(
    shop: Shop, seller: Seller
) -> None:
    plain = seller.paper[0].replace("-", "")
    guesses = {
        hashlib.sha256(said.encode()).hexdigest()
        for said in (plain, f"1:{plain}", f"recovery code:1:{plain}")
    }
    with shop.reading() as session:
        kept = set(session.scalars(select(RecoveryCode.code_hash)))
    assert len(kept) == 10
    assert not kept & guesses


def test_who_tries_many_passwords_at_once_stops_nobody() -> None:
    kept = passwords.keep(PASSWORD)

    def one(_: int) -> str:
        try:
            return str(passwords.matches("wrong" * 4, kept))
        except passwords.ManyAtOnceError:
            return "wait"

    with ThreadPoolExecutor(40) as crowd:
        said = list(crowd.map(one, range(40)))
    assert said.count("wait") > 0
    assert said.count("False") > 0
    assert "True" not in said


def test_somebody_with_an_odd_address_can_be_taken_out(
    shop: Shop, seller: Seller
) -> None:
    inviting.add(shop, "a/b@example.com")
    gone = seller.do(seller.get("/admin/people"), "/people/2/remove")
    assert "a/b@example.com cannot sign in any more" in words(gone)


def test_a_new_password_makes_open_invitations_void(shop: Shop, seller: Seller) -> None:
    link = inviting.link(shop, EMAIL).link
    fresh = {"password": "eleven blue bottles on a wall"}
    seller.do(seller.get("/admin/account"), "/account/password", fresh)
    assert Seller(shop).get(link).status_code == 410


def test_signing_in_again_ends_what_was_there(
    shop: Shop, seller: Seller, clock: Clock
) -> None:
    clock.move(minutes=31)
    assert seller.sign_in().status_code == 303
    with shop.reading() as session:
        assert len(session.scalars(select(StaffSession)).all()) == 1


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "-1", "x", "١"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_number_that_no_row_has_is_no_stack(seller: Seller, number: str) -> None:
    for path in ("/admin/audit", "/admin/mails", "/admin/customers", "/admin/orders"):
        for name in ("before", "after"):
            answer = seller.get(path, query_string={name: number})
            assert answer.status_code < 500, (path, name)
    for path in ("hooks/out", "updates", "updates/drafts", "customers"):
        assert seller.get(f"/admin/{path}/{number}").status_code in (200, 404)
