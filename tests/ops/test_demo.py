"""The demo never takes somebody's own shop for its throw-away one."""

import re
from pathlib import Path

import pytest

from handsel.kit.errors import ConflictError
from handsel.ops import demo, founding, sites
from handsel.ops.founding import Plan
from handsel.settings import load_settings


@pytest.fixture(autouse=True)
def no_settings_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo sets the address for its worker; here that must not outlive the test."""
    monkeypatch.setenv("HANDSEL_SHOP__URL", "http://127.0.0.1:8000")


def test_a_demo_is_opened_again_at_another_port(tmp_path: Path) -> None:
    for port in (8000, 8001):
        shop = demo.prepare(tmp_path / "demo", port=port)
        assert shop.settings.public_url == f"http://127.0.0.1:{port}"
        shop.close()


def test_a_shop_of_ones_own_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDSEL_SHOP__URL")
    home = tmp_path / "shop"
    founding.found(home, Plan("Ada", "", "EUR", url="https://books.example.com"))

    with pytest.raises(ConflictError, match="not a demo"):
        demo.prepare(home, port=8000)

    assert load_settings(home).public_url == "https://books.example.com"


def test_a_site_of_the_sellers_stands_beside_the_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_EMBED__ORIGINS", "")
    monkeypatch.delenv("HANDSEL_EMBED__ORIGINS")
    home = tmp_path / "demo"
    shop = demo.prepare(home, port=8123, site="http://127.0.0.1:8124")
    listed = ["http://127.0.0.1:8124", "http://localhost:8124"]
    assert shop.settings.embed.listed == listed
    # A command in another window, which has not the demo's environment, knows them too.
    assert load_settings(home, {}).embed.listed == listed
    pages = demo.sample_site(shop.settings.public_url)
    shop.close()

    kind, page = pages["/"]
    assert kind == "text/html; charset=utf-8"
    assert b'href="http://127.0.0.1:8123/buy/the-first-coin"' in page
    assert b":8000" not in page
    for path in re.findall(r'(?:src|href)="([\w.]+)"', page.decode()):
        assert f"/{path}" in pages


def test_the_site_takes_the_port_after_the_shops_or_any() -> None:
    with sites.listen(0) as taken:
        other = demo.next_port(taken.server_port - 1)
    with other, demo.next_port(65535) as last:
        assert other.server_port != taken.server_port
        assert last.server_port
    with demo.next_port(taken.server_port - 1) as next_one:
        assert next_one.server_port == taken.server_port
