"""Idempotency-Key: the same request again, within 24 hours, gets the answer of the first one.

The answer is stored in the transaction of the change, so neither is ever without the other. It may hold the text of a
new key, so it is sealed; names and requests are stored as keyed digests.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
from starlette.concurrency import run_in_threadpool

from tollkey.db import Migration, Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.http.answer import JSON, Answer, JsonValue
from tollkey.keys.http.endpoint import Call
from tollkey.keys.http.errors import IDEMPOTENCY, ApiError
from tollkey.keys.key import Key
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal

KEPT_SECONDS = 24 * 3600
LONGEST_NAME = 255
MIGRATION = Migration(
    "keys_http",
    (
        "CREATE TABLE service_requests (seq {key}, caller TEXT NOT NULL, name {blob} NOT NULL, request {blob} NOT NULL,"
        " answer {blob} NOT NULL, created {int} NOT NULL, UNIQUE (caller, name))",
        "CREATE INDEX service_requests_created ON service_requests (created)",
    ),
)
_REPLAYED = (b"idempotent-replayed", b"true")


def _context(caller: str, name: bytes) -> str:
    """Return what an answer is sealed with, so that it is no other request's. name: its digest."""
    return f"service_request:{caller}:{bytes(name).hex()}"


#: Where answers with the text of a new key are stored.
SEALED = (SealedColumn("service_requests", "answer", "seq", ("caller", "name"), _context),)


async def change(call: Call, work: Callable[[Tx], JsonValue]) -> Answer:
    """Run a change in one transaction, and return its value as the answer; once for each Idempotency-Key.

    Raises ApiError 400 for a key that was used for another request, 401 or 403 for a service key that has ended or lost
    its permission by the time of the transaction, and what ``work`` raises: then nothing is stored.
    """

    def asked(tx: Tx) -> JsonValue:
        call.current_caller(tx)
        return work(tx)

    name = call.headers.get("idempotency-key")
    if name is None:
        value = await run_in_threadpool(call.server.keys.database.write, asked)
        return Answer(orjson.dumps(value), 200, (JSON,))
    if not 0 < len(name) <= LONGEST_NAME:
        message = f"An Idempotency-Key has from 1 to {LONGEST_NAME} characters."
        raise ApiError(400, "idempotency_key_invalid", message, type=IDEMPOTENCY)
    caller = call.actor.id
    lock = f"service_request {caller} {name}"
    return await run_in_threadpool(call.server.keys.database.write, lambda tx: _once(tx, call, name, work), lock)


def _rights(caller: Key | None) -> str:
    """Return what the caller may do: a stored answer, perhaps with a key, is given again only to the same rights."""
    return "" if caller is None else f"{caller.kind} {','.join(sorted(caller.effective))}"


def _once(tx: Tx, call: Call, name: str, work: Callable[[Tx], JsonValue]) -> Answer:
    current = call.current_caller(tx)
    keyring, caller, now = call.server.keys.authority.keyring, call.actor.id, call.server.now
    digest = keyring.stable_digest(name)
    request = keyring.stable_digest(
        f"{_rights(current)} {call.method} {call.target} {call.raw.decode('utf-8', 'replace')}"
    )
    bound_to = _context(caller, digest)
    rows = tx.execute(
        "SELECT request, answer FROM service_requests WHERE caller = ? AND name = ? AND created > ?",
        (caller, digest, now - KEPT_SECONDS),
    )
    if rows:
        if bytes(rows[0][0]) != request:
            message = "This Idempotency-Key was used for another request, or with other permissions. Use a new one."
            raise ApiError(400, "idempotency_key_in_use", message, type=IDEMPOTENCY)
        try:
            return Answer(unseal(bytes(rows[0][1]), bound_to, keyring).encode(), 200, (JSON, _REPLAYED))
        except SealBroken:
            message = "The answer to this request was sealed with a key that is no longer in the keyring."
            raise ApiError(409, "idempotency_answer_lost", message, type=IDEMPOTENCY) from None
    body = orjson.dumps(work(tx))
    tx.execute("DELETE FROM service_requests WHERE caller = ? AND name = ?", (caller, digest))
    tx.execute(
        "INSERT INTO service_requests (caller, name, request, answer, created) VALUES (?, ?, ?, ?, ?)",
        (caller, digest, request, seal(body.decode(), bound_to, keyring), now),
    )
    return Answer(body, 200, (JSON,))


def forget_old(tx: Tx, now: int) -> None:
    """Delete the answers that are older than 24 hours. now: UTC epoch seconds."""
    tx.execute("DELETE FROM service_requests WHERE created <= ?", (now - KEPT_SECONDS,))
