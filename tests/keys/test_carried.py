from __future__ import annotations

from pathlib import Path
from typing import Any

from tollkey.keys import KeyService
from tollkey.keys.accepted import Accepted
from tollkey.keys.carried import carried, carried_key, carry, variable_of


def test_only_the_keys_that_accepted_a_request_find_what_it_carries(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "a.db")) as keys, KeyService.open(str(tmp_path / "b.db")) as others:
        key, text = keys.create()
        accepted, entries = Accepted(key, (), 1, text), dict[str, Any]()
        assert (carried(entries, keys), carried_key(entries, keys)) == (None, None)
        carry(entries, keys, accepted)
        assert (carried(entries, keys), carried_key(entries, keys)) == (accepted, key)
        assert (carried(entries, others), carried_key(entries, others)) == (None, None)
        assert text not in repr(entries)


def test_a_header_has_its_name_in_a_wsgi_environ() -> None:
    assert (variable_of("authorization"), variable_of("x-api-key")) == ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")
