"""Files, their links, and reports."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import NOW, Answer, Api
from tests.support.openapi import assert_valid
from tollkey.db import Ids, Scope, StorageError, Tx
from tollkey.platform._contents import CHUNK, UNCLAIMED_SECONDS, discard_unclaimed, move_in
from tollkey.platform.files import create, stage
from tollkey.wire.messages import Request
from tollkey.wire.params import Upload
from tollkey.wire.staging import Staged, write_staged

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def upload(
    api: Api,
    content: bytes = PNG,
    purpose: str = "dispute_evidence",
    name: str = "receipt.png",
    headers: dict[str, str] | None = None,
    **fields: str,
) -> Answer:
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'
        for k, v in {"purpose": purpose, **fields}.items()
    ]
    head = "".join(parts) + f'--frontier\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--frontier--\r\n"
    sent = {"content-type": "multipart/form-data; boundary=frontier", **(headers or {})}
    return api.send("POST", "/v1/files", headers=sent, body=body)


def test_an_uploaded_file_is_answered_byte_for_byte(api: Api) -> None:
    file = upload(api)
    assert file.status == 200, file
    assert_valid("POST", "/v1/files", 200, file)
    assert (file["type"], file["size"], file["purpose"], file["filename"]) == (
        "png",
        len(PNG),
        "dispute_evidence",
        "receipt.png",
    )
    assert api.get(f"/v1/files/{file['id']}") == file
    answer = api.get(f"/v1/files/{file['id']}/contents")
    assert (answer.body, answer.headers["content-type"]) == (PNG, "image/png")


def test_files_are_listed_by_purpose(api: Api) -> None:
    one = upload(api)
    upload(api, purpose="identity_document")
    page = api.ok("GET", "/v1/files", purpose="dispute_evidence")
    assert [file["id"] for file in page["data"]] == [one["id"]]
    assert_valid("GET", "/v1/files", 200, page)


def test_a_file_of_the_wrong_type_or_purpose_is_refused_and_nothing_is_kept(api: Api) -> None:
    assert upload(api, b"hello").error["param"] == "file"
    assert upload(api, purpose="fun").error["param"] == "purpose"
    assert api.post("/v1/files", purpose="dispute_evidence").error["message"] == "Missing required param: file."
    assert api.get("/v1/files")["data"] == []


def test_a_file_link_needs_no_key_until_it_expires(api: Api) -> None:
    file = upload(api)
    link = api.ok("POST", "/v1/file_links", file=file["id"], expires_at=api.now + 60)
    assert_valid("POST", "/v1/file_links", 200, link)
    path = link["url"].partition("8420")[2]
    assert api.send("GET", path, key=None).body == PNG
    api.advance(60)
    assert api.get(f"/v1/file_links/{link['id']}")["expired"] is True
    assert api.send("GET", path, key=None).status == 400


def test_only_files_that_are_meant_for_others_are_linked(api: Api) -> None:
    shown, identity = upload(api), upload(api, purpose="identity_document")
    assert api.post("/v1/file_links", file=shown["id"]).status == 200
    refused = api.post("/v1/file_links", file=identity["id"])
    assert (refused.status, refused.error["param"]) == (400, "file")
    refused = upload(api, purpose="additional_verification", **{"file_link_data[create]": "true"})
    assert (refused.status, refused.error["param"]) == (400, "file_link_data[create]")
    assert len(api.get("/v1/files")["data"]) == 2


@pytest.mark.parametrize("change", [{"metadata": {"a": "b"}}, {"expires_at": NOW + 999}, {"expires_at": ""}])
def test_a_link_that_has_expired_is_not_changed(api: Api, change: dict[str, Any]) -> None:
    link = api.ok("POST", "/v1/file_links", file=upload(api)["id"], expires_at=api.now + 60)["id"]
    assert api.post(f"/v1/file_links/{link}", expires_at=api.now).error["param"] == "expires_at"
    assert api.ok("POST", f"/v1/file_links/{link}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    api.ok("POST", f"/v1/file_links/{link}", expires_at="now")
    before = api.get(f"/v1/file_links/{link}")
    refused = api.post(f"/v1/file_links/{link}", **change)
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
    assert api.get(f"/v1/file_links/{link}") == before


def test_a_link_can_be_made_while_uploading(api: Api) -> None:
    file = upload(api, **{"file_link_data[create]": "true"})
    assert file["links"]["data"][0]["file"] == file["id"]
    assert [event["type"] for event in api.events()] == ["file.created", "file_link.created"]


def test_a_report_run_makes_a_csv_file_of_its_interval(api: Api) -> None:
    run = api.ok(
        "POST", "/v1/reporting/report_runs", report_type="balance.summary.1",
        parameters={"interval_start": api.now - 86400, "interval_end": api.now},
    )  # fmt: skip
    assert run["status"] == "pending"
    assert_valid("POST", "/v1/reporting/report_runs", 200, run)
    api.advance(1)
    run = api.ok("GET", f"/v1/reporting/report_runs/{run['id']}")
    assert_valid("GET", "/v1/reporting/report_runs/{report_run}", 200, run)
    assert run["status"] == "succeeded"
    text = api.get(run["result"]["url"].partition("8420")[2]).body
    assert text.splitlines()[0] == b'"category","description","net_amount","currency"'
    assert len(api.events("reporting.report_run.succeeded")) == 1


@pytest.mark.parametrize("path", ["/v1/reporting/report_types", "/v1/reporting/report_types/balance.summary.1"])
def test_report_types_are_described(api: Api, path: str) -> None:
    template = "/v1/reporting/report_types" + ("/{report_type}" if path.endswith("1") else "")
    assert_valid("GET", template, 200, api.ok("GET", path))


def test_a_report_adds_up_the_balance_transactions_of_its_interval(api: Api) -> None:
    api.ok("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa")
    interval = {"interval_start": api.now, "interval_end": api.now + 60}
    run = api.ok(
        "POST", "/v1/reporting/report_runs", report_type="balance_change_from_activity.summary.1", parameters=interval
    )
    api.advance(1)
    result = api.get(f"/v1/reporting/report_runs/{run['id']}")["result"]
    rows = api.get(result["url"].partition("8420")[2]).body.decode().splitlines()
    assert rows[1] == '"charge","usd","1","20.00","0.88","19.12"'


def test_a_long_file_is_kept_in_pieces_and_its_answer_says_how_long_it_is(api: Api) -> None:
    content = PNG + bytes(600_000)
    file = upload(api, content)
    request = Request(
        "GET", f"/v1/files/{file['id']}/contents", b"", {"authorization": f"Bearer {api.sk}"}, b"", "127.0.0.1"
    )
    response = api.world.runner.run(api.world.server.service.answer(request))
    assert response.rest is not None
    assert (response.length, response.rest.pieces) == (len(content), 3)
    rest = [api.core.database.read(partial(response.rest.read, number)) for number in range(1, response.rest.pieces)]
    assert response.body + b"".join(rest) == content


def stored(api: Api) -> tuple[list[str], int, int]:
    """The ids of the merchant's file objects, and how many files have contents and how many are not claimed."""
    contents = "SELECT count(DISTINCT file) FROM file_contents WHERE account = ?"
    unclaimed = "SELECT count(*) FROM file_uploads WHERE account = ?"
    read = api.core.database.read
    return (
        [file["id"] for file in api.get("/v1/files")["data"]],
        read(lambda tx: tx.execute(contents, (api.account,)))[0][0],
        read(lambda tx: tx.execute(unclaimed, (api.account,)))[0][0],
    )


LONG = PNG + bytes(600_000)  # three chunks


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"hello", {}),
        (b"hello" * 200_000, {}),
        (LONG, {"purpose": "fun"}),
        (LONG, {"purpose": "business_icon"}),
        (LONG, {"file_link_data[create]": "true", "file_link_data[expires_at]": "1"}),
        (LONG, {"headers": {"stripe-account": "acct_unknown"}}),
        (LONG, {"headers": {"idempotency-key": ""}}),
    ],
    ids=["type", "type, long", "purpose", "too large", "link", "account", "idempotency key"],
)
def test_a_refused_upload_leaves_nothing(api: Api, content: bytes, sent: dict[str, Any]) -> None:
    assert upload(api, content, **sent).status in (400, 403)
    assert stored(api) == ([], 0, 0)


def test_a_repeated_upload_is_stored_once(api: Api) -> None:
    once = {"idempotency-key": "once"}
    first, again = (upload(api, LONG, headers=once) for _ in range(2))
    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body
    assert upload(api, LONG + b"more", headers=once).status == 400
    assert stored(api) == ([first["id"]], 1, 0)


def staged(api: Api) -> Staged:
    """What is stored of a long upload before the transaction of its object."""
    given = {"purpose": "dispute_evidence", "file": Upload("receipt.png", LONG)}
    found = stage(given, Scope(api.account, False), Ids(), api.now)
    assert found is not None
    return found


def test_a_long_upload_is_stored_a_chunk_at_a_time_and_belongs_to_no_object_until_it_is_claimed(api: Api) -> None:
    upload_ = staged(api)
    sizes = []
    total = "SELECT sum(length(content)) FROM file_contents WHERE account = ?"
    for step in upload_.steps:
        api.core.database.write(step)
        sizes.append(api.core.database.read(lambda tx: tx.execute(total, (api.account,)))[0][0])
    assert sizes == [CHUNK, 2 * CHUNK, len(LONG)]
    assert stored(api) == ([], 1, 1)
    id = upload_.given["file"].id
    assert api.get(f"/v1/files/{id}/contents").status == 404
    file = api.core.database.write(lambda tx: create(api.core.call(tx, Scope(api.account, False)), upload_.given))
    assert file["id"] == id
    assert stored(api) == ([id], 1, 0)
    assert not api.core.database.write(upload_.discard)  # it is claimed
    assert api.get(f"/v1/files/{id}/contents").body == LONG[:CHUNK]


def test_an_upload_that_a_crash_left_is_deleted_after_an_hour_a_chunk_at_a_time(api: Api) -> None:
    upload_, database = staged(api), api.core.database
    for step in upload_.steps[:2]:
        database.write(step)
    database.write(lambda tx: discard_unclaimed(tx, api.now + UNCLAIMED_SECONDS - 1))
    assert stored(api) == ([], 1, 1)
    transactions = 0
    while database.write(lambda tx: discard_unclaimed(tx, api.now + UNCLAIMED_SECONDS)):
        transactions += 1
    assert transactions == 2
    assert stored(api) == ([], 0, 0)


@pytest.mark.parametrize("chunks", [1, 3])
def test_an_upload_whose_time_is_over_is_deleted_at_once(api: Api, chunks: int) -> None:
    """Its request was answered 503: nobody will claim it."""
    upload_, edge, begun = staged(api), api.world.server.edge, asyncio.Event()
    loop = api.world.runner.get_loop()

    def last(tx: Tx) -> None:
        upload_.steps[chunks - 1](tx)
        loop.call_soon_threadsafe(begun.set)

    async def run() -> None:
        steps = upload_._replace(steps=[*upload_.steps[: chunks - 1], last, *upload_.steps[chunks:]])
        writing = asyncio.ensure_future(write_staged(edge, steps, lambda tx: pytest.fail("it was cancelled"), "lock"))
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    api.world.runner.run(run())
    assert stored(api) == ([], 0, 0)


@pytest.mark.parametrize("chunks", [1, 3])
def test_an_abandoned_upload_cannot_be_continued_or_claimed(api: Api, chunks: int) -> None:
    upload_, database = staged(api), api.core.database
    for step in upload_.steps[:chunks]:
        database.write(step)
    database.write(upload_.discard)
    with pytest.raises(StorageError, match="was abandoned"):
        database.write(upload_.steps[2])
    with pytest.raises(StorageError, match="was abandoned"):
        database.write(lambda tx: create(api.core.call(tx, Scope(api.account, False)), upload_.given))
    while database.write(upload_.discard):
        pass
    assert stored(api) == ([], 0, 0)


def test_files_of_the_data_folder_are_taken_into_the_database_and_what_nothing_names_is_left_alone(
    api: Api, tmp_path: Path
) -> None:
    content = PNG + bytes(600_000)
    file, other = upload(api, content), upload(api)
    api.core.database.write(lambda tx: tx.execute("DELETE FROM file_contents WHERE file = ?", (file["id"],)))
    (tmp_path / file["id"]).write_bytes(content)  # as an earlier version kept it
    (tmp_path / other["id"]).write_bytes(PNG)  # taken in already, by a start that was killed before it removed it
    (tmp_path / "file_unknown").write_bytes(b"left by a transaction that failed")
    assert move_in(api.core.database, tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file_unknown"]
    assert move_in(api.core.database, tmp_path) == 0
    assert api.get(f"/v1/files/{file['id']}/contents").body == content[: 256 * 1024]
    assert api.get(f"/v1/files/{other['id']}/contents").body == PNG


def test_a_file_whose_contents_are_still_on_a_node_of_an_earlier_version_is_not_found(api: Api) -> None:
    file = upload(api)
    api.core.database.write(lambda tx: tx.execute("DELETE FROM file_contents WHERE file = ?", (file["id"],)))
    refused = api.get(f"/v1/files/{file['id']}/contents")
    assert (refused.status, refused.error["code"]) == (404, "resource_missing")
