"""``POST /v1/keys/import``: keys of another system, by their texts or hashes."""

from __future__ import annotations

import json
from typing import cast

from starlette.concurrency import run_in_threadpool

from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import invalid
from tollkey.keys.http.fields import Field
from tollkey.keys.http.objects import livemode_of
from tollkey.keys.importing import Defaults, FileRefused, Record, as_value, import_records, read_text
from tollkey.keys.key import SERVICE_ACCOUNT
from tollkey.keys.token import Kind

MOST_ROWS = 500
_MOST_COMPARED = 20  # with slow hashes, of up to a second each
_KINDS: dict[str, Kind] = {"restricted": "restricted", "secret": "secret"}


async def import_keys(call: Call) -> Answer:
    """Import keys, and report on each. Sending them again imports what is missing."""
    sent = call.body
    defaults = Defaults(
        sent.text("account") or "main", livemode_of(call.server, sent.text("environment")),
        _KINDS[sent.text("type") or "restricted"], tuple(sent.texts("permissions") or ()),
    )  # fmt: skip
    records = _records(sent.objects("keys") or [])
    if any(str(each.get("account", defaults.account)) == SERVICE_ACCOUNT for each in (*records, {})):
        raise invalid("This account has the service keys; no customer has one.", "account")

    def work() -> dict[str, object]:
        now, dry_run = call.server.now, sent.flag("dry_run", False)
        report = import_records(
            call.server.keys, records, defaults, call.actor, now, dry_run=dry_run, check=call.current_caller,
            most_compared=_MOST_COMPARED,
        )  # fmt: skip
        return as_value(report)

    return json_answer(cast(JsonValue, await run_in_threadpool(work)))


def _records(members: list[object]) -> list[Record]:
    """The rows, in our own form; those of Unkey and djangorestframework-api-key are told by their fields."""
    try:
        return list(read_text(json.dumps(members)))
    except FileRefused as refused:
        raise invalid(f"Invalid keys: {refused}.", "keys") from None


ENDPOINT = Endpoint(
    "POST",
    "/v1/keys/import",
    import_keys,
    "import_write",
    "Import keys of another system",
    "key_import",
    body={
        "keys": Field("objects", "The rows, see the guide on importing.", required=True, most=MOST_ROWS),
        "dry_run": Field("boolean", "Try everything and store nothing."),
        "account": Field("string", "Of rows without one. [main]", most=255),
        "environment": Field("string", "Of rows without a mode. [live]"),
        "type": Field("string", "Of rows without one. [restricted]", choices=("restricted", "secret")),
        "permissions": Field("strings", "Of rows of restricted keys without any.", most=1_000),
    },
)
