"""Refusals in the forms that callers and proxies understand."""

from __future__ import annotations

import pytest

from tollkey.keys import Denied, Reason
from tollkey.keys.refusal import for_auth_request, rfc6750


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_has_a_form_that_auth_request_passes_on(reason: Reason) -> None:
    plain, told = rfc6750(Denied(reason)), for_auth_request(Denied(reason))
    headers = dict(told.headers)
    assert told.status in (401, 403)
    assert headers["x-key-status"] == str(plain.status)
    assert headers["x-key-body"].encode() == plain.body
    assert ("www-authenticate" in headers) is (plain.status == 401)
    assert headers.get("x-key-retry-after") == dict(plain.headers).get("retry-after")
