"""Configurations of providers name what is wrong with them."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.tables import only, table


def test_a_name_that_is_not_known_is_told_with_its_place() -> None:
    only({"host": "a"}, ("host", "port"), "link.")
    with pytest.raises(ValueError, match=r"^link\.hosts is no setting of this processor$"):
        only({"host": "a", "hosts": "b"}, ("host", "port"), "link.")


@pytest.mark.parametrize("given", [{}, {"link": "a"}, {"link": [1]}])
def test_a_table_that_is_missing_or_something_else_is_told(given: dict[str, object]) -> None:
    assert table({"link": {"port": 1}}, "link") == {"port": 1}
    with pytest.raises(ValueError, match=r"^link is missing: a table$"):
        table(given, "link")
