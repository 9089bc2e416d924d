"""The short check of a gate: what ends it, and that its uses are counted exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Clock
from tollkey.db import forking
from tollkey.keys import Key, KeyService
from tollkey.keys.cache import cached
from tollkey.keys.guard import Guard
from tollkey.keys.once import one_request
from tollkey.keys.short_check import ShortCheck
from tollkey.keys.verifier import MOST_NOTED

GET = "GET /reports"


def remembered(service: KeyService, **settings: Any) -> tuple[Key, bytes]:
    """A key in memory, and the value of its header."""
    key, text = service.create(permissions=["report_read"], **settings)
    assert service.verify(text)
    return key, f"Bearer {text}".encode()


def check_of(service: KeyService, permission: str | None = "report_read", header: str = "authorization") -> ShortCheck:
    check = Guard(service, header=header).need(permission).short
    assert check is not None
    return check


CHANGES: Mapping[str, Callable[[KeyService, Key], object]] = {
    "revoked": lambda service, key: service.revoke(key),
    "paused": lambda service, key: service.disable(key),
    "bound to an address": lambda service, key: service.update(key, ip_allowlist=["192.0.2.1"]),
    "without the permission": lambda service, key: service.update(key, permissions=["user_read"]),
    "given an end": lambda service, key: service.roll(key, timedelta(hours=1)),
    "changed by somebody unknown": lambda service, key: service.verifier.clear(),
    "copied by a fork": lambda service, key: service.verifier.after_fork_in_child(),
    "not heard of for a second": lambda service, key: service.verifier.lease.expire(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_key_that_has_changed_is_not_accepted_from_then_on(service: KeyService, change: str) -> None:
    (key, value), check = remembered(service), check_of(service)
    assert check.accept(value, "192.0.2.1", GET)
    CHANGES[change](service, key)
    assert check.accept(value, "192.0.2.1", GET) is None


@pytest.mark.parametrize(
    ("header", "form", "accepted"),
    [
        ("authorization", "Bearer {}", True),
        ("authorization", "bearer {}", False),
        ("authorization", "Digest {}", False),
        ("authorization", "{}", False),
        ("authorization", "       {}", False),
        ("x-api-key", "{}", True),
        ("x-api-key", "Bearer {}", False),
    ],
)
def test_only_the_usual_form_of_a_header_is_accepted(
    service: KeyService, header: str, form: str, accepted: bool
) -> None:
    _, value = remembered(service)
    sent = form.format(value.decode().removeprefix("Bearer "))
    assert (check_of(service, header=header).accept(sent.encode(), None, GET) is not None) == accepted


@pytest.mark.parametrize(
    ("text", "usual"),
    [("plain", True), ("two words", False), ("a\ttab", False), ("é", False), ("", False), ("x" * 501, False)],
)
def test_a_key_whose_text_a_header_may_treat_apart_is_left_to_the_long_check(
    service: KeyService, text: str, usual: bool
) -> None:
    key, _ = remembered(service)
    assert cached(key, text).usual == usual


def test_uses_of_many_threads_are_all_counted_while_they_are_written(service: KeyService, clock: Clock) -> None:
    key, value = remembered(service)
    check, times, ended = check_of(service), 10 * MOST_NOTED + 7, threading.Event()

    def use() -> None:
        for _ in range(times):
            assert check.accept(value, "192.0.2.1", GET, GET)

    def flush() -> None:
        while not ended.wait(0.002):
            service.flush()

    threads, flushing = [threading.Thread(target=use) for _ in range(4)], threading.Thread(target=flush)
    for one in (flushing, *threads):
        one.start()
    for one in threads:
        one.join()
    ended.set()
    flushing.join()
    service.flush()
    usage = service.usage(key)
    assert usage is not None
    assert (usage.uses, usage.ip, usage.endpoint) == (4 * times + 1, "192.0.2.1", GET)
    assert sum(row.requests for row in service.usage_report(by=("route",), route=GET)) == 4 * times


def test_the_last_use_is_told_before_it_is_written(service: KeyService, clock: Clock) -> None:
    key, value = remembered(service)
    clock.now += 60
    check_of(service).accept(value, "192.0.2.7", "GET /late")
    usage = service.usage(key)
    assert usage is not None
    assert (usage.last_used_at, usage.endpoint, usage.uses) == (clock.now, "GET /late", 2)


def test_in_one_request_a_use_is_counted_once(service: KeyService) -> None:
    key, value = remembered(service)
    check = check_of(service, None)
    with one_request():
        assert check.accept(value, None, GET)
        assert check.accept(value, None, GET)
    usage = service.usage(key)
    assert usage is not None
    assert usage.uses == 2


def test_a_child_does_not_count_what_its_parent_has_noted(service: KeyService) -> None:
    _, value = remembered(service)
    check_of(service).accept(value, None, GET)
    service.verifier.after_fork_in_child()
    assert not service.verifier.unwritten


def test_a_fork_that_nothing_has_detected_is_left_to_the_long_check(service: KeyService) -> None:
    _, value = remembered(service)
    check, marker = check_of(service), forking.here
    assert check.accept(value, None, GET)
    forking.here = [0]  # type: ignore[assignment]
    try:
        assert check.accept(value, None, GET) is None
    finally:
        forking.here = marker
