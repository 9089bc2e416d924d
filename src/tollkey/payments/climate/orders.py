"""Climate orders: carbon removal paid from the balance, with its products and suppliers.

(made) ──the balance has enough──▶ confirmed ──its year ends──▶ delivered
   └──▶ awaiting_funds ──tried daily──▶ confirmed │ canceled (expired, after a week)
awaiting_funds, confirmed ──cancel, within 24 hours──▶ canceled   (the price comes back, its fees do not)

In test mode ``POST /v1/test_helpers/climate/orders/{order}/deliver``, which is our own, delivers without waiting for
the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.ledger.books import ADJUSTMENTS
from tollkey.payments.balance import moving, transactions
from tollkey.payments.climate import jobs, states
from tollkey.payments.climate.catalogue import DELIVERY_YEAR, PRICES, PRODUCT, fees_on, products, suppliers
from tollkey.payments.shared import fields, providers, rounding
from tollkey.wire import Action, Call, Endpoint, P, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.kinds import Kind
from tollkey.wire.live import needs, only_in_test
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

ORDERS: Kind[api.ClimateOrder] = Kind("climate.order")
PERMISSION = Permission("climate_order", "Climate Orders", "Climate")
_DAY = 86_400
_WAITS_DAYS = 7
_HUNDREDTH = Decimal("0.01")


def list_products(call: Call, params: operations.GetClimateProducts) -> Page:
    """List the products."""
    return page_of_list(products(call.livemode), "/v1/climate/products", params)


def _product(call: Call, id: str) -> api.ClimateProduct | None:
    return next((product for product in products(call.livemode) if product["id"] == id), None)


def retrieve_product(call: Call, params: operations.GetClimateProductsProduct) -> api.ClimateProduct:
    """Retrieve one product."""
    found = _product(call, call.path["product"])
    if found is None:
        raise missing_object("climate product", call.path["product"], "product", in_path=True)
    return found


def list_suppliers(call: Call, params: operations.GetClimateSuppliers) -> Page:
    """List the suppliers."""
    return page_of_list(suppliers(call.livemode), "/v1/climate/suppliers", params)


def retrieve_supplier(call: Call, params: operations.GetClimateSuppliersSupplier) -> api.ClimateSupplier:
    """Retrieve one supplier."""
    for supplier in suppliers(call.livemode):
        if supplier["id"] == call.path["supplier"]:
            return supplier
    raise missing_object("climate supplier", call.path["supplier"], "supplier", in_path=True)


# -- orders


def _tons_and_subtotal(params: operations.PostClimateOrders, price: int) -> tuple[Decimal, int]:
    """Return metric tons and their price without fees. Raises ApiError 400 unless exactly one was given."""
    tons, amount = params.get("metric_tons"), params.get("amount")
    if (tons is None) == (amount is None):
        raise invalid("You must provide either `amount` or `metric_tons`, but not both.", "metric_tons")
    if amount is not None:
        found, name = (Decimal(amount) / price).quantize(_HUNDREDTH), "amount"
    else:
        found, name = Decimal(str(tons)), "metric_tons"
    if found < _HUNDREDTH:
        raise invalid(f"You must order at least {_HUNDREDTH} metric tons.", name)
    return found, amount if amount is not None else rounding.price_amount(Decimal(price), found)


def create(call: Call, params: operations.PostClimateOrders) -> api.ClimateOrder:
    """Create an order, paid from the balance at once or as soon as the balance suffices."""
    product = _product(call, params["product"])
    if product is None:
        raise missing_object("climate product", params["product"], "product", in_path=False)
    account = fields.acting_account(call) or {}
    currency = (params.get("currency") or account.get("default_currency") or "usd").lower()
    if currency not in PRICES:
        raise invalid(
            f"This product cannot be ordered in {currency}. It has prices in: {', '.join(PRICES)}.", "currency"
        )
    tons, subtotal = _tons_and_subtotal(params, PRICES[currency])
    order = new_object(
        ORDERS,
        id=call.ids.new("climorder"),
        amount_fees=fees_on(subtotal),
        amount_subtotal=subtotal,
        amount_total=subtotal + fees_on(subtotal),
        beneficiary={"public_name": value_at(params, "beneficiary.public_name") or _own_name(account)},
        created=call.now,
        currency=currency,
        expected_delivery_year=DELIVERY_YEAR,
        livemode=call.livemode,
        metric_tons=format(tons.normalize(), "f"),
        product=PRODUCT,
        status=states.ORDER.start("awaiting_funds"),
    )
    order["metadata"] = fields.new_metadata(params)
    paid = _pay(call, order)
    call.objects.insert(order, "climate.order.created")
    if not paid:
        call.schedule.add(call.now + _DAY, jobs.CLIMATE_ORDER_PAY, order["id"])
    return order


def _own_name(account: Mapping[str, Any]) -> str:
    return (
        value_at(account, "business_profile.name")
        or value_at(account, "settings.dashboard.display_name")
        or account.get("email")
        or "Unnamed"
    )


def _pay(call: Call, order: api.ClimateOrder) -> bool:
    """Pay an order from the balance; return False if the balance does not suffice."""
    total = Money(order["amount_total"], order["currency"])
    if moving.available(call, total.currency) < total:
        return False
    _book(call, order, "climate_order_purchase", -total)
    states.ORDER.set(order, "confirmed")
    order["confirmed_at"] = call.now
    ends = int(datetime(order["expected_delivery_year"] + 1, 1, 1, tzinfo=UTC).timestamp())
    call.schedule.add(max(ends, call.now), jobs.CLIMATE_ORDER_DELIVER, order["id"])
    return True


def _book(call: Call, order: api.ClimateOrder, type: str, amount: Money) -> None:
    transactions.book(
        call,
        transactions.Booking(
            type=type,
            category=type,
            source=order["id"],
            amount=amount,
            against=ADJUSTMENTS,
            description="Climate order",
        ),
    )


def _try_again(call: Call, id: str) -> None:
    order = call.objects.find(ORDERS, id)
    if order is None or order["status"] != "awaiting_funds":
        return
    if _pay(call, order):
        call.objects.save(order)
    elif call.now - order["created"] >= _WAITS_DAYS * _DAY:
        _cancel_order(call, order, "expired")
    else:
        call.schedule.add(call.now + _DAY, jobs.CLIMATE_ORDER_PAY, id)


def update(call: Call, params: operations.PostClimateOrdersOrder) -> api.ClimateOrder:
    """Change the beneficiary or the metadata of an order."""
    order = call.objects.get(ORDERS, call.path["order"])
    if "beneficiary" in params:
        name = value_at(params, "beneficiary.public_name")
        order["beneficiary"] = {"public_name": name or _own_name(fields.acting_account(call) or {})}
    fields.merge_metadata(order, params)
    return call.objects.save(order)


def _cancel_order(call: Call, order: api.ClimateOrder, reason: str) -> api.ClimateOrder:
    for kind in (jobs.CLIMATE_ORDER_PAY, jobs.CLIMATE_ORDER_DELIVER):
        call.schedule.cancel(kind, order["id"])
    states.ORDER.set(order, "canceled")
    order.update({"canceled_at": call.now, "cancellation_reason": reason})
    return call.objects.save(order, "climate.order.canceled")


def cancel(call: Call, params: operations.PostClimateOrdersOrderCancel) -> api.ClimateOrder:
    """Cancel an order within 24 hours and refund its price without the fees."""
    order = call.objects.get(ORDERS, call.path["order"])
    if order["status"] not in ("awaiting_funds", "confirmed"):
        raise invalid(f"This order cannot be canceled because it has a status of {order['status']}.", retry=False)
    if call.now - order["created"] > _DAY:
        raise invalid(
            "This order cannot be canceled: orders can be canceled within 24 hours of their creation.", retry=False
        )
    if order["status"] == "confirmed":
        _book(call, order, "climate_order_refund", Money(order["amount_subtotal"], order["currency"]))
    return _cancel_order(call, order, "requested")


def deliver(call: Call, params: operations.PostTestHelpersClimateOrdersOrderDeliver) -> api.ClimateOrder:
    """Deliver a confirmed order now (test mode)."""
    order = call.objects.get(ORDERS, call.path["order"])
    if order["status"] != "confirmed":
        raise invalid(f"This order cannot be delivered because it has a status of {order['status']}.", retry=False)
    call.schedule.cancel(jobs.CLIMATE_ORDER_DELIVER, order["id"])
    return _deliver(call, order)


def _deliver(call: Call, order: api.ClimateOrder) -> api.ClimateOrder:
    """Mark an order as delivered, in equal parts by all suppliers."""
    everybody = suppliers(call.livemode)
    tons = Decimal(order["metric_tons"])
    share = (tons / len(everybody)).quantize(Decimal("0.0001"))
    parts = [share] * (len(everybody) - 1)
    parts.append(tons - sum(parts))
    order["delivery_details"] = [
        {
            "delivered_at": call.now, "location": supplier["locations"][0],
            "metric_tons": format(part.normalize(), "f"),
            "registry_url": None, "supplier": supplier,
        }
        for supplier, part in zip(everybody, parts, strict=True)
    ]  # fmt: skip
    states.ORDER.set(order, "delivered")
    order["delivered_at"] = call.now
    return call.objects.save(order, "climate.order.delivered")


def _delivered(call: Call, id: str) -> None:
    order = call.objects.find(ORDERS, id)
    if order is not None and order["status"] == "confirmed":
        _deliver(call, order)


ORDER = Resource(
    object="climate.order",
    prefix="climorder",
    permission=PERMISSION,
    live=needs(providers.CLIMATE),
    label="climate order",
    path_param="order",
    indexed=("status",),
    expands={"product": lambda call, order: _product(call, order["product"])},
    endpoints=(
        listing("climate.order", "/v1/climate/orders"),
        Endpoint("POST", "/v1/climate/orders", create),
        retrieve("climate.order", "/v1/climate/orders/{order}"),
        Endpoint("POST", "/v1/climate/orders/{order}", update),
        Endpoint("POST", "/v1/climate/orders/{order}/cancel", cancel),
        Endpoint(
            "POST", "/v1/test_helpers/climate/orders/{order}/deliver", deliver, params=P.object(), live=only_in_test()
        ),
    ),
    on_due={jobs.CLIMATE_ORDER_PAY: _try_again, jobs.CLIMATE_ORDER_DELIVER: _delivered},
    title="Climate orders",
    columns=("metric_tons", "amount_total", "status", "id", "created"),
    actions=(Action("Cancel", "/v1/climate/orders/{order}/cancel", when=("awaiting_funds", "confirmed")),),
)
PRODUCTS = Resource(
    object="climate.product",
    permission=PERMISSION,
    stored=False,
    endpoints=(
        Endpoint("GET", "/v1/climate/products", list_products, live=needs(providers.CLIMATE)),
        Endpoint("GET", "/v1/climate/products/{product}", retrieve_product, live=needs(providers.CLIMATE)),
    ),
)
SUPPLIERS = Resource(
    object="climate.supplier",
    permission=PERMISSION,
    stored=False,
    endpoints=(
        Endpoint("GET", "/v1/climate/suppliers", list_suppliers, live=needs(providers.CLIMATE)),
        Endpoint("GET", "/v1/climate/suppliers/{supplier}", retrieve_supplier, live=needs(providers.CLIMATE)),
    ),
)
