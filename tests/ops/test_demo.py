"""The demo never takes somebody's own shop for its throw-away one."""

from pathlib import Path

import pytest

from handsel.kit.errors import ConflictError
from handsel.ops import demo, founding
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
