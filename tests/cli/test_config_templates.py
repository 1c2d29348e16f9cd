"""`handsel config check` reads the seller's own templates, and names file and line."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from handsel.shop import Shop
from tests.cli.test_keep import facts, on_sqlite, run
from tests.cli.test_preview import write_template

PAGE = '{% extends "base.html" %}\n'
MAIL = (
    "{{% block subject %}}x{{% endblock %}}{{% block text %}}{{% endblock %}}"
    "{{% block html %}}{html}{{% endblock %}}"
)
RIGHT = {
    "shop.html": PAGE
    + "{% block main %}{{ shop.name }}{% for p in products %}{{ p.name }}{{ loop.index }}"
    "{% endfor %}{% set mine = 1 %}{{ mine }}{{ static('shop.css') }}"
    "{% block inner %}{% endblock %}{% endblock %}",
    "base.html": "{% if product is defined %}{{ product.name }}{% endif %}"
    "{% block mine %}{% endblock %}{% block main %}{% endblock %}",
    "error.html": PAGE + "{% block mine %}{{ message }}{% endblock %}",
    "buy.html": '{% include "nothing.html" ignore missing %}{{ request.path }}',
    "of_my_own.html": "{{ anything }}",
    "mail/_foot.txt": "{% if order is defined %}{{ order.number }}{% endif %}",
}
WRONG = {
    "shop.html": (
        PAGE + "{% block main %}\n{% if %}",
        "line 3: Expected an expression",
    ),
    "error.html": (
        PAGE + "\n{% block mian %}{% endblock %}",
        "line 3: nobody shows the block 'mian'; there are head, main, robots, title",
    ),
    "product.html": (
        PAGE + "{% block main %}\n{{ prodcut.name }}{% endblock %}",
        "line 3: 'prodcut' is undefined",
    ),
    "find.html": (
        '\n{% include "fnid.html" %}',
        "line 2: there is no template fnid.html",
    ),
    "leave.html": (
        '{% extends "bsae.html" %}',
        "line 1: there is no template bsae.html",
    ),
    "used_up.html": ("{{ limit|nix }}", "line 1: No filter named 'nix'"),
    "mail/find.jinja": (
        MAIL.format(html="{{ link }}") + "\n{% block txet %}{% endblock %}",
        "line 2: nobody shows the block 'txet'; there are html, subject, text",
    ),
    "mail/test.jinja": (
        MAIL.format(html="\n{% if not test_mode and test_mode %}{{ dtae }}{% endif %}"),
        "line 2: 'dtae' is undefined",
    ),
}


@on_sqlite
def test_templates_that_are_right_are_no_problem(shop: Shop) -> None:
    for name, text in RIGHT.items():
        write_template(shop, name, text)

    assert facts(shop, "config", "check") == {"ok": True, "problems": []}


@on_sqlite
def test_our_own_templates_copied_are_no_problem(shop: Shop) -> None:
    shutil.rmtree(shop.home / "templates", ignore_errors=True)
    ours = Path(str(files("handsel"))) / "templates"
    shutil.copytree(ours, shop.home / "templates")

    assert facts(shop, "config", "check") == {"ok": True, "problems": []}


@on_sqlite
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_once_with_file_and_line(name: str, shop: Shop) -> None:
    text, problem = WRONG[name]
    write_template(shop, name, text)

    found = facts(shop, "config", "check", code=4)
    shown = run(shop, "config", "check")

    assert isinstance(found, dict)
    (said,) = found["problems"]
    assert said.startswith(f"templates/{name}, {problem}")
    assert said in shown.stdout
