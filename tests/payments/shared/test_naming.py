"""Parameters that name objects which are not there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table
from tollkey.db import Scope
from tollkey.payments.shared.naming import check_named
from tollkey.wire import ApiError

OF_NOBODY = "cus_ofnobody"


def refused(api: Api, params: dict[str, Any], places: dict[str, str], within: str = "") -> ApiError | None:
    """What is said of an object that is not there; None where all are."""
    scope = Scope(api.account, False)
    try:
        api.core.database.read(lambda tx: check_named(api.core.call(tx, scope), params, places, within))
    except ApiError as error:
        return error
    return None


@rule_table
@pytest.mark.parametrize(
    ("params", "path", "within", "param"),
    [
        ({"customer": OF_NOBODY}, "customer", "", "customer"),
        ({"a": {"customer": OF_NOBODY}}, "a.customer", "", "a[customer]"),
        ({"a": {"customer": OF_NOBODY}}, "a.customer", "b", "b[a][customer]"),
        ({"customers": [OF_NOBODY]}, "customers", "", "customers[0]"),
        ({"customer": ""}, "customer", "", None),
        ({"customer": None}, "customer", "", None),
        ({}, "a.customer", "", None),
    ],
)
def test_an_id_of_nobody_is_refused_with_its_place(
    api: Api, params: dict[str, Any], path: str, within: str, param: str | None
) -> None:
    error = refused(api, params, {path: "customer"}, within)
    assert (error and (error.status, error.code, error.param)) == (param and (400, "resource_missing", param))


def test_an_object_of_the_account_is_taken_and_one_of_another_is_not(api: Api) -> None:
    own, others = (merchant.ok("POST", "/v1/customers")["id"] for merchant in (api, api.another()))
    assert refused(api, {"customers": [own]}, {"customers": "customer"}) is None
    error = refused(api, {"customers": [own, others]}, {"customers": "customer"})
    assert error is not None
    assert error.param == "customers[1]"
