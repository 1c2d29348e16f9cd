"""`handsel web` on an address the shop does not know as its own."""

from pathlib import Path

import pytest

from handsel.shop import Shop
from tests.faults.processes import program


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_shop_that_is_not_where_its_links_lead_says_so(
    shop: Shop, unused_port: int, tmp_path: Path
) -> None:
    address, log = f"127.0.0.1:{unused_port}", tmp_path / "log"
    words = ("handsel", "web", "--json", "--home", str(shop.home), "--bind", address)

    with program(*words, log=log) as web:
        url, _ = web.open()

    assert url == f"http://{address}"
    assert f"buyers are led to {shop.settings.shop.url}" in log.read_text()
