"""The pages of the built-in test provider: no real card, no real money, always said so."""

from typing import Any, cast

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.money import format_money
from handsel.sales.payments.test import TEST_CARDS, TestProvider
from handsel.web.guards import Policy, guard
from handsel.web.pages import page, the_shop

blueprint = Blueprint("testpay", __name__)
guard(blueprint, Policy("a buyer with test money", secret=True))

FIELDS = ("email", "number", "expiry", "cvc")


def _bank() -> TestProvider:
    return cast(TestProvider, the_shop().provider("test"))
