"""A key that is reported as leaked ends, once, and its account can see who reported it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clock
from tollkey.db import Ids, StorageError, Tx
from tollkey.keys import Key, KeyRefused, KeyService, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.importing import Defaults, import_records
from tollkey.keys.scanning.leaks import Leak, Leaks, Policy
from tollkey.keys.token import generate


@pytest.fixture
def leaks(service: KeyService, clock: Clock) -> Callable[..., Leaks]:
    def make(policy: Policy = "revoke", **options: int) -> Leaks:
        return Leaks(service, clock, policy=policy, **options)

    return make


def reason(service: KeyService, text: str) -> Reason | None:
    found = service.verify(text)
    return None if isinstance(found, Key) else found.reason


def test_a_reported_key_is_revoked_and_the_audit_log_says_by_whom(
    service: KeyService, leaks: Callable[..., Leaks]
) -> None:
    key, text = service.create("CI")
    leak = leaks().report(text, source="github", url="https://github.com/a/b")
    assert leak is not None
    assert (leak.outcome, leak.key_id) == ("revoked", key.id)
    assert reason(service, text) == Reason.revoked
    assert str(service.audit(key_id=key.id)[0].actor) == "leak_report:github"


def test_a_rolled_key_has_a_successor_that_its_owner_reveals_once(
    service: KeyService, clock: Clock, leaks: Callable[..., Leaks]
) -> None:
    key, text = service.create("CI", permissions=["report_read"])
    leak = leaks("roll", grace_seconds=3600).report(text, source="github")
    assert leak is not None
    successor = service.get(leak.replaced_by or "")
    assert successor is not None
    assert (leak.outcome, successor.rolled_from, successor.permissions) == ("rolled", key.id, key.permissions)
    clock.now += 3599
    assert reason(service, text) is None
    clock.now += 1
    assert reason(service, text) == Reason.expired
    _, new = service.reveal(successor)
    assert reason(service, new) is None


def test_a_key_that_was_rolled_before_and_is_reported_ends_at_once(
    service: KeyService, leaks: Callable[..., Leaks]
) -> None:
    key, text = service.create("CI")
    service.roll(key, 3600)
    leak = leaks("roll").report(text, source="github")
    assert leak is not None
    assert (leak.outcome, reason(service, text)) == ("expired", Reason.expired)


def test_a_paused_key_that_is_reported_is_revoked_since_it_cannot_be_rolled(
    service: KeyService, leaks: Callable[..., Leaks]
) -> None:
    key, text = service.create("CI")
    service.disable(key)
    leak = leaks("roll").report(text, source="github")
    assert leak is not None
    assert leak.outcome == "revoked"


def test_a_report_may_only_be_recorded(service: KeyService, leaks: Callable[..., Leaks]) -> None:
    _, text = service.create("CI")
    leak = leaks("record").report(text, source="github")
    assert leak is not None
    assert (leak.outcome, reason(service, text)) == ("recorded", None)


def test_reporting_again_does_nothing_more_and_is_still_ours(service: KeyService, leaks: Callable[..., Leaks]) -> None:
    key, text = service.create("CI")
    made = leaks()
    made.report(text, source="github", url="https://a")
    again = made.report(text, source="github", url="https://a")
    other = made.report(text, source="github", url="https://b")
    assert again is not None
    assert other is not None
    assert (again.outcome, other.outcome) == ("none", "none")
    assert [(each.url, each.outcome) for each in made.of_account("main")] == [
        ("https://b", "none"), ("https://a", "revoked"),
    ]  # fmt: skip
    assert len(service.audit(key_id=key.id)) == 2


def test_what_is_no_secret_key_of_ours_is_no_leak(service: KeyService, leaks: Callable[..., Leaks]) -> None:
    key, _ = service.create("CI")
    _, public = service.create(kind="publishable")
    stranger = generate("secret", True, "", Ids.seeded(1))
    for text in (stranger, stranger[:-1], key.id, public, "", "\0", "\ud800", "x" * 10_000):
        assert leaks().report(text, source="holder") is None
    assert service.verify(public)
    assert leaks().of_account("main") == ()


def test_an_imported_key_ends_before_its_first_use(tmp_path: Path, clock: Clock) -> None:
    text = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
    records = [{"hash": hashlib.sha256(text.encode()).hexdigest()}]
    with KeyService.open(str(tmp_path / "keys.db"), allow_imported=True, clock=clock, flush_seconds=0) as keys:
        import_records(keys, records, Defaults(), SYSTEM, int(clock.now))
        leak = Leaks(keys, clock).report(text, source="holder")
        assert leak is not None
        assert (leak.outcome, reason(keys, text)) == ("revoked", Reason.revoked)


def test_an_address_is_stored_without_keys_and_line_breaks(service: KeyService, leaks: Callable[..., Leaks]) -> None:
    _, text = service.create("CI")
    leak = leaks().report(text, source="github", url=f"https://a/?key={text}\n{'x' * 900}")
    assert leak is not None
    assert text not in leak.url
    assert "\n" not in leak.url
    assert len(leak.url) <= 500


def test_the_hook_runs_in_the_transaction_of_the_report(service: KeyService, clock: Clock) -> None:
    _, text = service.create("CI")

    def fail(tx: Tx, leak: Leak) -> None:
        raise RuntimeError(leak.outcome)

    with pytest.raises(RuntimeError, match="revoked"):
        Leaks(service, clock, on_leak=fail).report(text, source="github")
    assert service.verify(text)
    heard: list[str] = []
    made = Leaks(service, clock, on_leak=lambda tx, leak: heard.append(leak.outcome))
    made.report(text, source="github")
    made.report(text, source="github")
    assert heard == ["revoked"]


def test_a_key_that_others_keep_changing_is_reported_again_later(service: KeyService, clock: Clock) -> None:
    _, text = service.create("CI")
    attempts: list[str] = []

    def change(tx: Tx, leak: Leak) -> None:
        attempts.append(leak.key_id)
        raise KeyRefused("api_key_changed", "This key was changed at the same time by someone else.", "id")

    with pytest.raises(StorageError, match="changed by others"):
        Leaks(service, clock, on_leak=change).report(text, source="github")
    assert len(attempts) == 3
    assert service.verify(text)


def test_an_account_sees_its_own_reports_only(service: KeyService, leaks: Callable[..., Leaks]) -> None:
    _, mine = service.create("CI", account="alice")
    leaks().report(mine, source="github")
    assert len(leaks().of_account("alice")) == 1
    assert leaks().of_account("bob") == leaks().of_account("alice", livemode=False) == ()


@pytest.mark.parametrize("seconds", [0, -1, 604801])
def test_a_grace_out_of_range_is_refused(leaks: Callable[..., Leaks], seconds: int) -> None:
    with pytest.raises(ValueError, match="1 to 604800"):
        leaks("roll", grace_seconds=seconds)
