"""Creating many keys at once, and revoking a key by its text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.keys.conftest import refused
from tollkey.db import Ids
from tollkey.keys import Key, KeyRefused, KeyService, NewKey
from tollkey.keys.token import generate


def test_many_keys_are_created_in_one_transaction_in_order(service: KeyService) -> None:
    new = [
        NewKey(name=f"Key {n}", permissions=["report_read"], account="alice", metadata={"n": str(n)}) for n in (1, 2)
    ]
    made = service.create_many(new)
    assert [one.key.metadata["n"] for one in made] == ["1", "2"]
    assert all(isinstance(service.verify(one.secret), Key) for one in made)
    assert [entry.key_id for entry in reversed(service.audit(account="alice"))] == [one.key.id for one in made]
    assert service.verify_audit()
    assert service.create_many([]) == []


def test_all_of_them_are_created_or_none(service: KeyService) -> None:
    with refused("permission_unknown"):
        service.create_many([NewKey(name="Good"), NewKey(permissions=["moon_read"])])
    assert service.list() == ()


def test_a_thousand_at_once_are_the_most(service: KeyService) -> None:
    with pytest.raises(ValueError, match="at most 1000"):
        service.create_many(NewKey() for _ in range(1001))


def test_whoever_has_the_text_of_a_key_can_revoke_it(service: KeyService) -> None:
    _, text = service.create(account="alice")
    revoked = service.revoke_text(text)
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert not service.verify(text)
    again = service.revoke_text(text)
    assert again == revoked, "reporting it twice is no error"


def test_an_id_or_an_unknown_text_revokes_nothing(service: KeyService) -> None:
    key, text = service.create()
    for given in (key.id, generate("secret", True, "eve", Ids.seeded(1)), "", "nonsense"):
        assert service.revoke_text(given) is None
    assert isinstance(service.verify(text), Key)


def test_a_publishable_key_is_public_and_stays(service: KeyService) -> None:
    made = service.create(kind="publishable")
    with refused("publishable_key_not_revocable"):
        service.revoke_text(made.secret)


#: Calls of the library, each with a text in the place of something else.
MISTAKEN: dict[str, Callable[[KeyService, str], object]] = {
    "a permission": lambda keys, text: keys.create(permissions=[text]),
    "an address": lambda keys, text: keys.create(ip_allowlist=[text]),
    "a name": lambda keys, text: keys.create(name=text),
    "a plan": lambda keys, text: keys.set_plan("alice", text),
    "the end of a page": lambda keys, text: keys.list(after=text),
    "a key to derive from": lambda keys, text: keys.issue_token(text, audience="https://api.example"),
}


@pytest.mark.parametrize("call", MISTAKEN.values(), ids=MISTAKEN)
@pytest.mark.parametrize("prefix", ["sk_live_", "acmeproductionkeys2_prod1_"])
def test_a_refusal_repeats_no_key_that_was_given_as_something_else(
    service: KeyService, call: Callable[[KeyService, str], object], prefix: str
) -> None:
    with pytest.raises(KeyRefused) as caught:
        call(service, prefix + "a1B2" * 20)
    assert "a1B2a1B2" not in f"{caught.value} {caught.value.message} {caught.value!r}"
