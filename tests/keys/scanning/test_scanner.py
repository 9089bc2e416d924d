"""Files are read whole, whatever is in them, and a scan says what it left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.db import Ids
from tollkey.keys.scanning import Finding, ScanFailed, Scanner, as_lines
from tollkey.keys.token import generate

TEXT = generate("secret", True, "1AaBbCcDdEeFfGgH", Ids.seeded(1))
TEST = generate("restricted", False, "1AaBbCcDdEeFfGgH", Ids.seeded(2))


def places(scanner: Scanner, *paths: Path) -> list[tuple[str, int, int]]:
    return [(Path(each.path).name, each.line, each.column) for each in scanner.paths(paths)]


def test_a_finding_says_where_the_key_stands(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"# ä\nkey = '{TEXT}'  # ü\n\n ñ{TEST}\n")
    assert places(Scanner(), tmp_path) == [("a.py", 2, 8), ("a.py", 4, 3)]
    (only,) = Scanner(live_only=True).paths([tmp_path])
    assert as_lines([only]) == [f"{tmp_path}/a.py:2:8: live secret key sk_live_...{TEXT[-4:]} ({only.fingerprint})"]


@pytest.mark.parametrize("filler", [b"x" * 79 + b"\n", b"\0\xff" * 40])
@pytest.mark.parametrize("shift", [-150, -60, -1, 0, 1])
def test_a_key_across_the_pieces_of_a_large_file_is_found_once(tmp_path: Path, filler: bytes, shift: int) -> None:
    front = (filler * (1024 * 1024 // len(filler) + 1))[: 1024 * 1024 + shift]
    (tmp_path / "large").write_bytes(front + b" " + TEXT.encode() + b" " + front)
    (found,) = Scanner().paths([tmp_path])
    assert found.line == 1 + front.count(b"\n")
    assert found.column == len((front + b" ").decode(errors="replace").rpartition("\n")[2]) + 1


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_files_of_other_encodings_are_searched(tmp_path: Path, coding: str) -> None:
    (tmp_path / "a.txt").write_bytes(f"one\n{TEXT}\n".encode(coding))
    assert places(Scanner(), tmp_path) == [("a.txt", 2, 1)]


def test_a_file_that_is_too_large_is_named_and_not_searched(tmp_path: Path) -> None:
    (tmp_path / "large").write_text(TEXT)
    scanner = Scanner(largest=50)
    assert places(scanner, tmp_path) == []
    assert (scanner.skipped, scanner.searched) == ([str(tmp_path / "large")], 0)


def test_a_line_that_allows_its_key_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{TEXT} # tollkey:allow\n{TEST}\n")
    assert places(Scanner(), tmp_path) == [("a", 2, 1)]


def test_a_key_whose_fingerprint_is_allowed_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{TEXT}\n{TEST}\n")
    first, _ = Scanner().paths([tmp_path])
    assert places(Scanner(allowed=frozenset({first.fingerprint})), tmp_path) == [("a", 2, 1)]


def test_a_status_is_asked_for_once_for_each_key(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{TEXT} {TEXT}\n{TEST}\n")
    asked: list[str] = []
    scanner = Scanner(status_of=lambda text: asked.append(text) or "revoked")
    found: list[Finding] = list(scanner.paths([tmp_path]))
    assert [(each.status, each.harmful) for each in found] == [("revoked", False)] * 3
    assert asked == [TEXT, TEST]


def test_symbolic_links_and_the_data_of_git_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").write_text(TEXT)
    (tmp_path / "a").write_text(TEXT)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert places(Scanner(), tmp_path) == [("a", 1, 1)]


def test_what_is_not_there_stops_the_scan(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match="there is no file or folder"):
        list(Scanner().paths([tmp_path / "typo"]))


def test_what_cannot_be_read_stops_the_scan(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match="gone cannot be read: No such file"):
        list(Scanner().file(tmp_path / "gone"))
