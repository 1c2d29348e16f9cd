"""An experiment at the desk: planned, started, looked at, ended; nobody else's words."""

import html
import io
import re

import pytest

from handsel.delivery.storage.uploads import Upload
from handsel.models import Exposure
from handsel.shop import Shop
from tests import make
from tests.ground.visitor import form_of, words
from tests.stories.desks import Seller
from tests.stories.trying import begin, trial

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PLAN = {
    "name": "headline",
    "product": "book",
    "part": "headline",
    "value_b": "Write <b>your</b> first book",
    "lift": "20%",
}


@pytest.fixture
def desk(shop: Shop, seller: Seller) -> Seller:
    """A desk of a shop with a book."""
    make.product(shop)
    return seller


def picture(width: int) -> bytes:
    """Give the beginning of a PNG, which is all that is looked at."""
    size = width.to_bytes(4, "big") + (1200).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + bytes(8) + size + bytes(9)


def sent(shop: Shop, name: str, width: int, content: bytes | None = None) -> Upload:
    """Send a file to the tray."""
    content = content or picture(width)
    upload = shop.uploads.begin(name, len(content))
    shop.uploads.append(upload, 0, io.BytesIO(content).read)
    return shop.uploads.seal(upload)


def plan(desk: Seller, **typed: str) -> str:
    """Plan an experiment; give what the next page says."""
    page = desk.get("/admin/experiments")
    return words(desk.do(page, "/admin/experiments", PLAN | typed))


def test_a_shop_with_nothing_to_try_says_so(shop: Shop, seller: Seller) -> None:
    said = words(seller.get("/admin/experiments"))

    assert "nothing on sale yet" in said
    assert "Plan one" not in said


def test_one_is_planned_started_and_ended_with_what_is_shipped(
    shop: Shop, desk: Seller
) -> None:
    assert "headline is planned." in plan(desk)
    draft = desk.get("/admin/experiments/headline")
    assert "To find a difference of 20 %" in words(draft)
    assert "<b>your</b>" not in draft.text

    running = desk.do(draft, "/headline/start")
    assert "headline runs from now on." in words(running)
    assert "Too early to say" in words(running)
    assert 'role="img"' in running.text

    over = desk.do(running, "/headline/stop", {"ship": "b"})
    assert "everybody sees b from now on" in words(over)
    assert "was shipped" in words(desk.get("/admin/experiments"))
    assert "Write &lt;b&gt;your" in desk.get("/p/book").text
    log = words(desk.get("/admin/audit"))
    for said in ("Planned", "Started", "Ended"):
        assert f"{said} an experiment" in log
    became = "Headline: The Book became Write <b>your"
    changed = desk.get("/admin/audit?subject=book")
    assert became in html.unescape(words(changed))


@on_sqlite
def test_one_that_ships_nothing_says_nothing_of_its_product(
    shop: Shop, desk: Seller
) -> None:
    plan(desk)
    draft = desk.get("/admin/experiments/headline")
    running = desk.do(draft, "/headline/start")

    desk.do(running, "/headline/stop", {"ship": "a"})

    log = words(desk.get("/admin/audit"))
    assert "Ended an experiment" in log
    assert "Changed a product" not in log


@on_sqlite
def test_a_draft_can_be_deleted_and_what_has_begun_cannot(desk: Seller) -> None:
    plan(desk)
    draft = desk.get("/admin/experiments/headline")
    gone = desk.do(draft, "/headline/delete")
    assert "headline is deleted." in words(gone)
    assert desk.get("/admin/experiments/headline").status_code == 404

    plan(desk)
    draft = desk.get("/admin/experiments/headline")
    desk.do(draft, "/headline/start")
    late = desk.do(draft, "/headline/delete")
    assert late.status_code == 422
    again = desk.do(draft, "/headline/start")
    assert again.status_code == 422
    assert 'role="alert"' in again.text


@on_sqlite
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "Not A Name"}, "only a-z"),
        ({"name": ""}, "only a-z"),
        ({"product": "never"}, "never"),
        ({"value_b": ""}, "2 to 6 variants"),
        ({"value_b": "The Book"}, "Two variants are the same"),
        ({"lift": "none"}, "no difference that can be looked for"),
        ({"part": "price", "value_b": "free"}, "not a price"),
        ({"part": "price", "value_b": "9", "metric": "conversion"}, "says nothing"),
        ({"part": "cover", "value_b": "/etc/passwd"}, "2 to 6 variants"),
        ({"part": "cover", "cover_b": "/etc/passwd"}, "not here any more"),
        ({"part": "cover", "cover_b": "a" * 32}, "not here any more"),
        ({"part": "template", "value_b": "../../etc/passwd"}, ""),
        ({"part": "nonsense", "value_b": "The Book"}, "the same"),
        ({"part": "page"}, "No site may ask"),
    ],
)
def test_what_cannot_be_tried_is_refused_and_what_was_typed_stays(
    desk: Seller, typed: dict[str, str], said: str
) -> None:
    page = desk.get("/admin/experiments")
    answer = desk.press(page, "/admin/experiments", PLAN | typed)

    assert answer.status_code == 422
    assert said in words(answer)
    assert "--" not in words(answer).partition("Plan one")[2].partition("Name")[0]
    kept = form_of(answer, "/admin/experiments").fields
    assert kept["lift"] == (PLAN | typed)["lift"]


def test_covers_are_tried_with_pictures_that_were_sent(
    shop: Shop, desk: Seller
) -> None:
    first, second = sent(shop, "first.png", 900), sent(shop, "second.png", 901)
    form = desk.get("/admin/experiments")
    assert f'<option value="{first.id}">first.png' in form.text

    said = plan(
        desk,
        name="cover",
        part="cover",
        cover_b=first.id,
        cover_c=second.id,
        value_b="",
    )

    assert "cover is planned." in said
    assert shop.uploads.waiting() == []
    page = desk.get("/admin/experiments/cover")
    pictures = re.findall(r'<img [^>]*src="([^"]+)"', page.text)
    assert [desk.get(url).data for url in pictures] == [picture(900), picture(901)]
    assert desk.get("/admin/experiments/cover/cover/never").status_code == 404
    running = desk.do(page, "/cover/start")
    over = desk.do(running, "/cover/stop", {"ship": "c"})
    assert "everybody sees c from now on" in words(over)
    assert desk.get("/admin/products/book/cover").data == picture(901)


def test_a_picture_that_is_none_stays_where_it_was(shop: Shop, desk: Seller) -> None:
    wrong = sent(shop, "wrong.png", 900, b"no picture")

    answer = desk.press(
        desk.get("/admin/experiments"),
        "/admin/experiments",
        PLAN | {"part": "cover", "cover_b": wrong.id},
    )

    assert answer.status_code == 422
    assert "wrong.png" in words(answer)
    assert f'value="{wrong.id}" selected' in answer.text
    assert [each.id for each in shop.uploads.waiting()] == [wrong.id]


@on_sqlite
def test_a_description_is_the_words_themselves_and_no_file(
    shop: Shop, desk: Seller
) -> None:
    file = shop.home / "words.md"
    file.write_text("What stands in the file.")

    plan(desk, part="description", value_b=str(file))

    page = desk.get("/admin/experiments/headline")
    assert "What stands in the file." not in page.text
    assert str(file) in page.text


@on_sqlite
def test_a_split_that_looks_wrong_is_said_and_nothing_is_drawn(
    shop: Shop, desk: Seller
) -> None:
    begin(shop, "headline", "a", "b=Other")
    number = trial(shop, "headline").id
    with shop.transaction() as session:
        session.add_all(
            Exposure(
                experiment_id=number,
                visitor=each,
                variant="a" if each < 900 else "b",
                at=shop.now(),
            )
            for each in range(1400)
        )

    page = desk.get("/admin/experiments/headline")

    assert "The split looks wrong" in words(page)
    assert "stand against" not in words(page)
    assert "headline Headline of book: The split looks wrong" in words(
        desk.get("/admin/")
    )


@on_sqlite
def test_one_that_is_not_there_is_not_found(desk: Seller) -> None:
    word = desk.form_word()
    for path in ("", "/start", "/stop", "/delete"):
        address = f"/admin/experiments/nobody{path}"
        answer = desk.post(address, {"form_token": word}) if path else desk.get(address)
        assert answer.status_code == 404
