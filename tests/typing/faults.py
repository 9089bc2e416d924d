"""Faults on purpose: mypy must name each of them. Never run; ``tests/test_typing.py`` has mypy read it.

Each faulty line ends with ``# fault: CODE``, where CODE is mypy's. A line without the mark must have no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, pricing, redemption
from tollkey.payments.catalog import kinds as catalog_kinds
from tollkey.payments.charges import kinds as charge_kinds
from tollkey.payments.charges import refund_rules
from tollkey.payments.customers import balance as customer_balance
from tollkey.payments.customers import kinds as customer_kinds
from tollkey.payments.tax import kinds as tax_kinds
from tollkey.payments.tax import rates as tax_rates
from tollkey.wire import Call, Resource
from tollkey.wire.kinds import Job, Kind

if TYPE_CHECKING:
    from tollkey.payments.testing.stored import StoredTestClock
    from tollkey.wire import api, operations

ORDERS: Kind[api.ClimateOrder] = Kind("climate.order")
CLOCKS: Kind[StoredTestClock] = Kind("test_helpers.test_clock")
PAY = Job("climate.order.pay")


def misspelt(call: Call, id: str) -> None:
    order = call.objects.get(ORDERS, id)
    print(order["amount_totl"])  # fault: typeddict-item
    order["confirmd_at"] = call.now  # fault: typeddict-unknown-key
    order.update({"cancelled_at": call.now})  # fault: misc
    call.emit("climate.order.cancelled", order)  # fault: arg-type
    call.objects.save(order, "climate.order.payed")  # fault: arg-type
    call.schedule.add(call.now, PAYS, id)  # noqa: F821  # fault: name-defined
    call.schedule.cancel("climate.order.pay", id)  # fault: arg-type
    print(call.services.authorty)  # fault: attr-defined
    print(call.objects.get(ORDER, id))  # noqa: F821  # fault: name-defined
    clock = call.objects.find(CLOCKS, id)
    print(clock["frozen_time"])  # fault: index
    if clock is not None:
        clock["_dne"] = 1  # fault: typeddict-unknown-key


def mistyped(call: Call, id: str) -> int:
    order = call.objects.get(ORDERS, id)
    order["status"] = "payed"  # fault: typeddict-item
    order["amount_total"] = "2000"  # fault: typeddict-item
    order["canceled_at"] = None
    if order["amount_total"] > order["currency"]:  # fault: operator
        call.schedule.add(order["currency"], PAY, id)  # fault: arg-type
    return order["currency"]  # fault: return-value


def mixed(order: api.ClimateOrder, total: Money) -> Money:
    print(total + order["amount_total"])  # fault: operator
    print(Money(order["currency"], order["amount_total"]))  # fault: arg-type
    print(total < order["amount_total"])  # fault: operator
    print(total * 2)  # fault: operator
    print(arithmetic.Line(order["amount_total"]))  # fault: arg-type
    print(arithmetic.compute([arithmetic.Line(total)]))  # fault: call-arg
    print(arithmetic.compute([], currency="usd").total + 1)  # fault: operator
    return total


def confused(call: Call, id: str) -> None:
    price = call.objects.get(catalog_kinds.PRICE, id)
    print(price["recurring"]["interval"])  # fault: index
    price["_teirs"] = []  # fault: typeddict-unknown-key
    redemption.remove(call, price)  # fault: arg-type
    pricing.in_currency(id, "eur")  # fault: arg-type
    coupon = call.objects.get(catalog_kinds.COUPON, id)
    print(coupon["amount_off"] + 1)  # fault: operator
    customer = call.objects.get(customer_kinds.CUSTOMER, id)
    customer_balance.change_balance(call, price, Money(100, "usd"), "adjustment")  # fault: arg-type
    customer_balance.change_balance(call, customer, 100, "adjustment")  # fault: arg-type
    customer_balance.change_balance(call, customer, Money(100, "usd"), "adjustment", currency="eur")  # fault: call-arg
    customer["_cash"] = {"usd": "100"}  # fault: dict-item


def charged(call: Call, id: str) -> None:
    charge = call.objects.get(charge_kinds.CHARGE, id)
    charge["status"] = "refunded"  # fault: typeddict-item
    charge["_uncolected"] = True  # fault: typeddict-unknown-key
    print(charge["_decline"]["code"])  # fault: index
    refund = refund_rules.refund(call, charge, {})
    refund_rules.return_refund(call, charge, "failed")  # fault: arg-type
    print(refund["amount"] + charge["application_fee_amount"])  # fault: operator
    settings = call.objects.get(tax_kinds.SETTINGS, id)
    print(settings["head_office"]["address"])  # fault: index
    tax_rates.percent_at(call, settings)  # fault: arg-type
    tax_rates.spread([charge], refund["amount"])  # fault: list-item


def asked(call: Call, params: operations.PostCoupons) -> str:
    print(params["nmae"])  # fault: typeddict-item
    print(params["applies_to"]["product"])  # fault: typeddict-item
    print(params["duration"] == "weekly")  # fault: comparison-overlap
    print(params["percent_off"] + params["name"])  # fault: operator
    params["duration"] = "repeated"  # fault: typeddict-item
    print(params["metadata"]["order"])  # fault: index
    return params["redeem_by"]  # fault: return-value


def _pay(call: Call, id: str) -> None: ...


PERMISSION = Permission("climate_order", "Climate Orders", "Climate")
CLIMATE = Resource("climate.order", PERMISSION, on_due={"climate.order.pay": _pay})  # fault: dict-item
