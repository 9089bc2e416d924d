"""Reading does not become acting: what lets its holder act is shown only to keys that could have read or made the
object.

The objects come from the recipes, the fields from the specification and from what the server really answers, so a new
resource, or a new field that is named like a secret or an address, needs a decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api, World
from tests.support.recipes import CannotMake, Maker
from tollkey.db import Scope
from tollkey.wire import Resource
from tollkey.wire._check import Array, Node, Object, OneOf, Unset
from tollkey.wire.params import operation_params
from tollkey.wire.reveals import Reveals
from tollkey.wire.shapes import documented_paths

SECRET_NAME = re.compile(r"(secret|url|token|pdf|password)$")
#: Named like a secret or an address, and not one that lets anybody act: field -> why.
PLAIN = {
    "doc_url": "documentation",
    "request_log_url": "a page of the Dashboard, which asks who one is",
    "return_url": "the shop's own address",
    "receipt_url": "a page that shows what the charge says",
    "registry_url": "a public registry",
    "info_url": "a supplier's own site",
    "tracking_url": "a carrier's page",
    "logo_url": "a picture",
    "network_token": "a hash of facts about the card",
    "cvc_token": "an id",
    "token": "an id of an issuing token",
}
#: The same for one field of one object.
PLAIN_OF = {
    "account.business_profile.specified_commercial_transactions_act_url": "the account's own site",
    "account.external_accounts.url": "a path of this API", "application_fee.refunds.url": "a path of this API",
    "v2.core.event.related_object.url": "a path of this API",
    "billing_portal.configuration.login_page.url": "the shop's public sign-in page",
    "file.url": "needs a key", "reporting.report_run.result.url": "needs a key",
    "credit_note.pdf": "shows what the credit note says",
    "payment_link.url": "public by nature: it is printed on walls",
    "mandate.payment_method_details.au_becs_debit.url": "shows the mandate",
    "mandate.payment_method_details.bacs_debit.url": "shows the mandate",
    "mandate.payment_method_details.sepa_debit.url": "shows the mandate",
    "issuing.authorization.transactions.merchant_data.url": "the merchant's site",
    "source.sepa_debit.mandate_url": "shows the mandate", "source.wechat.qr_code_url": "a picture",
    "payment_method.custom.logo.url": "a picture",
}  # fmt: skip
#: Fields of a source that only methods have which are not built; null here.
NEVER = re.compile(r"^source\.(alipay|klarna)\.")


def settable(node: Node, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """The dotted names of parameters."""
    if isinstance(node, Unset):
        yield from settable(node.inner, prefix, depth)
    elif isinstance(node, OneOf):
        for option in node.options:
            yield from settable(option, prefix, depth)
    elif isinstance(node, Array):
        yield from settable(node.item, prefix, depth)
    elif isinstance(node, Object) and depth < 5:
        for name, inner in node.fields.items():
            yield prefix + name
            yield from settable(inner, f"{prefix}{name}.", depth + 1)


def given(resource: Resource) -> set[str]:
    """What callers themselves say of such an object: no secret of ours."""
    schemas = [
        e.params or operation_params(e.method, e.path)
        for e in resource.endpoints
        if e.method == "POST" and not e.public
    ]
    return {name for schema in schemas for name in settable(schema)}


def undecided(resource: Resource) -> list[str]:
    """The documented fields that are named like a secret or an address, and have no decision."""
    try:
        paths = documented_paths(resource.object)
    except LookupError:
        return []
    mine = given(resource)
    wanted = [path for path in paths if SECRET_NAME.search(path.rpartition(".")[2]) and path not in mine]
    return [f"{resource.object}.{path}" for path in wanted if not decided(resource, path)]


def decided(resource: Resource, path: str) -> bool:
    """Whether the field is declared as one that lets its holder act, or said here not to be one."""
    name, whole = path.rpartition(".")[2], f"{resource.object}.{path}"
    declared = any(path == own or path.startswith(f"{own}.") for own in resource.reveals)
    return declared or name in PLAIN or whole in PLAIN_OF or NEVER.search(whole) is not None


def test_every_documented_field_that_is_named_like_a_secret_or_an_address_has_a_decision(sqlite_world: World) -> None:
    assert [field for resource in sqlite_world.core.catalogue.resources for field in undecided(resource)] == []


def test_what_a_key_that_reads_may_see_is_what_some_endpoint_shows_it(sqlite_world: World) -> None:
    """``read`` reveals only where reading the object itself answers the field; else it takes what made the object."""
    wrong = []
    for resource in sqlite_world.core.catalogue.resources:
        readable = any(e.method == "GET" and not e.public and e.path.endswith("}") for e in resource.endpoints)
        wrong += [
            f"{resource.object}.{path}" for path, needs in resource.reveals.items() if needs == "read" and not readable
        ]
    assert wrong == []


# -- what is really answered


class Stage:
    """A merchant with one object of each kind that can be made, and the events of them."""

    def __init__(self, world: World) -> None:
        self.api = Api(world)
        maker = Maker(self.api)
        for resource in self.api.core.catalogue.resources:
            if resource.stored:
                try:
                    maker.make(resource.object)
                except (CannotMake, KeyError):
                    continue
        self.pages: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def stage(sqlite_world: World) -> Stage:
    return Stage(sqlite_world)


def opening(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """(object, dotted path, value) of every client secret and every address of a page, wherever it stands."""
    if isinstance(value, list):
        for item in value:
            yield from opening(item, path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            here = name if isinstance(value.get("object"), str) else f"{path}.{name}" if path else name
            if isinstance(inner, str) and (re.search(r"/[0-9A-Za-z]{43,48}(/|$)", inner) or "_secret_" in inner):
                yield str(value.get("object", "")), here, inner
            yield from opening(inner, here)


def all_events(api: Api, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.ok("GET", "/v1/events", key=key, limit=100, **cursor)
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = {"starting_after": found[-1]["id"]}


SHOWN_TO_ANYBODY = {"receipt_url", "url", "pdf"}  # of charges, payment links, credit notes and mandates (PLAIN_OF)


def test_a_key_that_only_reads_events_sees_nothing_that_lets_it_act(stage: Stage) -> None:
    api, key = stage.api, stage.api.restricted("event_read")
    seen = {
        (event["data"]["object"]["object"], path)
        for event in all_events(api, key)
        for _, path, _ in opening(event["data"])
    }
    whole = {
        (event["data"]["object"]["object"], path)
        for event in all_events(api, api.sk)
        for _, path, _ in opening(event["data"])
    }
    assert {("payment_intent", "client_secret"), ("billing_portal.session", "url"), ("file_link", "url")} <= whole
    assert {("identity.verification_session", "url"), ("setup_intent", "client_secret")} <= whole
    kinds = api.core.catalogue.by_object
    assert [one for one in seen if not decided(kinds[one[0]], one[1]) or one[1] in kinds[one[0]].reveals] == []


def test_each_declared_field_is_shown_to_the_permission_it_names(stage: Stage) -> None:
    api = stage.api
    wrong, keys = [], {}
    whole = {event["id"]: event for event in all_events(api, api.sk)}
    for event in whole.values():
        shown = event["data"]["object"]
        resource = api.core.catalogue.by_object.get(shown["object"])
        for path, needs in resource.reveals.items() if resource is not None else ():
            if "." in path or not shown.get(path):
                continue
            permission = f"{resource.permission.name}_{needs}" if needs in ("read", "write") else needs
            if permission not in keys:
                keys[permission] = api.restricted("event_read", permission)
            got = api.ok("GET", f"/v1/events/{event['id']}", key=keys[permission])["data"]["object"][path]
            hidden = api.ok("GET", f"/v1/events/{event['id']}", key=keys.setdefault("", api.restricted("event_read")))[
                "data"
            ]["object"][path]
            if got != shown[path] or hidden is not None:
                wrong.append(f"{resource.object}.{path}: {got} {hidden}")
    assert wrong == []


def test_previous_attributes_hide_the_same(stage: Stage) -> None:
    api = stage.api
    text = api.restricted("event_read")
    key = next(
        k
        for k in api.core.database.read(lambda tx: api.core.authority.list(tx, Scope(api.account, False)))
        if k.redacted[-4:] == text[-4:]
    )
    before = {"next_action": {"type": "redirect_to_url"}, "amount": 500}
    event = {
        "object": "event",
        "data": {"object": {"object": "payment_intent", "id": "pi_1"}, "previous_attributes": before},
    }
    shown = Reveals(api.core.catalogue).hide(key, False, event)
    assert shown["data"]["previous_attributes"] == {"next_action": None, "amount": 500}
    assert before["next_action"] is not None


def test_an_expanded_secret_needs_the_permission_of_the_object_it_opens(stage: Stage) -> None:
    api = stage.api
    customer = api.ok("POST", "/v1/customers")["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=3)[
        "id"
    ]
    api.ok("POST", "/v1/invoiceitems", customer=customer, invoice=invoice, amount=500, currency="usd")
    api.ok("POST", f"/v1/invoices/{invoice}/finalize")
    path, expand = f"/v1/invoices/{invoice}", ["confirmation_secret"]
    assert api.ok("GET", path, expand=expand)["confirmation_secret"]["client_secret"]
    assert api.ok("GET", path, expand=expand, key=api.restricted("invoice_read"))["confirmation_secret"] is None
    both = api.restricted("invoice_read", "payment_intent_read")
    assert api.ok("GET", path, expand=expand, key=both)["confirmation_secret"]["client_secret"]


def test_an_object_inside_another_hides_its_secret_on_the_short_way_too(stage: Stage) -> None:
    api = stage.api
    owner = {"owner": {"email": "jenny@example.com"}}
    source = api.ok("POST", "/v1/sources", type="card", token="tok_visa", **owner)
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source=source["id"])
    for path in (f"/v1/charges/{charge['id']}", "/v1/charges", "/v1/charges/search"):
        params = {"query": "currency:'usd'"} if path.endswith("search") else {}
        found = api.ok("GET", path, key=api.restricted("charge_read"), **params)
        objects = found.get("data", [found])
        assert [c["source"]["client_secret"] for c in objects if (c.get("source") or {}).get("object") == "source"] in (
            [None],
            [],
        )


def test_what_is_kept_for_a_restricted_key_s_own_object_stays_visible(stage: Stage) -> None:
    api = stage.api
    key = api.restricted("payment_intent_write", "customer_portal_write")
    made = api.ok("POST", "/v1/payment_intents", key=key, amount=500, currency="usd")
    assert made["client_secret"]
    assert api.ok("GET", f"/v1/payment_intents/{made['id']}", key=key)["client_secret"] == made["client_secret"]
    customer = api.ok("POST", "/v1/customers")["id"]
    assert api.ok("POST", "/v1/billing_portal/sessions", key=key, customer=customer)["url"]


def test_on_a_connected_account_the_connect_permissions_decide(stage: Stage) -> None:
    api = stage.api
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    api.post("/v1/payment_intents", headers=there, amount=500, currency="usd")
    key = api.restricted("payment_intent_read", "event_read", connect_permissions=["event_read"])
    events = api.get("/v1/events", headers=there, key=key, type="payment_intent.created")["data"]
    assert [event["data"]["object"]["client_secret"] for event in events] == [None]
    both = api.restricted(connect_permissions=["event_read", "payment_intent_read"])
    assert api.get("/v1/events", headers=there, key=both, type="payment_intent.created")["data"][0]["data"]["object"][
        "client_secret"
    ]


def test_webhook_endpoints_go_on_hearing_whole_objects(stage: Stage) -> None:
    """As with the real system; whoever may make one hears all of the account."""
    api = stage.api
    api.ok("POST", "/v1/webhook_endpoints", url="http://127.0.0.1:1/hook", enabled_events=["payment_intent.created"])
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd")
    rows = api.core.database.read(
        lambda tx: tx.execute(
            "SELECT body FROM outbox_messages WHERE account = ? ORDER BY id DESC LIMIT 1", (api.account,)
        )
    )
    assert intent["client_secret"].encode() in bytes(rows[0][0])


@pytest.mark.parametrize("version", ["2026-10-28.endive", "2018-02-28"])
def test_an_older_version_s_name_for_a_field_is_hidden_too(api: Api, version: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok("POST", "/v1/payment_methods/pm_card_authenticationRequired/attach", customer=customer)["id"]

    def refused(*permissions: str) -> bytes:
        invoice = api.ok("POST", "/v1/invoices", customer=customer, currency="usd")["id"]
        api.ok("POST", "/v1/invoiceitems", customer=customer, invoice=invoice, amount=500, currency="usd")
        api.ok("POST", f"/v1/invoices/{invoice}/finalize")
        key, headers = api.restricted(*permissions), {"Stripe-Version": version}
        answer = api.post(f"/v1/invoices/{invoice}/pay", key=key, headers=headers, payment_method=method)
        assert answer.error["payment_intent"]["status"].startswith("requires_")
        return answer.body

    assert b"/3ds/" not in refused("invoice_write")
    assert b"/3ds/" in refused("invoice_write", "payment_intent_read")
