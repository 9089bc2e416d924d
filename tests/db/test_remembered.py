from __future__ import annotations

from pathlib import Path

from tests.support.edges import NOTES, CountingSQLite, add, with_edge
from tollkey.db import SQLite, Tx, migrate
from tollkey.db.edge import Edge
from tollkey.db.remembered import LONGEST, Remembered


def test_what_was_read_is_known_until_anything_is_committed() -> None:
    memory = Remembered()
    assert memory.get("a", 1) is None
    memory.keep("a", b"{}", 1)
    assert memory.get("a", 1) == b"{}"
    assert memory.get("a", 2) is None
    assert memory.get("a", 2) is None


def test_what_was_read_before_a_commit_is_not_kept_after_it() -> None:
    memory = Remembered()
    assert memory.get("a", 1) is None
    assert memory.get("b", 2) is None  # a commit came in between
    memory.keep("a", b"old", 1)
    assert memory.get("a", 2) is None


def test_it_is_bounded() -> None:
    memory = Remembered(most_bytes=10)
    assert memory.get("a", 1) is None
    memory.keep("a", b"12345678", 1)
    memory.keep("b", b"123", 1)
    assert (memory.get("a", 1), memory.get("b", 1)) == (None, b"123")
    memory = Remembered()
    assert memory.get("a", 1) is None
    memory.keep("a", bytes(LONGEST + 1), 1)
    assert memory.get("a", 1) is None


def test_what_was_read_at_once_is_read_again_after_any_commit_and_not_before(counting: CountingSQLite) -> None:
    reads: list[int] = []

    def count(tx: Tx) -> bytes:
        reads.append(len(reads))
        return str(tx.execute("SELECT count(*) FROM notes")[0][0]).encode()

    async def test(edge: Edge) -> None:
        assert [edge.read_now(count, "count") for _ in range(3)] == [b"0"] * 3
        assert len(reads) == 1
        assert edge.read_now(count, "another") == b"0"
        await edge.write(add("a"))
        assert edge.read_now(count, "count") == b"1"
        await edge.write(add("b"), heavy=True)  # in a thread
        assert edge.read_now(count, "count") == b"2"
        counting.write(add("c"))
        assert edge.read_now(count, "count") == b"3"

    with_edge(counting, test)


def test_what_was_read_at_once_is_read_again_after_another_process_has_written(tmp_path: Path) -> None:
    ours, other = SQLite(tmp_path / "main.db"), SQLite(tmp_path / "main.db")
    migrate(ours, [NOTES])
    reads: list[int] = []

    def count(tx: Tx) -> bytes:
        reads.append(len(reads))
        return str(tx.execute("SELECT count(*) FROM notes")[0][0]).encode()

    async def test(edge: Edge) -> None:
        ours.poll()
        assert edge.read_now(count, "count") == b"0"
        other.write(add("a"))
        ours.poll()  # the edge does it five times a second
        assert edge.read_now(count, "count") == b"1"
        before = len(reads)
        ours.poll()
        assert edge.read_now(count, "count") == b"1"
        assert len(reads) == before

    with_edge(ours, test)
    other.close()
