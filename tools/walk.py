"""Count what two requests pass through in the rooms of ``payments``, and where their functions return early.

    python -m tools.walk

Runs an update of a subscription and the payment of a Checkout Session in process, on a fresh SQLite database, and
prints for each walk: functions that take the ``call``, the files they stand in, and the ``return`` statements in them
before the last statement, with the place of each. ``tests/tools/test_walk.py`` holds the figures.
"""

from __future__ import annotations

import ast
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple
from urllib.parse import urlencode

from tests.support.api import Api, open_node

ROOT = Path(__file__).resolve().parent.parent
PAYMENTS = ROOT / "src" / "tollkey" / "payments"


class Walk(NamedTuple):
    """What one request passed through. functions: file and name; returns: file and line of each early return."""

    functions: list[tuple[str, str]]
    returns: list[tuple[str, int]]

    @property
    def files(self) -> set[str]:
        """The files that the functions stand in."""
        return {file for file, _ in self.functions}

    def figures(self) -> str:
        """The figures, in the words of ARCHITECTURE.md."""
        return f"{len(self.functions)} functions, {len(self.files)} files, {len(self.returns)} early returns"


def walk(send: Callable[[], object]) -> Walk:
    """Run ``send`` in this thread and return the functions of payments that it called and that take the ``call``."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, arg: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        send()
    finally:
        sys.setprofile(before)
    passed = sorted(
        (code.co_filename, code.co_firstlineno, code.co_name)
        for code in seen
        if Path(code.co_filename).is_relative_to(PAYMENTS) and "call" in code.co_varnames[: code.co_argcount]
    )
    functions, returns = [], []
    for file, line, name in passed:
        node = _defined(file).get(line)
        if node is not None:  # else a lambda
            place = str(Path(file).relative_to(PAYMENTS))
            functions.append((place, name))
            returns += [(place, at) for at in early_returns(node)]
    return Walk(functions, returns)


@cache
def _defined(file: str) -> dict[int, ast.FunctionDef]:
    """The functions of a file by the line that they begin in, their decorators included."""
    found = (node for node in ast.walk(ast.parse(Path(file).read_text())) if isinstance(node, ast.FunctionDef))
    return {min([node.lineno, *(one.lineno for one in node.decorator_list)]): node for node in found}


def early_returns(function: ast.FunctionDef) -> list[int]:
    """The lines of the ``return`` statements of a function before its last statement, without nested functions."""

    def within(node: ast.AST) -> Iterator[int]:
        if isinstance(node, ast.Return) and node is not function.body[-1]:
            yield node.lineno
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
                yield from within(child)

    return list(within(function))


def update_of_subscription(api: Api) -> Walk:
    """The walk of an update of a subscription to a dearer price that a card pays at once."""
    card = "pm_card_visa"
    customer = api.ok("POST", "/v1/customers", payment_method=card, invoice_settings={"default_payment_method": card})[
        "id"
    ]
    cheap, dear = (
        api.ok(
            "POST", "/v1/prices", currency="usd", unit_amount=amount, recurring={"interval": "month"},
            product_data={"name": "Plan"},
        )["id"]
        for amount in (1_000, 3_000)
    )  # fmt: skip
    subscription = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": cheap}])
    items = [{"id": subscription["items"]["data"][0]["id"], "price": dear}]
    api.advance(10 * 86_400)
    path = f"/v1/subscriptions/{subscription['id']}"
    return walk(lambda: api.ok("POST", path, items=items, proration_behavior="always_invoice"))


def payment_of_session(api: Api) -> Walk:
    """The walk of the page of a Checkout Session of mode payment on which a new card pays."""
    price = {"currency": "usd", "unit_amount": 1_500, "product_data": {"name": "T-shirt"}}
    session = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", success_url="https://shop.example/done",
        line_items=[{"price_data": price, "quantity": 2}],
    )  # fmt: skip
    path = "/pay/" + session["url"].rpartition("/pay/")[2]
    typed = {
        "method": "card", "email": "jo@shop.example", "name": "Jo Li", "country": "US", "postal_code": "94111",
        "number": "4242424242424242", "expiry": "12 / 34", "cvc": "123",
    }  # fmt: skip

    def send() -> None:
        answer = api.send("POST", path, key=None, body=urlencode(typed).encode())
        assert answer.status == 303, answer.body

    return walk(send)


#: The walks by the words that begin their paragraph in ARCHITECTURE.md.
WALKS: dict[str, Callable[[Api], Walk]] = {
    "An update of a subscription": update_of_subscription,
    "Paying a Checkout Session": payment_of_session,
}


def main() -> None:
    """Print both walks."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        world = open_node("", Path(folder), runner, [0])
        for name, measure in WALKS.items():
            found = measure(Api(world))
            print(f"{name}: {found.figures()}")
            for file, function in found.functions:
                print(f"  {file} {function}")
            for file, line in found.returns:
                print(f"  return: {file}:{line}")
        runner.run(world.server.edge.stop())
        world.core.close()


if __name__ == "__main__":
    main()
