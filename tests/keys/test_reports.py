"""Faults that users of other key systems reported, tried here. docs/reports-elsewhere.md lists them."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from tests.conftest import NOW, Clock
from tests.keys.conftest import refused
from tests.support.many_keys import Watched
from tests.support.reports import Reports
from tollkey.keys import KeyRefused, KeyService, NewKey, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.asgi import KeyGate
from tollkey.keys.config import parse
from tollkey.keys.errors import StorageError
from tollkey.keys.foreign_hashes import read_slow
from tollkey.keys.refusal import rfc6750
from tollkey.keys.usage import as_csv

CONFIG = """
[service]
imported_keys = true
default_plan = "free"
[permissions.report]
label = "Reports"
[permissions.user]
label = "Users"
[[routes]]
match = "GET /health"
publishable = true
[[routes]]
match = "GET /reports/{id}"
needs = "report_read"
[plans.free]
rate = "2/minute"
burst = 2
"""
DOCS = Path(__file__).parents[2] / "docs" / "reports-elsewhere.md"
report = Reports()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Any:
    with KeyService.open(str(tmp_path / "keys.db"), config=parse(CONFIG), clock=clock, flush_seconds=0) as opened:
        yield opened


def ask(keys: KeyService, path: str, authorization: str, **headers: str) -> int:
    """The status of a GET through a gate with declared routes."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = {"authorization": authorization, **headers}.items()
    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "client": ("192.0.2.9", 1),
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in pairs],
    }  # fmt: skip
    asyncio.run(KeyGate(application, keys)(scope, None, send))  # type: ignore[arg-type]
    status: int = sent[0]["status"]
    return status


@report("https://github.com/better-auth/better-auth/issues/9504")
def a_rate_limit_is_429_and_not_401(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])
    assert [ask(keys, "/reports/1", f"Bearer {text}") for _ in range(3)] == [200, 200, 429]


@report("https://github.com/better-auth/better-auth/pull/5318")
def an_edited_key_keeps_the_state_of_its_limit(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(permissions=["report_read"])
    assert [bool(keys.check(text, "report_read")) for _ in range(2)] == [True, True]
    keys.update(key, name="renamed")
    assert keys.check(text, "report_read").reason is Reason.rate_limited


@report("https://github.com/BerriAI/litellm/issues/27193")
def the_old_key_of_a_roll_is_accepted_to_the_end_of_its_grace(keys: KeyService, clock: Clock) -> None:
    key, old = keys.create()
    assert keys.verify(old)
    new = keys.roll(key, 3600).secret
    clock.advance(3599)
    assert keys.verify(old)
    clock.advance(1)
    assert [bool(keys.verify(text)) for text in (old, new)] == [False, True]


@report("https://github.com/daytonaio/daytona/pull/2536")
def a_key_expires_in_memory_too(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(expires_at=NOW + 60)
    clock.advance(59)
    assert keys.verify(text)
    clock.advance(1)
    assert not keys.verify(text)
    assert keys.verify_cached(text) is not None


@report("https://github.com/BerriAI/litellm/issues/35662")
def a_permission_given_to_a_key_in_use_counts_at_once(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(permissions=["report_read"])
    assert keys.check(text, "user_read").reason is Reason.forbidden
    keys.update(key, permissions=["report_read", "user_read"])
    assert keys.check(text, "user_read")


@report("https://github.com/BerriAI/litellm/pull/26729")
def a_text_that_was_refused_is_accepted_once_its_key_exists(keys: KeyService, clock: Clock) -> None:
    first, second = "legacy-1234.first-secret", "legacy-1234.second-secret"

    def add(text: str) -> None:
        made = hashlib.pbkdf2_hmac("sha256", text.encode(), b"salt", 2)
        hash = read_slow("legacy-1234.", f"pbkdf2:sha256:2$salt${made.hex()}")
        scope = keys.create().key.scope
        keys.database.write(
            lambda tx: keys.authority.import_hash(tx, scope, hash, kind="secret", actor=SYSTEM, now=NOW)
        )

    add(first)
    assert not keys.verify(second)
    add(second)
    assert keys.verify(second)


@report("https://github.com/Keats/rust-bcrypt/issues/87")
def a_text_that_bcrypt_takes_for_a_key_does_not_take_its_place(keys: KeyService, clock: Clock) -> None:
    text = "legacy-1234." + "x" * 80
    hash = read_slow("legacy-1234.", bcrypt.hashpw(text[:72].encode(), bcrypt.gensalt(4)).decode())
    scope = keys.create().key.scope
    keys.database.write(lambda tx: keys.authority.import_hash(tx, scope, hash, kind="secret", actor=SYSTEM, now=NOW))
    for sent in (text[:72], text + "y", text):
        assert keys.verify(sent)
        keys.flush()


@report("https://github.com/mozilla-ai/otari/issues/1184")
def a_letter_outside_of_ascii_is_401_and_no_fault(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create()
    for sent in ("Bearer caf\xe9", f"Bearer {text}\xe9", "\xff", f"Basic {text}\xa0"):
        assert ask(keys, "/reports/1", sent) == 401


@report("https://github.com/ActivityWatch/aw-server-rust/pull/636")
def a_path_written_in_another_way_needs_no_less(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["user_read"])
    for path in ("/%72eports/1", "//reports/1", "/health/../reports/1", "/health/%2e%2e/reports/1", "/reports//1"):
        assert ask(keys, path, f"Bearer {text}") == 403, path


@report("https://github.com/joshrotenberg/tower-mcp/pull/1289")
def a_route_stands_for_no_longer_word_and_a_scheme_for_any_case(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])
    assert [ask(keys, path, f"BEARER {text}") for path in ("/health", "/healthz")] == [200, 403]


@report("https://github.com/florimondmanca/djangorestframework-api-key/issues/268")
def an_expired_key_is_told_so_and_not_that_it_is_missing(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(expires_at=NOW + 1)
    clock.advance(1)
    denied = keys.verify(text)
    assert not denied
    assert denied.reason is Reason.expired
    assert b"expired" in rfc6750(denied).body


@report("https://github.com/go-gitea/gitea/issues/39174")
def a_request_does_not_write_its_last_use(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create()
    assert keys.verify(text)
    keys.database = watched = Watched(keys.database)
    assert all(keys.verify(text, ip="192.0.2.1", endpoint="GET /") for _ in range(100))
    assert not watched.costs
    keys.flush()
    used = keys.usage(key)
    assert used is not None
    assert used.uses == 101


@report("https://github.com/gophish/gophish/issues/1416")
def a_key_in_the_query_is_not_stored(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create()
    keys.verify(text, endpoint=f"GET /?key={text}")
    keys.flush()
    used = keys.usage(key)
    assert used is not None
    assert text[12:] not in (used.endpoint or "")


@report("https://github.com/Continuum-AI-Corp/OrcaRouter-Lite/issues/70")
def a_restricted_key_gives_no_more_than_it_has(keys: KeyService, clock: Clock) -> None:
    granter = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.1"], expires_at=NOW + 60).key
    for more in (
        {"kind": "secret"}, {"permissions": ["user_read"]}, {"expires_at": NOW + 61}, {"ip_allowlist": ["192.0.2.2"]}
    ):  # fmt: skip
        with refused("api_key_grant_exceeded"):
            keys.create(**more, granter=granter)  # type: ignore[arg-type]
    made = keys.create(permissions=["report_read"], granter=granter).key
    assert (made.expires_at, made.ip_allowlist) == (granter.expires_at, granter.ip_allowlist)


@report("https://github.com/keygen-sh/keygen-api/pull/1108")
def permissions_that_are_left_out_are_none(keys: KeyService, clock: Clock) -> None:
    granter = keys.create(permissions=["report_read"]).key
    assert not keys.create(granter=granter).key.effective


@report("https://github.com/rmyndharis/OpenWA/pull/211")
def a_header_does_not_change_the_address_of_a_caller(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.1"])
    for name in ("x_forwarded_for", "x_real_ip", "forwarded", "cf_connecting_ip"):
        assert ask(keys, "/reports/1", f"Bearer {text}", **{name: "192.0.2.1"}) == 401
    _, mapped = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.9"])
    assert keys.check(mapped, "report_read", ip="::ffff:192.0.2.9")


@report("https://github.com/langgenius/dify/issues/42167")
def a_list_shows_no_secret(keys: KeyService, clock: Clock) -> None:
    made = [keys.create(), keys.create(kind="secret")]
    shown = repr(keys.list()) + repr(keys.audit())
    assert not any(one.secret[12:] in shown for one in made)


@report("https://github.com/weave-os/router/pull/819")
def two_rolls_at_once_make_one_successor(keys: KeyService, clock: Clock) -> None:
    key, together, codes = keys.create().key, threading.Barrier(2), []

    def roll() -> None:
        together.wait()
        try:
            keys.roll(key, 60)
        except KeyRefused as problem:
            codes.append(problem.code)

    threads = [threading.Thread(target=roll) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 1
    assert len(keys.list()) == 2


@report("https://github.com/liwala/ay-framework/issues/219")
def a_roll_leaves_no_time_without_a_key(keys: KeyService, clock: Clock) -> None:
    key, old = keys.create()
    accepted = []
    inside = keys.database.write

    def writing(work: Any, lock: str | None = None) -> Any:
        answer = inside(work, lock)
        accepted.append((bool(keys.verify(old)), len(keys.list(active=True))))
        return answer

    keys.database.write = writing  # type: ignore[method-assign]
    new = keys.roll(key, 60).secret
    assert accepted == [(True, 2)]
    assert keys.verify(new)


@report("https://github.com/crbnos/carbon/pull/1570")
def an_expired_key_is_not_rolled(keys: KeyService, clock: Clock) -> None:
    key = keys.create(expires_at=NOW + 1).key
    clock.advance(1)
    with refused("api_key_expired"):
        keys.roll(key)


@report("https://github.com/grafana/grafana/issues/19327")
def the_name_of_an_expired_key_is_free(keys: KeyService, clock: Clock) -> None:
    keys.create("reports", expires_at=NOW + 1)
    clock.advance(1)
    assert keys.create("reports")
    assert [key.name for key in keys.list(active=True)] == ["reports"]


@report("https://github.com/LeanerCloud/CUDly/pull/1523")
def what_has_ended_is_not_counted_as_active(keys: KeyService, clock: Clock) -> None:
    keys.create(expires_at=NOW + 1)
    keys.revoke(keys.create().key)
    once = keys.create(max_uses=1)
    assert keys.verify(once.secret)
    clock.advance(1)
    assert len(keys.list()) == 3
    assert keys.list(active=True) == ()


@report("https://github.com/theopenco/llmgateway/pull/3520")
def a_spreadsheet_reads_no_formula_in_a_report(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(account="=HYPERLINK(1)", permissions=["report_read"])
    assert keys.check(text, "report_read")
    keys.flush()
    assert "\r\n'=HYPERLINK(1)," in as_csv(keys.usage_report(("account",)), ("account",))


@report("https://github.com/emqx/emqx/pull/19015")
def a_change_keeps_what_it_does_not_name(keys: KeyService, clock: Clock) -> None:
    key = keys.create("a", permissions=["report_read"], ip_allowlist=["192.0.2.1"], expires_at=NOW + 60).key
    changed = keys.update(key, name="b")
    assert changed.effective == key.effective
    assert (changed.expires_at, changed.ip_allowlist) == (NOW + 60, ("192.0.2.1",))


@report("https://github.com/InsForge/InsForge/pull/2071")
def a_database_that_is_away_makes_no_key_invalid(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])

    def away(*_: object, **__: object) -> None:
        raise StorageError("away")

    keys.database.read = away  # type: ignore[method-assign, assignment]
    assert ask(keys, "/reports/1", f"Bearer {text}") == 503


@report("https://github.com/openkruise/agents/issues/581")
def pages_skip_no_key_of_the_same_second(keys: KeyService, clock: Clock) -> None:
    made = [one.key.id for one in keys.create_many(NewKey() for _ in range(7))]
    found, page = [], keys.list(limit=2)
    while page:
        found += [key.id for key in page]
        page = keys.list(limit=2, after=found[-1])
    assert found == made[::-1]


@report("https://github.com/Kong/kong/issues/1462")
def a_key_that_is_sent_twice_is_refused_and_no_fault(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])
    assert ask(keys, "/reports/1", f"Bearer {text}", Authorization=f"Bearer {text}") == 401


@report("https://github.com/alisaifee/flask-limiter/issues/62")
def a_request_after_retry_after_is_accepted(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])
    while checked := keys.check(text, "report_read"):
        pass
    assert checked.retry_after is not None
    assert 0 < checked.retry_after <= 60
    clock.advance(int(checked.retry_after + 0.999))
    assert keys.check(text, "report_read")


@pytest.mark.parametrize("address", report.tests)
def test_what_was_reported_elsewhere_does_not_happen_here(keys: KeyService, clock: Clock, address: str) -> None:
    report.tests[address](keys, clock)


def test_the_page_names_each_report() -> None:
    page = DOCS.read_text()
    assert [address for address in report.tests if f"({address})" not in page] == []
