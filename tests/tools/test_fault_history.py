"""The check of a history under faults finds what was lost, done twice, or does not agree."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / "bench" / "fault_history.py"
Lists = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def faults() -> Iterator[ModuleType]:
    """bench/fault_history.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("fault_history", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fault_history"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fault_history"]


def charge(id: str, operation: int) -> dict[str, Any]:
    return {"id": id, "amount": 70, "amount_refunded": 0, "metadata": {"operation": str(operation)}}


def state() -> Lists:
    """What a server shows after one charge and one addition to the counter."""
    lists: Lists = {f"/v1/{name}": [] for name in ("charges", "refunds", "transfers", "payouts")}
    lists["/v1/charges"] = [charge("ch_0", 0)]
    lists["/v1/balance_transactions"] = [{"source": "ch_0", "type": "charge", "amount": 70}]
    lists["/v1/customers/cus_1/balance_transactions"] = [
        {"id": "cbtxn_1", "ending_balance": 1, "metadata": {"operation": "1"}}
    ]
    lists["/v1/events?type=charge.succeeded"] = [{"data": {"object": {"id": "ch_0"}}}]
    return lists


def judged(faults: ModuleType, lists: Lists, change: Callable[[Any], None] = lambda history: None) -> Any:
    history = faults.History()
    made = history.begin("charge", "/v1/charges", {"amount": 70})
    counted = history.begin("count", "/v1/customers/cus_1/balance_transactions", {"amount": 1})
    history.settle(made, 200, {"id": "ch_0"})
    history.settle(counted, 200, {"id": "cbtxn_1"})
    change(history)
    return faults.judge(history, lambda path: iter(lists.get(path, [])), lambda path: iter([]), "cus_1")


def test_a_state_that_agrees_with_the_history_is_good(faults: ModuleType) -> None:
    verdict = judged(faults, state())
    assert (verdict.good, verdict.lost, verdict.doubled, verdict.open, verdict.objects) == (True, 0, 0, 0, 2)


def lose(lists: Lists) -> None:
    lists["/v1/charges"].clear()


def double(lists: Lists) -> None:
    lists["/v1/charges"].append(charge("ch_again", 0))


def forget_an_event(lists: Lists) -> None:
    lists["/v1/events?type=charge.succeeded"].clear()


def book_twice(lists: Lists) -> None:
    lists["/v1/balance_transactions"] *= 2


def lose_an_update(lists: Lists) -> None:
    lists["/v1/customers/cus_1/balance_transactions"].append({"id": "cbtxn_2", "ending_balance": 1, "metadata": {}})


def refund_in_secret(lists: Lists) -> None:
    lists["/v1/charges"][0]["amount_refunded"] = 5


@pytest.mark.parametrize(
    ("change", "lost", "doubled"),
    [
        (lose, 1, 0), (double, 0, 1), (forget_an_event, 0, 0), (book_twice, 0, 0), (lose_an_update, 0, 0),
        (refund_in_secret, 0, 0),
    ],
)  # fmt: skip
def test_a_state_that_does_not_agree_is_found(
    faults: ModuleType, change: Callable[[Lists], None], lost: int, doubled: int
) -> None:
    lists = state()
    change(lists)
    verdict = judged(faults, lists)
    assert (verdict.good, verdict.lost, verdict.doubled) == (False, lost, doubled)
    assert verdict.anomalies


def refuse(history: Any) -> None:
    history.settle(history.operations[0], 400, {"error": {"code": "x"}})


def answer_another(history: Any) -> None:
    history.settle(history.operations[0], 200, {"id": "ch_other"})


@pytest.mark.parametrize(
    "change",
    [refuse, answer_another, lambda history: history.read(1, 0), lambda history: history.read(0, 2)],
    ids=["refused", "another object", "a stale read", "a read of what was not begun"],
)
def test_answers_that_contradict_one_another_are_found(faults: ModuleType, change: Callable[[Any], None]) -> None:
    assert judged(faults, state(), change).anomalies
