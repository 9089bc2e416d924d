"""Refused keys of the payments API are counted, those of strangers too."""

from __future__ import annotations

from tests.support.altered import altered
from tests.support.api import Api
from tollkey.keys.attempts import refused_attempts


def test_refused_keys_are_counted_by_address_and_reason(api: Api) -> None:
    core, ip = api.core, "203.0.113.99"
    core.database.write(core.attempts.flush)
    gone = api.restricted("customer_read")
    key = core.database.read(lambda tx: core.authority.find(tx, gone))
    assert key is not None
    api.post(f"/v1/api_keys/{key.id}/revoke")
    for text in (altered(api.sk), altered(api.sk), "nonsense", gone, None, api.sk):
        api.send("GET", "/v1/customers", key=text, ip=ip)
    core.database.write(core.attempts.flush)
    found = core.database.read(lambda tx: refused_attempts(tx, 10_000))
    assert {(one.reason, one.subject, one.attempts) for one in found if one.address == ip} == {
        ("unknown", "", 3),
        ("revoked", key.id, 1),
    }
