from __future__ import annotations

import contextvars
import sys
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.support.altered import altered
from tollkey.db import Ids, Scope, SQLite, Tx
from tollkey.keys import Denied, Key, KeyRefused, KeyService, Permission, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.config import Config, Limit, Rate
from tollkey.keys.once import one_request
from tollkey.keys.refusal import Forbidden
from tollkey.keys.token import generate, mask_unknown

PERMISSIONS = [Permission("report", "Reports")]


def reason(answer: Key | Denied) -> Reason:
    assert isinstance(answer, Denied)
    return answer.reason


def test_one_line_opens_a_key_authority_with_the_hosts_own_permissions(service: KeyService) -> None:
    key, text = service.create("Worker", permissions=["report_write"], account="alice")
    answer = service.verify(text, ip="192.0.2.1", endpoint="GET /reports")
    assert answer == key
    assert key.allows("report_read")
    assert service.get(key.id, account="alice") == key
    assert service.list(account="alice") == (key,)


def test_a_key_that_was_verified_before_needs_no_database(service: KeyService) -> None:
    key, text = service.create()
    assert service.verify_cached(text) is None
    service.verify(text)
    assert service.verify_cached(text) == key


def test_another_accounts_key_an_unknown_key_and_a_wrong_secret_read_the_same(service: KeyService) -> None:
    _, alices = service.create(account="alice")
    _, bobs = service.create(account="bob")
    expired, text = service.create(account="bob")
    service.revoke(expired)
    service.verify(bobs)
    for given in (bobs, text, altered(alices, -7)):
        assert service.verify(given, account="alice") == Denied(Reason.unknown, mask_unknown(given))
    assert isinstance(service.verify(alices, account="alice"), Key)


def test_refusing_them_takes_the_same_work(service: KeyService) -> None:
    """Counted in calls, so that it does not depend on the machine; ``bench/verify.py`` compares the times."""
    _, bobs = service.create(account="bob")
    ids = Ids.seeded(1)
    given = {
        "unknown": generate("restricted", True, "eve", ids),
        "wrong": generate("restricted", True, "alice", ids),
        "bob's": bobs,
    }

    def calls(text: str) -> int:
        count = 0

        def hear(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(hear)
        try:
            service.verify(text, account="alice")
        finally:
            sys.setprofile(None)
        return count

    for text in given.values():
        service.verify(text, account="alice")  # statements are prepared, Bob's key is in memory
    counted = {kind: calls(text) for kind, text in given.items()}
    assert max(counted.values()) <= 1.1 * min(counted.values()), counted


def test_the_verbs_of_a_key(service: KeyService) -> None:
    key, text = service.create("Old name", livemode=False, kind="secret")
    key = service.update(key, name="New name")
    assert service.reveal(key)[1] == text
    old, new, new_text = service.roll(key, 0)
    assert reason(service.verify(text)) is Reason.expired
    assert service.verify(new_text or "") == new
    service.revoke(new)
    assert reason(service.verify(new_text or "")) is Reason.revoked
    with pytest.raises(KeyRefused):
        service.revoke(old)
    assert [line.action for line in service.audit(livemode=False)] == [
        "revoked",
        "created",
        "rolled",
        "revealed",
        "updated",
        "created",
    ]


def test_last_used_is_written_by_a_flush_and_at_the_end(database_url: str, tmp_path: Path, clock: Clock) -> None:
    arguments = {"keyring": str(tmp_path / "keyring"), "clock": clock, "flush_seconds": 0}
    with KeyService.open(database_url, PERMISSIONS, **arguments) as service:  # type: ignore[arg-type]
        key, text = service.create()
        service.verify(text, ip="192.0.2.1", endpoint="GET /reports")
    with KeyService.open(database_url, PERMISSIONS, **arguments) as service:  # type: ignore[arg-type]
        usage = service.usages()[key.id]
        assert (usage.last_used_at, usage.ip, usage.endpoint, usage.uses) == (clock.now, "192.0.2.1", "GET /reports", 1)
        assert service.verify(text) == key, "keys outlive the process"


def test_a_second_process_on_the_same_file_revokes_within_the_lease(tmp_path: Path) -> None:
    path = str(tmp_path / "keys.db")
    with KeyService.open(path, PERMISSIONS) as server, KeyService.open(path, PERMISSIONS) as tool:
        key, text = server.create()
        assert server.verify(text) == key
        tool.revoke(key)
        server.verifier.lease.until = 0.0  # the lease runs out
        assert reason(server.verify(text)) is Reason.revoked


def test_a_database_that_fails_gives_unavailable_and_no_exception(tmp_path: Path) -> None:
    service = KeyService.open(str(tmp_path / "keys.db"), PERMISSIONS, flush_seconds=0)
    _, text = service.create()
    _, other = service.create()
    assert isinstance(service.database, SQLite)
    service.verify(text)
    service.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    service.database.write(lambda tx: tx.execute("DROP TABLE bell"))
    assert reason(service.verify(other)) is Reason.unavailable
    service.verifier.lease.until = 0.0
    assert reason(service.verify(text)) is Reason.unavailable
    service.close()
    service.close()


def test_postgres_needs_to_be_told_where_the_keyring_is() -> None:
    with pytest.raises(ValueError, match="keyring"):
        KeyService.open("postgresql://nowhere/x")


def test_a_refusal_is_false_and_a_key_is_true(service: KeyService) -> None:
    key, text = service.create()
    assert service.verify(text)
    for refused in (service.verify(text[:-1]), service.verify(None), Forbidden("report_write", key)):
        assert not refused
    service.revoke(key)
    if service.verify(text):
        pytest.fail("a revoked key was let in")


@pytest.mark.parametrize("nothing", [None, "", b""])
def test_nothing_is_missing_and_not_unknown(service: KeyService, nothing: str | bytes | None) -> None:
    assert service.verify(nothing) == Denied(Reason.missing)
    assert service.verify_cached(nothing) == Denied(Reason.missing)


@pytest.mark.parametrize(
    "sent",
    [
        " ", "\0", "клю́ч", "sk_live_\ud800" + "a" * 99, "\N{FULLWIDTH DIGIT ONE}" * 107, "sk_live_" + "a" * 5_000_000,
        "\n" * 600,
        "'; DROP TABLE api_keys; --", b"\xff\xfe", b"sk_live_" + b"a" * 5_000_000, 12, 3.5, object(), ["sk_live_"],
        True,
    ],
    ids=lambda sent: f"{type(sent).__name__} {str(sent)[:12]!a}",
)  # fmt: skip
def test_whatever_a_caller_sends_is_refused_without_an_exception_or_much_work(
    service: KeyService, sent: object
) -> None:
    for answer in (service.verify(sent), service.verify_cached(sent)):  # type: ignore[arg-type]
        assert isinstance(answer, Denied)
        assert answer.reason is Reason.unknown
        assert len(answer.masked) <= 512


def test_a_key_in_bytes_is_the_same_key(service: KeyService) -> None:
    key, text = service.create()
    assert service.verify(text.encode()) == key


def test_what_a_caller_puts_into_a_path_does_not_stop_last_used_from_being_written(service: KeyService) -> None:
    key, text = service.create()
    service.verify(text, ip="\0", endpoint="GET /\0\ud800")
    assert service.flush() == 1
    usage = service.usage(key)
    assert usage is not None
    assert (usage.endpoint, usage.ip) == ("GET /??", "?")


def many(service: KeyService, count: int) -> None:
    def work(tx: Tx) -> None:
        for index in range(count):
            service.authority.create(tx, Scope("alice", True), "restricted", name=f"n{index}", actor=SYSTEM, now=1)

    service.database.write(work)


def test_a_list_goes_over_everything_and_pages_by_a_cursor(service: KeyService) -> None:
    many(service, 1003)
    everything = service.list(account="alice")
    assert (len(everything), everything.has_more, everything[0].name, everything[-1].name) == (
        1003,
        False,
        "n1002",
        "n0",
    )
    assert list(service.each(account="alice")) == list(everything)
    seen: list[Key] = []
    page = service.list(account="alice", limit=400)
    while True:
        seen += page
        if not page.has_more:
            break
        page = service.list(account="alice", limit=400, after=page[-1].id)
    assert seen == list(everything)
    with pytest.raises(KeyRefused, match="No such api_key"):
        service.list(account="bob", after=everything[0].id)
    with pytest.raises(ValueError, match="limit"):
        service.list(limit=0)


def test_the_default_keys_are_found_behind_a_thousand_others(service: KeyService) -> None:
    def defaults(tx: Tx) -> int:
        return len(service.authority.create_defaults(tx, "alice", actor=SYSTEM, now=1))

    assert service.database.write(defaults) == 4
    many(service, 1003)
    assert service.database.write(defaults) == 0, "they are all there"
    last = service.list(account="alice", kind="secret")[0]
    found = service.database.read(lambda tx: service.authority.ending_in(tx, last.scope, last.redacted[-4:]))
    assert last in found


def test_a_list_can_leave_out_what_has_ended_and_other_kinds(service: KeyService) -> None:
    secret, _ = service.create(kind="secret")
    ended, _ = service.create()
    service.revoke(ended)
    assert service.list(active=True) == (secret,)
    assert service.list(kind="restricted")[0].id == ended.id


def test_a_key_is_found_by_its_id_or_its_text_without_its_account(service: KeyService) -> None:
    key, text = service.create(account="alice", livemode=False)
    gone, gone_text = service.create(account="bob")
    gone = service.revoke(gone)
    assert service.find(key.id) == service.find(text) == key
    assert service.find(gone_text) == gone, "ended keys too: a leaked text is asked about when it is dead as well"
    assert service.find("mk_none") is None
    assert service.find(generate("secret", True, "x", Ids.seeded(3))) is None
    for none in ("", "mk_\0", "mk_\ud800", "клю́ч", key.id + " "):
        assert service.find(none) is None
        assert service.get(none, account="alice", livemode=False) is None


@pytest.mark.parametrize("delay", [0, 3600])
def test_rolling_returns_the_text_of_the_new_key(service: KeyService, delay: int) -> None:
    key, old_text = service.create()
    _, new, text = service.roll(key, delay)
    assert service.verify(text) == new
    assert bool(service.verify(old_text)) is bool(delay)
    with pytest.raises(KeyRefused, match="can no longer be shown"):
        service.reveal(new)


def test_a_roll_can_leave_the_text_for_one_later_reveal(service: KeyService) -> None:
    key, _ = service.create()
    _, new, text = service.roll(key, 3600, show=False)
    assert text is None
    new, text = service.reveal(new)
    assert service.verify(text) == new


TWO = Config(limits=(Limit("two", Rate(0.001), burst=2),))


def test_one_request_counts_once_and_takes_one_token_however_often_its_key_is_checked(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), config=TWO, flush_seconds=0) as service:
        key, text = service.create()
        with one_request():
            assert all(service.check(text) for _ in range(5))
        with one_request():
            assert service.check(text)
        with one_request():
            assert service.check(text).reason is Reason.rate_limited
        service.flush()
        usage = service.usage(key)
        assert usage is not None
        assert usage.uses == 2


def test_a_task_that_a_request_left_behind_is_no_part_of_it_any_more(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), config=TWO, flush_seconds=0) as service:
        key, text = service.create()
        with one_request():
            assert service.check(text)
            left_behind = contextvars.copy_context()
        assert left_behind.run(service.check, text)
        assert left_behind.run(service.check, text).reason is Reason.rate_limited
        service.flush()
        usage = service.usage(key)
        assert usage is not None
        assert usage.uses == 2


def test_a_key_that_was_used_is_never_shown_as_unused(service: KeyService, clock: Clock) -> None:
    key, text = service.create(permissions=["report_read"])
    assert service.usage(key) is None
    service.check(text, "report_write", ip="192.0.2.1", endpoint="POST /reports")
    usage = service.usage(key)
    assert usage is not None, "before the flush, and though the request was refused for its permission"
    assert (usage.last_used_at, usage.ip, usage.endpoint, usage.uses) == (clock.now, "192.0.2.1", "POST /reports", 1)
    service.flush()
    assert service.usage(key) == usage
    service.check(text, ip="192.0.2.2")
    latest = service.usage(key)
    assert latest is not None
    assert (latest.ip, latest.uses) == ("192.0.2.2", 2)
