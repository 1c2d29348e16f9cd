"""Links of a text that is also mailed lead somewhere from a mailbox, too."""

import pytest

from handsel.kit.links import relative_links, whole_links

SHOP = "https://books.example"


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("[a](/p/other)", "[a](https://books.example/p/other)"),
        ("[a](p/other \"Title\")", "[a](https://books.example/p/other \"Title\")"),
        ("[a](</p/two words>)", "[a](<https://books.example/p/two words>)"),
        ("![a](/static/a.png)", "![a](https://books.example/static/a.png)"),
        ("[a][1]\n\n[1]: /p/other", "[a][1]\n\n[1]: https://books.example/p/other"),
        ("[a](//cdn.example/x)", "[a](https://cdn.example/x)"),
        ("[a](../p/other?x=1#y)", "[a](https://books.example/p/other?x=1#y)"),
        ("[a](/p/ä)", "[a](https://books.example/p/ä)"),
        ("- [a](/1) and [b](/2)", "- [a](https://books.example/1) and [b](https://books.example/2)"),
    ],
)  # fmt: skip
def test_a_relative_link_is_made_whole(written: str, whole: str) -> None:
    assert whole_links(written, SHOP) == whole
    assert relative_links(whole) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://elsewhere.example/p) <https://x.example> [b](mailto:a@b.example)",
        "`[a](/p/other)` is how a link is written",
        "    [a](/p/other)\n",
        "no link ](/p/other at all",
        "[a](javascript:alert)",
        "",
    ],
)
def test_everything_else_stays_as_it_was_written(text: str) -> None:
    assert whole_links(text, SHOP) == text


def test_a_shop_in_a_folder_keeps_its_folder_for_relative_links() -> None:
    assert whole_links("[a](p/x)", f"{SHOP}/shop") == f"[a]({SHOP}/shop/p/x)"


def test_a_place_in_the_text_itself_cannot_be_made_whole() -> None:
    text = "[Fixes](#fixes), [a](/p/x)"

    assert relative_links(whole_links(text, SHOP)) == ["#fixes"]
