"""Billing credit grants: prepaid credits that invoices apply to metered prices before taxes.

created ──effective_at──▶ effective ──invoices finalized──▶ used up
   │                         ├──expires_at, or expire──▶ expired   (what is left goes)
   └─────────void────────────┴──▶ voided   (only while nothing of it was applied)
a voided invoice gives back what it had used

Each change of what is left is a credit balance transaction; the summary adds them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.payments.shared import clock, fields, permissions
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.usage import kinds
from tollkey.payments.usage.credits import (
    MOST,
    change_left,
    covers,
    expire_rest,
    granted,
    grants_of,
    is_usable,
    left_of,
    record,
    wire_amount,
)
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param, too_small
from tollkey.wire.kinds import Job
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.payments.usage.stored import StoredCreditGrant
    from tollkey.wire import api, operations

_EXPIRE = Job("credit_grant.expire")


def create(call: Call, params: operations.PostBillingCreditGrants) -> StoredCreditGrant:
    """Grant credits to a customer, for all metered prices or for some."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
    call = clock.for_customer(call, customer)
    amount = _amount(params)
    expires = params.get("expires_at")
    effective = params.get("effective_at") or call.now
    _check_order(effective, expires)
    if sum(is_usable(grant, call.now) for grant in grants_of(call, customer["id"])) >= MOST:
        raise invalid(f"A customer can have up to {MOST} unused credit grants.", "customer")
    grant = new_object(
        kinds.GRANT,
        id=call.ids.new("credgr_test" if not call.livemode else "credgr"),
        amount=amount,
        applicability_config={"scope": _scope(call, params["applicability_config"]["scope"])},
        category=params.get("category") or "paid",
        created=call.now,
        customer=customer["id"],
        effective_at=effective,
        expires_at=expires,
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        name=params.get("name"),
        priority=params.get("priority", 50),
        test_clock=customer.get("test_clock"),
        updated=call.now,
    )
    grant["_left"] = granted(grant).amount
    call.objects.insert(grant, "billing.credit_grant.created")
    record(call, grant, "credits_granted", granted(grant))
    if expires is not None:
        call.schedule.add(expires, _EXPIRE, grant["id"], grant["test_clock"])
    return grant


def _check_order(effective: int | None, expires: int | None) -> None:
    """Raise ApiError 400 for credits that end before they can be used (UTC epoch seconds)."""
    if expires is not None and expires <= (effective or 0):
        raise invalid(
            "The `expires_at` timestamp must be after the time at which the credit grant becomes effective.",
            "expires_at",
        )


def _amount(params: operations.PostBillingCreditGrants) -> api.BillingCreditGrantsResourceAmount:
    monetary = params["amount"].get("monetary")
    if monetary is None:
        raise missing_param("amount[monetary]")
    if monetary["value"] < 1:
        raise too_small("amount[monetary][value]")
    currency = shared_currency.check_currency(monetary["currency"], "amount[monetary][currency]")
    return wire_amount(Money(monetary["value"], currency))


def _scope(call: Call, given: operations.ApplicabilityScope) -> api.BillingCreditGrantsResourceScope:
    """Return the scope of a grant: ``price_type`` metered, or some metered prices by id."""
    prices = given.get("prices")
    if bool(given.get("price_type")) == bool(prices):
        raise invalid("You must provide exactly one of `price_type` or `prices`.", "applicability_config[scope]")
    if not prices:
        return {"price_type": given["price_type"]}
    for place, one in enumerate(prices):
        param = f"applicability_config[scope][prices][{place}][id]"
        price = call.objects.get(kinds.PRICE, one["id"], param)
        if price["recurring"] is None or price["recurring"]["usage_type"] != "metered":
            raise invalid("Credit grants can only be applied to metered prices.", param)
        if price["recurring"]["meter"] is None:
            raise invalid("Credit grants can only be applied to metered prices with a billing meter.", param)
    return {"prices": [{"id": one["id"]} for one in prices]}


def update(call: Call, params: operations.PostBillingCreditGrantsId) -> StoredCreditGrant:
    """Change the expiry or the metadata of a grant."""
    grant, call = _open(call)
    fields.merge_metadata(grant, params)
    if "expires_at" in params:
        grant["expires_at"] = params["expires_at"]
        call.schedule.cancel(_EXPIRE, grant["id"])
        if params["expires_at"] is not None:
            if params["expires_at"] <= call.now:
                raise invalid("The `expires_at` timestamp must be in the future.", "expires_at")
            _check_order(grant["effective_at"], params["expires_at"])
            call.schedule.add(params["expires_at"], _EXPIRE, grant["id"], grant["test_clock"])
    grant["updated"] = call.now
    return call.objects.save(grant, "billing.credit_grant.updated")


def _open(call: Call) -> tuple[StoredCreditGrant, Call]:
    """Return the grant in the path, and the call at its customer's time. Raises ApiError if it is voided or expired."""
    grant = call.objects.get(kinds.GRANT, call.path["id"])
    call = clock.for_customer(call, call.objects.find(kinds.CUSTOMER, grant["customer"]))
    if grant["voided_at"] is not None:
        raise invalid("This credit grant has been voided.", retry=False)
    if grant["expires_at"] is not None and grant["expires_at"] <= call.now:
        raise invalid("This credit grant has expired.", retry=False)
    return grant, call


def expire(call: Call, params: operations.PostBillingCreditGrantsIdExpire) -> StoredCreditGrant:
    """Expire a grant now; its remaining credits are lost."""
    grant, call = _open(call)
    grant["expires_at"] = grant["updated"] = call.now
    call.schedule.cancel(_EXPIRE, grant["id"])
    expire_rest(call, grant)
    return call.objects.save(grant, "billing.credit_grant.updated")


def void(call: Call, params: operations.PostBillingCreditGrantsIdVoid) -> StoredCreditGrant:
    """Void a grant of which nothing has been applied."""
    grant, call = _open(call)
    if left_of(grant) != granted(grant):
        raise invalid(
            "You can't void a credit grant that has been applied to an invoice. Expire it instead.", retry=False
        )
    grant["voided_at"] = grant["updated"] = call.now
    left = left_of(grant)
    change_left(grant, -left)
    call.schedule.cancel(_EXPIRE, grant["id"])
    call.objects.save(grant, "billing.credit_grant.updated")
    record(call, grant, "credits_voided", left)
    return grant


def expire_grant(call: Call, id: str) -> None:
    """Run the job that expires a credit grant."""
    grant = call.objects.find(kinds.GRANT, id)
    if grant is not None and grant["voided_at"] is None:
        expire_rest(call, grant)


def list_grants(call: Call, params: operations.GetBillingCreditGrants) -> Page:
    """List grants, newest first, optionally of one customer."""
    return list_page(call, kinds.GRANT, params, _customer(params, "customer"), url="/v1/billing/credit_grants")


def list_transactions(call: Call, params: operations.GetBillingCreditBalanceTransactions) -> Page:
    """List the credit balance transactions of a customer, or of one grant."""
    equal = {
        **_customer(params, "_customer"),
        **({"credit_grant": params["credit_grant"]} if params.get("credit_grant") else {}),
    }
    return list_page(call, kinds.TRANSACTION, params, equal, url="/v1/billing/credit_balance_transactions")


def _customer(
    params: operations.GetBillingCreditBalanceTransactions | operations.GetBillingCreditGrants, field: str
) -> dict[str, str]:
    return {field: params["customer"]} if params.get("customer") else {}


def summary(call: Call, params: operations.GetBillingCreditBalanceSummary) -> api.BillingCreditBalanceSummary:
    """Return a customer's credit balance by currency: for all metered prices, for some prices, or of one grant."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
    now = clock.for_customer(call, customer).now
    left: dict[str, Money] = {}
    for grant in _chosen(call, customer["id"], params["filter"]):
        own = left_of(grant)
        before = left.get(own.currency, own.with_amount(0))
        left[own.currency] = before + own if is_usable(grant, now) else before
    balances = [
        {"available_balance": wire_amount(total), "ledger_balance": wire_amount(total)}
        for _, total in sorted(left.items())
    ]
    return new_object(kinds.CREDIT_SUMMARY, balances=balances, customer=customer["id"], livemode=call.livemode)


def _chosen(
    call: Call, customer: str, wanted: operations.GetBillingCreditBalanceSummaryFilter
) -> list[StoredCreditGrant]:
    if wanted["type"] == "credit_grant":
        if not wanted.get("credit_grant"):
            raise missing_param("filter[credit_grant]")
        grant = call.objects.get(kinds.GRANT, wanted["credit_grant"], "filter[credit_grant]")
        return [grant] if grant["customer"] == customer else []
    scope = wanted.get("applicability_scope") or {}
    if not scope:
        raise missing_param("filter[applicability_scope]")
    grants = grants_of(call, customer)
    if scope.get("prices"):
        return [grant for grant in grants if any(covers(grant, one["id"]) for one in scope["prices"])]
    return [grant for grant in grants if covers(grant, "")]


_PATH = "/v1/billing/credit_grants"
CREDIT_GRANT = Resource(
    object="billing.credit_grant",
    prefix="credgr",
    prefixes=("credgr_test",),
    permission=permissions.CUSTOMER,
    live=records(),
    indexed=("customer",),
    label="billing credit grant",
    endpoints=(
        Endpoint("GET", _PATH, list_grants),
        Endpoint("POST", _PATH, create),
        retrieve("billing.credit_grant", _PATH + "/{id}"),
        Endpoint("POST", _PATH + "/{id}", update),
        Endpoint("POST", _PATH + "/{id}/expire", expire),
        Endpoint("POST", _PATH + "/{id}/void", void),
    ),
    on_due={_EXPIRE: expire_grant},
    title="Credit grants",
    columns=("name", "id", "customer", "category", "expires_at", "created"),
    actions=(Action("Expire", _PATH + "/{id}/expire"), Action("Void", _PATH + "/{id}/void")),
)
CREDIT_BALANCE_TRANSACTION = Resource(
    object="billing.credit_balance_transaction",
    prefix="cbtxn_test",
    permission=permissions.CUSTOMER,
    live=records(),
    indexed=("credit_grant", "_customer"),
    label="billing credit balance transaction",
    endpoints=(
        Endpoint("GET", "/v1/billing/credit_balance_transactions", list_transactions),
        retrieve("billing.credit_balance_transaction", "/v1/billing/credit_balance_transactions/{id}"),
    ),
    title="Credit balance transactions",
    columns=("type", "id", "credit_grant", "created"),
)
CREDIT_BALANCE_SUMMARY = Resource(
    object="billing.credit_balance_summary",
    permission=permissions.CUSTOMER,
    live=records(),
    endpoints=(Endpoint("GET", "/v1/billing/credit_balance_summary", summary),),
    stored=False,
)
