"""An id that a request has made is in no row that was there before it, as long as nothing was written since."""

from __future__ import annotations

from tollkey.db import Database, Ids, Scope, Table, Tx
from tollkey.wire.noted_ids import NotedIds

THINGS = Table("thing")


def test_only_ids_of_this_request_are_unknown_and_only_until_something_is_written(database: Database) -> None:
    database.write(lambda tx: tx.execute_script(THINGS.create(tx.dialect)))

    def work(tx: Tx) -> None:
        shared = Ids()
        earlier = shared.new("pi")
        ids = NotedIds(shared, tx)
        assert not ids.unknown_to_database(tx, [earlier])
        own = ids.new("pi")
        assert ids.unknown_to_database(tx, ["open", own])
        assert not ids.unknown_to_database(tx, ["open", earlier, [own]])
        THINGS.insert(tx, Scope("acct_1", False), own, 1, b"{}", None, [])
        assert ids.unknown_to_database(tx, [own])
        tx.flush()
        assert not ids.unknown_to_database(tx, [own])
        assert not NotedIds(shared, tx).unknown_to_database(tx, [own])

    database.write(work)


def test_the_other_texts_are_those_of_the_generator(database: Database) -> None:
    database.read(lambda tx: _same(NotedIds(Ids.seeded(1), tx), Ids.seeded(1)))


def _same(noted: Ids, plain: Ids) -> None:
    for ids in (noted, plain):
        ids.new("cus")
    assert noted.text(8) == plain.text(8)
    assert noted.time_ordered(7) == plain.time_ordered(7)
    assert noted.number(1000) == plain.number(1000)
