"""Files of keys: our own forms, Unkey's, and the table of djangorestframework-api-key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tollkey.keys.importing import FileRefused, read_file, read_text

UNKEY = {
    "hash": {"value": "aGFzaA==", "variant": "sha256_base64"}, "apiId": "api_1", "externalId": "cus_1", "name": "CI",
    "start": "acme_3Z", "prefix": "acme", "meta": {"plan": "free"}, "permissions": ["reports.read"],
    "expires": 1893456000000, "enabled": False, "environment": "test", "ratelimit": {"limit": 10}, "roles": ["admin"],
}  # fmt: skip
DUMP = {
    "model": "rest_framework_api_key.apikey",
    "pk": "Ab12Cd34.sha512$$00",
    "fields": {
        "prefix": "Ab12Cd34", "hashed_key": "sha512$$00", "created": "2026-01-01T00:00:00Z", "name": "CI",
        "revoked": False, "expiry_date": "2030-01-01T00:00:00Z", "organization": 7,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "key,name\r\nk1,one\r\nk2,\"t,wo\"\r\n",
        '[{"key": "k1", "name": "one"}, {"key": "k2", "name": "t,wo"}]',
        '{"keys": [{"key": "k1", "name": "one"}, {"key": "k2", "name": "t,wo"}]}',
        '{"key": "k1", "name": "one"}\n\n{"key": "k2", "name": "t,wo"}\n',
    ],
    ids=["csv", "list", "object", "lines"],
)  # fmt: skip
def test_csv_and_json_of_every_form_give_the_same_records(text: str) -> None:
    assert list(read_text(text)) == [{"key": "k1", "name": "one"}, {"key": "k2", "name": "t,wo"}]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert read_file(tmp_path / "empty") == []


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text("key\nk1\n", encoding="utf-8-sig")
    assert read_file(tmp_path / "keys.csv") == [{"key": "k1"}]


def test_unkey_s_migration_form_is_told_by_its_fields() -> None:
    (record,) = read_text(json.dumps({"keys": [UNKEY]}))
    assert record == {
        "account": "cus_1", "name": "CI", "permissions": ["reports.read"], "metadata": {"plan": "free"}, "mode": "test",
        "expires_at": 1893456000, "disabled": True, "shown": "acme_3Z", "hash": "aGFzaA==",
        "algorithm": "sha256_base64", "ratelimit": {"limit": 10}, "roles": ["admin"],
    }  # fmt: skip
    (record,) = read_text(json.dumps([{"hash": "00", "identity": {"externalId": "cus_2"}, "apiId": "api_1"}]))
    assert (record["account"], record["hash"]) == ("cus_2", "00")


def test_unkey_s_form_means_the_same_as_csv() -> None:
    head = "hash,externalId,expires,enabled"
    read = list(read_text(f"{head}\n00,cus_1,1893456000000,false\n01,cus_2,,true\n02,cus_3,,\n"))
    assert [(each["expires_at"], each["disabled"]) for each in read] == [("1893456000", True), ("", False), ("", False)]


def test_a_dump_of_django_is_told_by_its_fields() -> None:
    (record,) = read_text(json.dumps([DUMP]))
    assert record == {
        "hash": "sha512$$00", "lookup": "Ab12Cd34", "shown": "Ab12Cd34", "name": "CI", "revoked": False,
        "expires_at": "2030-01-01T00:00:00Z", "organization": 7,
    }  # fmt: skip


def test_the_table_of_djangorestframework_api_key_may_be_csv() -> None:
    head = "id,created,name,revoked,expiry_date,hashed_key,prefix"
    (record,) = read_text(f"{head}\nAb12Cd34.x,2026-01-01,CI,t,,pbkdf2_sha256$1$s$aGFzaA==,Ab12Cd34\n")
    assert (record["hash"], record["lookup"], record["revoked"]) == ("pbkdf2_sha256$1$s$aGFzaA==", "Ab12Cd34", "t")
    (old,) = read_text('[{"model": "a.b", "pk": "Ab12Cd34.hash", "fields": {"hashed_key": "", "name": "Old"}}]')
    assert (old["hash"], old["lookup"]) == ("hash", "Ab12Cd34")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,note\na,b\n", "first line"),
        ("key,key\na,b\n", "first line"),
        ("key,name\na\n", "line 2"),
        ("key,name\na,b,c\n", "line 2"),
        ('key\n"a\n', "line 1"),
        ("[1]", "entry 1"),
        ('{"key": "a"}\n{"key"', "line 2"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, told: str) -> None:
    with pytest.raises(FileRefused, match=told):
        list(read_text(text))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_bytes(b"key\n\xff\xfe\n")
    with pytest.raises(FileRefused, match="UTF-8"):
        read_file(tmp_path / "keys.csv")
