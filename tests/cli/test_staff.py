"""`handsel staff`, and the link that `init` prints."""

import json
from pathlib import Path

from click.testing import CliRunner

from handsel.cli import handsel
from handsel.shop import Shop, open_shop
from tests.cli.test_coupon import run, told
from tests.ground.visitor import words
from tests.stories.desks import EMAIL, Seller, hire


def test_init_prints_a_link_that_opens_the_desk(tmp_path: Path) -> None:
    place = tmp_path / "shop"
    done = CliRunner().invoke(handsel, ["init", str(place), "--email", EMAIL, "--json"])
    link = json.loads(done.stdout)["desk"]
    opened = open_shop(place)
    try:
        assert Seller(opened).begin(link).status_code == 200
    finally:
        opened.close()


def test_without_an_address_init_says_how_to_come_in(tmp_path: Path) -> None:
    done = CliRunner().invoke(handsel, ["init", str(tmp_path / "shop"), "--no-input"])
    assert "handsel staff add YOUR@E-MAIL" in done.stdout


def test_staff_are_added_listed_and_removed(shop: Shop) -> None:
    added = told(shop, "staff", "add", "Bob@Example.com")
    listed = told(shop, "staff", "list")
    bob = Seller(shop)
    assert bob.begin(added["link"]).status_code == 200
    ready = run(shop, "staff", "list").stdout
    removed = told(shop, "staff", "remove", "bob@example.com")

    assert [(each["email"], each["ready"]) for each in listed] == [
        (added["email"], False)
    ]
    assert "yes" in ready
    assert removed["removed"]
    assert bob.get("/admin/").status_code == 303
    assert "Nobody yet" in run(shop, "staff", "list").stdout


def test_a_new_link_makes_the_old_proofs_void(shop: Shop) -> None:
    seller = hire(shop)
    first = told(shop, "staff", "link", EMAIL)["link"]
    second = told(shop, "staff", "link", EMAIL)["link"]

    assert "has been used" in words(Seller(shop).get(first))
    assert seller.get("/admin/").status_code == 200  # until the link is used
    assert Seller(shop).begin(second).status_code == 200
    assert seller.get("/admin/").status_code == 303


def test_a_link_of_somebody_who_was_taken_out_opens_nothing_of_the_next(
    shop: Shop,
) -> None:
    old = told(shop, "staff", "add", "bob@example.com")["link"]
    told(shop, "staff", "remove", "bob@example.com")
    new = told(shop, "staff", "add", "eve@example.com")["link"]

    assert Seller(shop).get(old).status_code == 404
    assert Seller(shop).get(new).status_code == 200


def test_wrong_words_are_sentences(shop: Shop) -> None:
    told(shop, "staff", "add", EMAIL)
    for line, code, said in (
        (("add", EMAIL), 1, "one of the staff already"),
        (("add", "no address"), 2, "address"),
        (("link", "nobody@example.com"), 3, "Nobody with the address"),
        (("remove", "nobody@example.com"), 3, "Nobody with the address"),
    ):
        done = CliRunner().invoke(handsel, ["staff", *line, "--home", str(shop.home)])
        assert done.exception is not None
        assert getattr(done.exception, "exit_code", None) == code, line
        assert said in str(done.exception)
