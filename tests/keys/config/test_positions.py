"""The lines of a TOML file."""

from __future__ import annotations

from tollkey.keys.config.positions import line_of, positions

TEXT = '''\
top = 1
"quoted key".inner = """
[not.a.table]
x = 1
"""
array = [
  "a ] = b", # [ and =
  { y = 1 },
]
[one."two.three"]
z = 'x = 1'

[[rows]]
  first = 1
[rows.sub]
  a = 1
[[rows]]
  first = 2
  second.deep = { q = 1 }
'''


def test_every_table_element_and_key_has_its_line() -> None:
    assert positions(TEXT) == {
        ("top",): 1,
        ("quoted key",): 2,
        ("quoted key", "inner"): 2,
        ("array",): 6,
        ("one",): 10,
        ("one", "two.three"): 10,
        ("one", "two.three", "z"): 11,
        ("rows",): 13,
        ("rows", 0): 13,
        ("rows", 0, "first"): 14,
        ("rows", 0, "sub"): 15,
        ("rows", 0, "sub", "a"): 16,
        ("rows", 1): 17,
        ("rows", 1, "first"): 18,
        ("rows", 1, "second"): 19,
        ("rows", 1, "second", "deep"): 19,
    }


def test_what_has_no_line_of_its_own_has_that_of_the_table_around_it() -> None:
    found = positions(TEXT)
    assert line_of(("rows", 1, "second", "deep", "q"), found) == 19
    assert line_of(("rows", 1, "missing"), found) == 17
    assert line_of(("nowhere",), found) == 1
    assert line_of((), found) == 1
