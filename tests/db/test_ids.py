from __future__ import annotations

import os
import re
from collections import Counter

from tollkey.db import Ids
from tollkey.db.ids import ALPHABET, RandomPool


def test_every_character_is_as_likely_as_any_other() -> None:
    ids = Ids.seeded(7)
    counts = Counter(character for _ in range(1_000) for character in ids.text(62))
    assert set(counts) == set(ALPHABET)
    chi_squared = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert chi_squared < 117  # 61 degrees of freedom: beyond this once in 100,000 seeds


def test_every_place_of_an_id_varies() -> None:
    ids = Ids.seeded(7)
    texts = [ids.text(24) for _ in range(2_000)]
    assert all(len(set(place)) == 62 for place in zip(*texts, strict=True))


def test_ids_do_not_repeat() -> None:
    ids = Ids()
    assert len({ids.new("cus") for _ in range(10_000)}) == 10_000


def test_a_seed_gives_the_same_ids_again() -> None:
    first, second = Ids.seeded(3), Ids.seeded(3)
    assert [first.new("ch") for _ in range(5)] == [second.new("ch") for _ in range(5)]


def test_an_id_is_its_prefix_and_letters_and_digits() -> None:
    assert re.fullmatch("cus_[0-9A-Za-z]{14}", Ids.seeded(1).new("cus"))
    assert re.fullmatch("ch_3[0-9A-Za-z]{23}", Ids.seeded(1).new("ch"))
    assert re.fullmatch("re_3[0-9A-Za-z]{23}", Ids.seeded(1).new("re"))
    assert re.fullmatch("evt_1[0-9A-Za-z]{23}", Ids.seeded(1).new("evt"))


def test_a_number_stays_below_its_bound() -> None:
    ids = Ids.seeded(5)
    assert {ids.number(6) for _ in range(200)} == set(range(6))


def test_a_later_id_stands_behind_an_earlier_one() -> None:
    clock = [1_764_000_000.0]
    ids = Ids(now=lambda: clock[0])
    found = []
    for _ in range(100):
        found.append(ids.new("cus"))
        clock[0] += 37
    assert found == sorted(found)


def test_ids_of_one_second_differ_in_what_cannot_be_guessed() -> None:
    ids = Ids(now=lambda: 1_764_000_000.0)
    assert len({ids.new("cus")[9:] for _ in range(10_000)}) == 10_000
    assert {ids.new("pi")[:9] for _ in range(10)} == {ids.new("pi")[:9]}


def test_ids_of_one_second_stand_in_their_order() -> None:
    clock = [1_764_000_000.0]
    ids = Ids(now=lambda: clock[0])
    found = []
    for _ in range(500):
        found.append(ids.new("ch"))
        clock[0] += 0.0005
    assert found == sorted(found)


def test_a_pool_draws_once_for_many_texts_and_gives_no_byte_out_twice() -> None:
    drawn: list[bytes] = []

    def draw(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    pool = RandomPool(draw)
    given = b"".join(pool(32) for _ in range(64))
    assert drawn == [given]


def test_a_pool_gives_as_many_bytes_as_it_is_asked_for() -> None:
    pool = RandomPool()
    assert [len(pool(count)) for count in (1, 2_000, 100, 2_048, 5_000, 0)] == [1, 2_000, 100, 2_048, 5_000, 0]


def test_a_child_gets_nothing_that_its_parent_has_drawn() -> None:
    pool = RandomPool(lambda count: bytes(range(256)) * (count // 256 + 1))
    assert pool(4) == b"\x00\x01\x02\x03"
    pool.after_fork_in_child()
    assert pool(4) == b"\x00\x01\x02\x03", "drawn anew"
