"""An import reports on every row, stores what it can, may be repeated, and can be tried without storing anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.support.long_texts import long_text
from tollkey.db import Ids, StorageError
from tollkey.keys import Denied, Key, KeyService, Permission, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.importing import Defaults, Record, Report, as_json, as_lines, as_value, import_records, read_text
from tollkey.keys.importing.importer import BATCH
from tollkey.keys.token import generate

TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
OURS = generate("secret", True, "", Ids.seeded(1))
Import = Callable[..., Report]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def keys(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    """On SQLite; on both databases for tests that name ``database_url``."""
    both = "database_url" in request.fixturenames
    url = request.getfixturevalue("database_url") if both else str(tmp_path / "keys.db")
    permissions = [Permission("report", "Reports")]
    with KeyService.open(
        url, permissions, keyring=str(tmp_path / "keyring"), clock=clock, allow_imported=True, flush_seconds=0
    ) as opened:
        yield opened


@pytest.fixture
def load(keys: KeyService, clock: Clock) -> Import:
    def run(records: Sequence[Record], defaults: Defaults | None = None, *, dry_run: bool = False) -> Report:
        return import_records(keys, records, defaults or Defaults(), SYSTEM, int(clock.now), dry_run=dry_run)

    return run


def required(key: Key | None) -> Key:
    assert key is not None
    return key


def reason(keys: KeyService, text: str) -> Reason | None:
    answer = keys.verify(text)
    return answer.reason if isinstance(answer, Denied) else None


def statuses(report: Report) -> list[str]:
    return [row.code or row.status for row in report.rows]


def test_texts_and_hashes_of_every_kind_are_imported_and_verify(
    database_url: str, keys: KeyService, load: Import
) -> None:
    slow = hashlib.pbkdf2_hmac("sha256", f"{TEXT}3".encode(), b"salt", 2).hex()
    report = load(
        [
            {"key": OURS, "account": "cus_1"},
            {"key": f"{TEXT}1", "permissions": "report_read", "name": "One"},
            {"hash": sha256(f"{TEXT}2"), "type": "secret", "mode": "test"},
            {"hash": f"pbkdf2:sha256:2$salt${slow}", "lookup": TEXT[:8]},
        ]
    )
    assert statuses(report) == ["imported"] * 4
    assert report.complete
    found = [keys.verify(text) for text in (OURS, f"{TEXT}1", f"{TEXT}2", f"{TEXT}3")]
    assert [key and (key.account, key.livemode, key.kind) for key in found] == [
        ("cus_1", True, "secret"),
        ("main", True, "restricted"),
        ("main", False, "secret"),
        ("main", True, "restricted"),
    ]
    assert [key.id for key in found if key] == [row.id for row in report.rows]


def test_repeating_an_import_changes_nothing(database_url: str, keys: KeyService, load: Import) -> None:
    records = [{"key": OURS}, {"key": TEXT}, {"hash": sha256(f"{TEXT}2")}]
    load(records)
    before = [key.id for key in keys.list()]
    again = load([*records, {"key": f"{TEXT}3"}])
    assert (statuses(again), again.complete) == (["api_key_exists"] * 3 + ["imported"], True)
    assert [key.id for key in keys.list()][1:] == before


@pytest.mark.parametrize("number", range(4))  # which digest of a text sorts first is chance
def test_an_ended_key_stays_ended_when_it_is_imported_again_after_a_rotation(
    number: int, database_url: str, keys: KeyService, load: Import
) -> None:
    texts = [OURS, f"{TEXT}{number}", f"{TEXT}{number}hashed"]
    records = [{"key": texts[0]}, {"key": texts[1]}, {"hash": sha256(texts[2])}]
    for row in load(records).rows:
        keys.revoke(required(keys.find(row.id or "")))
    keys.authority.keyring = keys.authority.keyring.rotate_digest()
    assert statuses(load(records)) == ["api_key_exists"] * 3
    assert [reason(keys, text) for text in texts] == [Reason.revoked] * 3


def test_a_text_whose_hash_was_imported_is_there(database_url: str, keys: KeyService, load: Import) -> None:
    load([{"hash": sha256(TEXT)}])
    assert statuses(load([{"key": TEXT}])) == ["api_key_exists"]


@pytest.mark.parametrize("number", range(8))
def test_of_two_hashes_of_a_text_the_one_that_ended_counts(number: int, keys: KeyService, load: Import) -> None:
    text = f"{TEXT}{number}"
    ended = load([{"hash": sha256(text)}]).rows[0]
    keys.revoke(required(keys.find(ended.id or "")))
    load([{"hash": hashlib.sha512(text.encode()).hexdigest()}])
    assert reason(keys, text) is Reason.revoked


def slow_row(text: str) -> Record:
    return {"hash": f"pbkdf2:sha256:2$salt${hashlib.pbkdf2_hmac('sha256', text.encode(), b'salt', 2).hex()}",
            "lookup": text[:8]}  # fmt: skip


@pytest.mark.parametrize("text", [OURS, TEXT], ids=["of our form", "of another"])
def test_a_key_of_a_slow_hash_that_ended_unused_stays_ended_when_its_text_is_imported(
    text: str, database_url: str, keys: KeyService, load: Import
) -> None:
    keys.revoke(required(keys.find(load([slow_row(text)]).rows[0].id or "")))
    for dry_run in (True, False, False):
        assert statuses(load([{"key": text}, {"key": f"{text[:-3]}abc"}], dry_run=dry_run))[0] == "api_key_exists"
    assert reason(keys, text) is Reason.revoked
    assert required(keys.find(text)).revoked_at is not None


def test_a_request_compares_few_texts_with_slow_hashes_and_says_which_it_left(keys: KeyService, clock: Clock) -> None:
    def load(records: Sequence[Record]) -> list[str]:
        return statuses(import_records(keys, records, Defaults(), SYSTEM, int(clock.now), most_compared=2))

    assert load([slow_row(f"{TEXT}1")]) == ["imported"]
    texts: list[Record] = [{"key": f"{TEXT}{number}"} for number in range(1, 5)]
    assert load(texts) == ["api_key_exists", "imported", "api_key_not_compared", "api_key_not_compared"]
    assert load(texts) == ["api_key_exists", "api_key_exists", "imported", "imported"]


def test_a_row_that_is_refused_does_not_stop_the_others(keys: KeyService, load: Import) -> None:
    report = load(
        [
            {"key": "short"}, {"key": TEXT, "permissions": "nothing_read"}, {"hash": "x"},
            {"hash": "pbkdf2:sha256:2$salt$00"}, {"key": TEXT, "name": OURS}, {"key": OURS, "mode": "test"},
            {"key": TEXT, "ip_allowlist": "anywhere"}, {"key": TEXT},
        ]
    )  # fmt: skip
    assert statuses(report) == [
        "api_key_malformed", "permission_unknown", "api_key_hash_invalid", "api_key_hash_invalid", "name_invalid",
        "api_key_malformed", "ip_allowlist_invalid", "imported",
    ]  # fmt: skip
    assert not report.complete
    assert len(keys.list()) == 1
    assert TEXT not in as_json(report)
    assert OURS not in as_json(report)


def test_a_hash_or_salt_that_no_index_takes_is_refused_alone(database_url: str, keys: KeyService, load: Import) -> None:
    salt = long_text(2_000)
    hashed = {"hash": sha256(TEXT), "algorithm": "sha256"}
    random = "".join(f"{ord(character):x}" for character in salt)
    report = load(
        [
            {**hashed, "salt_before": salt}, {**hashed, "salt_after": salt, "lookup": TEXT[:8]},
            {"hash": f"pbkdf2_sha256$2${random}$aGFzaA", "lookup": TEXT[:8]}, {"key": TEXT},
        ]
    )  # fmt: skip
    assert statuses(report) == [*["api_key_hash_invalid"] * 3, "imported"]
    assert report.error is None


def test_a_dry_run_tells_what_would_be_and_stores_nothing(keys: KeyService, load: Import) -> None:
    many = [{"hash": sha256(f"{TEXT}{number % BATCH}")} for number in range(BATCH + 1)]
    report = load([*many, {"key": "short"}], dry_run=True)
    assert (report.count("imported"), report.count("existing"), report.count("failed")) == (BATCH, 1, 1)
    assert [row.id for row in report.rows[:2]] == [None, None]
    assert keys.list() == ()
    assert keys.audit() == []
    assert load(many[:2]).count("imported") == 2


def test_keys_that_ended_there_are_left_out(load: Import, clock: Clock) -> None:
    report = load(
        [{"key": TEXT, "revoked": True}, {"key": TEXT, "expires_at": int(clock.now)}, {"key": TEXT, "revoked": "f"}]
    )
    assert [row.status for row in report.rows] == ["skipped", "skipped", "imported"]


def test_an_export_of_unkey_is_imported(keys: KeyService, load: Import) -> None:
    export = {
        "hash": {"value": sha256(TEXT), "variant": "sha256_hex"}, "externalId": "cus_1", "name": "CI",
        "permissions": ["reports.read"], "meta": {"plan": "free"}, "ratelimit": {"limit": 10},
    }  # fmt: skip
    records = list(read_text(json.dumps({"keys": [export]})))
    report = load(records, Defaults(renamed={"reports.read": "report_read"}))
    key = keys.verify(TEXT)
    assert key
    assert (key.account, key.metadata["plan"], key.allows("report_read")) == ("cus_1", "free", True)
    assert report.rows[0].ignored == ("ratelimit",)
    assert as_lines(report) == ["fields without effect: ratelimit", "1 imported, 0 existed, 0 had ended, 0 failed"]


def test_a_dump_of_djangorestframework_api_key_is_imported(keys: KeyService, load: Import) -> None:
    fields = {"prefix": TEXT[:8], "hashed_key": f"sha512$${hashlib.sha512(TEXT.encode()).hexdigest()}", "name": "CI"}
    dump = [{"model": "rest_framework_api_key.apikey", "pk": "x", "fields": {**fields, "organization": 7}}]
    load(list(read_text(json.dumps(dump))), Defaults(kind="secret", account_field="organization"))
    key = keys.verify(TEXT)
    assert key
    assert (key.account, key.kind, key.redacted) == ("7", "secret", "Ab12Cd34...")


def test_a_database_that_fails_stops_the_import_and_keeps_what_is_stored(
    keys: KeyService, load: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{"hash": sha256(f"{TEXT}{number}")} for number in range(BATCH + 1)]
    write, calls = keys.database.write, []

    def failing(callback: Callable[..., object], lock: str | None = None) -> object:
        calls.append(1)
        if len(calls) > 1:
            raise StorageError("away")
        return write(callback, lock)

    monkeypatch.setattr(keys.database, "write", failing)
    report = load(records)
    assert (report.error, report.complete) == (f"StorageError: the database failed after row {BATCH}", False)
    assert len(keys.list()) == report.count("imported") == BATCH


def test_the_report_has_the_counts_and_only_the_first_failures_as_text(load: Import) -> None:
    report = load([{"key": "short"}] * 25)
    assert len(as_lines(report)) == 22
    assert as_value(report)["failed"] == 25
