"""A merchant is named in full, whatever a test leaves out."""

from __future__ import annotations

from tollkey.payments.issuing._merchant import merchant


def test_what_is_not_given_has_a_default_and_all_keys_are_there() -> None:
    assert merchant(None) == merchant({})
    assert (merchant(None)["name"], merchant(None)["country"], merchant(None)["url"]) == ("Rocket Rides", "US", None)
    assert merchant({"name": "Bakery", "city": "Berlin"}).keys() == merchant(None).keys()


def test_a_category_brings_its_code_and_an_unknown_one_the_code_of_miscellaneous_shops() -> None:
    codes = [merchant({"category": name})["category_code"] for name in ("taxicabs_limousines", "book_stores")]
    assert codes == ["4121", "5999"]
