"""Files, their links, and reports."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid
from tollkey.platform._contents import move_in
from tollkey.wire import Request

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def upload(
    api: Api, content: bytes = PNG, purpose: str = "dispute_evidence", name: str = "receipt.png", **fields: str
) -> Answer:
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'
        for k, v in {"purpose": purpose, **fields}.items()
    ]
    head = "".join(parts) + f'--frontier\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--frontier--\r\n"
    return api.send("POST", "/v1/files", headers={"content-type": "multipart/form-data; boundary=frontier"}, body=body)


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


def test_a_refused_upload_leaves_nothing(api: Api) -> None:
    pieces = "SELECT count(*) FROM file_contents"
    before = api.core.database.read(lambda tx: tx.execute(pieces))
    assert upload(api, b"hello", name="note.txt").status == 400
    assert api.core.database.read(lambda tx: tx.execute(pieces)) == before


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
