"""What the fields of a row may be, and what they become."""

from __future__ import annotations

import hashlib
import math

import pytest

from tollkey.keys.foreign_hashes import PlainHash, SlowHash
from tollkey.keys.importing.rows import Defaults, Record, RowRefused, Value, read_row

TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()


def test_csv_s_texts_become_lists_times_and_truth_values() -> None:
    row = read_row(
        {
            "key": f" {TEXT} ", "account": "cus_1", "mode": "test", "type": "restricted", "name": "CI", "note": "n",
            "permissions": "report_read, user_read", "ip_allowlist": "192.0.2.1 192.0.2.2",
            "expires_at": "2030-01-01T00:00:00Z", "metadata": '{"plan": "free", "seats": 3}', "disabled": "t",
        },
        Defaults(),
    )  # fmt: skip
    assert (row.text, row.account, row.livemode, row.kind) == (TEXT, "cus_1", False, "restricted")
    assert (row.permissions, row.limits.ip_allowlist) == (("report_read", "user_read"), ("192.0.2.1", "192.0.2.2"))
    assert (row.limits.expires_at, row.limits.metadata) == (1893456000, {"plan": "free", "seats": "3"})
    assert row.limits.disabled


def test_what_a_row_does_not_say_is_taken_from_the_defaults() -> None:
    defaults = Defaults("cus_9", False, "restricted", ("report_read",), {"reports.read": "report_read"}, "team")
    row = read_row({"hash": SHA256}, defaults)
    assert (row.account, row.livemode, row.kind, row.permissions) == ("cus_9", False, "restricted", ("report_read",))
    row = read_row({"hash": SHA256, "team": 7, "permissions": ["reports.read"], "type": "secret"}, defaults)
    assert (row.account, row.kind, row.permissions) == ("7", "secret", ("report_read",))


@pytest.mark.parametrize(
    ("record", "hash"),
    [
        ({"hash": SHA256}, PlainHash("sha256", SHA256)),
        ({"hash": SHA256, "algorithm": "sha256_hex", "lookup": "Ab12"}, PlainHash("sha256", SHA256)),
        ({"hash": SHA256, "salt_before": "s"}, PlainHash("sha256", SHA256, "s")),
        ({"hash": "sha512$$" + "0" * 128}, PlainHash("sha512", "0" * 128)),
        ({"hash": "0" * 128}, PlainHash("sha512", "0" * 128)),
        (
            {"hash": f"plain_sha256$${SHA256}", "lookup": "Ab12Cd34"},
            SlowHash("Ab12Cd34", f'plain["[\\"sha256\\", \\"\\", \\"Ab12Cd34\\"]", "{SHA256}"]'),
        ),
        ({"hash": "pbkdf2:sha256:2$salt$00", "lookup": "Ab12"}, SlowHash("Ab12", "pbkdf2:sha256:2$salt$00")),
    ],
)
def test_the_algorithm_of_a_hash_is_told_by_its_form(record: Record, hash: object) -> None:
    assert read_row(record, Defaults()).hash == hash


def test_fields_that_are_not_known_are_named_unless_they_are_empty() -> None:
    row = read_row({"key": TEXT, "ratelimit": {"limit": 1}, "credits": None, "refill": ""}, Defaults())
    assert row.ignored == ("ratelimit",)


def test_a_row_does_not_show_its_key() -> None:
    assert TEXT not in repr(read_row({"key": TEXT}, Defaults()))


@pytest.mark.parametrize(
    ("record", "param"),
    [
        ({}, "key"),
        ({"key": TEXT, "hash": SHA256}, "key"),
        ({"key": 1}, "key"),
        ({"hash": "md5:x"}, "hash"),
        ({"key": TEXT, "type": "admin"}, "type"),
        ({"key": TEXT, "mode": "staging"}, "mode"),
        ({"key": TEXT, "account": "a\0"}, "account"),
        ({"key": TEXT, "permissions": [1]}, "permissions"),
        ({"key": TEXT, "permissions": {"a": 1}}, "permissions"),
        ({"key": TEXT, "metadata": "no json"}, "metadata"),
        ({"key": TEXT, "metadata": [1]}, "metadata"),
        ({"key": TEXT, "expires_at": "tomorrow"}, "expires_at"),
        ({"key": TEXT, "expires_at": True}, "expires_at"),
        ({"key": TEXT, "expires_at": math.inf}, "expires_at"),
        ({"key": TEXT, "expires_at": math.nan}, "expires_at"),
        ({"key": TEXT, "disabled": "maybe"}, "disabled"),
    ],
)
def test_a_row_that_cannot_be_read_names_its_field(record: dict[str, Value], param: str) -> None:
    with pytest.raises(RowRefused) as refused:
        read_row(record, Defaults())
    assert refused.value.param == param
    assert TEXT not in refused.value.message
