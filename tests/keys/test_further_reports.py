"""More faults that users of other key systems reported, tried here. docs/reports-elsewhere.md lists them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOW, Clock
from tests.keys.conftest import refused
from tests.keys.test_reports import DOCS, ask
from tests.support.reports import Reports
from tollkey.db import SQLite
from tollkey.keys import KeyService, Reason
from tollkey.keys.config import parse
from tollkey.keys.header import read_bare
from tollkey.keys.keyring import Keyring

CONFIG = """
[permissions.report]
label = "Reports"
[[routes]]
match = "GET /reports/{id}"
needs = "report_read"
[plans.steady]
rate = "60/minute"
burst = 30
[plans.small]
quota = "2/month"
[plans.both]
rate = "2/minute"
quota = "3/month"
"""
report = Reports("https://github.com/")
DIGEST = "485e7aaeee4624f09b499636ce2112558eae56ccb846befc8d6764533f554e08"  # of 30 November 2026


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Any:
    with KeyService.open(str(tmp_path / "keys.db"), config=parse(CONFIG), clock=clock, flush_seconds=0) as opened:
        yield opened


def plan(keys: KeyService, name: str) -> None:
    keys.set_plan("main", name)


def asked(keys: KeyService, text: str, times: int) -> list[Reason | None]:
    return [keys.check(text, "report_read").reason for _ in range(times)]


@report("calcom/cal.diy/issues/29728")
def a_key_ends_at_its_second_and_not_at_the_end_of_its_day(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(expires_at=NOW + 1)
    assert keys.verify(text)
    clock.advance(1)
    assert keys.check(text).reason is Reason.expired
    assert keys.find(text) == key, "reading it does not move its expiry"


@report("TykTechnologies/tyk/issues/3038")
def a_changed_name_does_not_end_a_key(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(expires_at=NOW + 3600)
    assert keys.update(key, name="renamed").expires_at == NOW + 3600
    assert keys.verify(text)


@report("TykTechnologies/tyk/issues/1186")
def an_expiry_of_zero_or_below_is_refused(keys: KeyService, clock: Clock) -> None:
    for options in ({"expires_at": 0}, {"expires_at": -1}, {"expires_in": 0}, {"expires_in": -1}):
        with refused("expires_at_invalid"):
            keys.create(**options)


@report("TykTechnologies/tyk/issues/3061")
def uses_that_are_never_renewed_are_counted_to_the_end(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(max_uses=3)
    assert [bool(keys.verify(text)) for _ in range(5)] == [True, True, True, False, False]
    clock.advance(400 * 86400)
    assert not keys.verify(text)


@report("TykTechnologies/tyk/issues/3258")
def a_key_without_expiry_never_ends_by_itself(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create()
    assert keys.verify(text)
    clock.advance(20 * 365 * 86400)
    assert keys.verify(text)
    assert keys.get(key.id) is not None


@report("better-auth/better-auth/issues/3573")
def a_rate_is_refilled_all_the_time(keys: KeyService, clock: Clock) -> None:
    plan(keys, "steady")
    _, text = keys.create(permissions=["report_read"])
    assert asked(keys, text, 31) == [None] * 30 + [Reason.rate_limited]
    for _ in range(40):  # one request a second is what the rate allows
        clock.advance(1)
        assert asked(keys, text, 1) == [None]


@report("better-auth/better-auth/issues/4336")
def a_used_up_quota_is_full_again_in_the_next_period(keys: KeyService, clock: Clock) -> None:
    plan(keys, "small")
    _, text = keys.create(permissions=["report_read"])
    assert asked(keys, text, 3) == [None, None, Reason.quota_exceeded]
    clock.advance(32 * 86400)
    assert asked(keys, text, 3) == [None, None, Reason.quota_exceeded]


@report("unkeyed/unkey/issues/4201")
def limits_of_one_account_do_not_count_each_other(keys: KeyService, clock: Clock) -> None:
    plan(keys, "both")
    _, text = keys.create(permissions=["report_read"])
    assert asked(keys, text, 3) == [None, None, Reason.rate_limited]
    clock.advance(60)
    assert asked(keys, text, 2) == [None, Reason.quota_exceeded], "what the rate refused took nothing from the quota"


@report("unkeyed/unkey/pull/1884")
def the_keys_of_one_account_share_its_quota(keys: KeyService, clock: Clock) -> None:
    plan(keys, "small")
    texts = [keys.create(permissions=["report_read"]).secret for _ in range(3)]
    assert [asked(keys, text, 1)[0] for text in texts] == [None, None, Reason.quota_exceeded]


@report("unkeyed/unkey/issues/3720")
def an_answer_names_the_limit_by_what_it_is_declared_as(keys: KeyService, clock: Clock) -> None:
    plan(keys, "both")
    _, text = keys.create(permissions=["report_read"])
    assert {state.policy for state in keys.check(text, "report_read").limits} == {"both", "both.month"}


@report("juspay/xyne-spaces/pull/1877")
def a_header_of_the_client_does_not_choose_whose_limit_counts(keys: KeyService, clock: Clock) -> None:
    plan(keys, "small")
    bearer = f"Bearer {keys.create(permissions=['report_read']).secret}"
    statuses = [ask(keys, "/reports/1", bearer, x_key_account=f"other{n}", x_user_id=str(n)) for n in range(3)]
    assert statuses == [200, 200, 429]


@report("AlphaWallet/alpha-wallet-ios/pull/4813")
def an_expired_key_is_told_so_also_above_its_limit(keys: KeyService, clock: Clock) -> None:
    plan(keys, "small")
    _, text = keys.create(permissions=["report_read"], expires_at=NOW + 60)
    assert asked(keys, text, 3) == [None, None, Reason.quota_exceeded]
    clock.advance(60)
    assert asked(keys, text, 1) == [Reason.expired]


@report("gravitee-io/issues/issues/2578")
def a_new_plan_revives_no_key_that_has_ended(keys: KeyService, clock: Clock) -> None:
    key, gone = keys.create(permissions=["report_read"])
    _, ended = keys.create(permissions=["report_read"], expires_at=NOW + 60)
    keys.revoke(key)
    clock.advance(60)
    plan(keys, "steady")
    assert [asked(keys, text, 1)[0] for text in (gone, ended)] == [Reason.revoked, Reason.expired]


@report("WP-API/OAuth1/issues/189")
def another_case_of_a_letter_is_another_key(keys: KeyService, clock: Clock) -> None:
    _, text = keys.create()
    assert keys.verify(text)
    for wrong in (text.swapcase(), text.upper(), text[:-7] + text[-7].swapcase() + text[-6:]):
        assert wrong == text or not keys.verify(wrong)


@report("apache/apisix/pull/826")
def the_keys_of_every_account_are_found(keys: KeyService, clock: Clock) -> None:
    made = [keys.create(account=f"a{number}") for number in range(12)]
    assert [keys.check(one.secret).key for one in made] == [one.key for one in made]


@report("apache/apisix/pull/2913")
def the_name_of_the_header_is_written_in_any_case(keys: KeyService, clock: Clock) -> None:
    bearer = f"Bearer {keys.create(permissions=['report_read']).secret}"
    assert ask(keys, "/reports/1", "", Authorization=bearer) == 401, "the header is sent twice"
    assert ask(keys, "/reports/1", bearer) == 200


@report("better-auth/better-auth/issues/6258")
def a_key_works_at_once_here_and_on_another_node(keys: KeyService, clock: Clock) -> None:
    assert isinstance(keys.database, SQLite)
    with KeyService.open(str(keys.database.path), config=parse(CONFIG), clock=clock, flush_seconds=0) as other:
        text = keys.create().secret
        assert [bool(one.verify(text)) for one in (keys, other)] == [True, True]


@report("better-auth/better-auth/issues/5397")
def the_digest_of_a_key_is_that_of_earlier_versions(keys: KeyService, clock: Clock) -> None:
    fixed = Keyring("d1", {"d1": bytes(range(32))}, "s1", {"s1": bytes(32)})
    assert fixed.digest("sk_live_example").hex() == DIGEST


@report("better-auth/better-auth/issues/2482")
def a_paused_key_passes_no_door(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(permissions=["report_read"])
    assert ask(keys, "/reports/1", f"Bearer {text}") == 200
    keys.disable(key)
    doors = [ask(keys, "/reports/1", f"Bearer {text}") == 200, keys.verify(text), keys.check(text, "report_read")]
    assert [bool(door) for door in doors] == [False, False, False]
    keys.enable(key)
    assert ask(keys, "/reports/1", f"Bearer {text}") == 200


@report("PostHog/posthog/issues/30993")
def a_route_that_nobody_declared_is_refused_to_all(keys: KeyService, clock: Clock) -> None:
    secret = keys.create(kind="secret").secret
    assert [ask(keys, path, f"Bearer {secret}") for path in ("/reports/1", "/sessions")] == [200, 403]


@report("bravecollective/core/issues/399")
def a_list_with_keys_that_have_ended_is_no_fault(keys: KeyService, clock: Clock) -> None:
    made = keys.create(expires_at=NOW + 1).key
    clock.advance(2)
    assert [key.status(int(clock())) for key in keys.list()] == ["expired"]
    with refused("api_key_expired"):
        keys.update(made, note="was ours")


@report("Kong/kong/issues/2013")
def a_header_of_ones_own_takes_the_key_alone_or_after_bearer(keys: KeyService, clock: Clock) -> None:
    text = keys.create().secret
    for value in (text, f"Bearer {text}", f" {text}\t"):
        presented = read_bare(value)
        assert presented
        assert keys.verify(presented.text)


@pytest.mark.parametrize("address", report.tests)
def test_what_was_reported_elsewhere_does_not_happen_here(keys: KeyService, clock: Clock, address: str) -> None:
    report.tests[address](keys, clock)


def test_the_page_names_each_report() -> None:
    page = DOCS.read_text()
    assert [address for address in report.tests if f"({address})" not in page] == []


def test_the_page_names_tests_that_there_are() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", DOCS.read_text())
    assert len(named) >= 17
    root = DOCS.parents[1]
    assert [name for file, name in named if f"\ndef {name}(" not in (root / file).read_text()] == []
