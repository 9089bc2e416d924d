"""What commits add is searched, line by line, whatever the lines look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.keys.scanning.conftest import Git
from tollkey.db import Ids
from tollkey.keys.scanning import Finding, ScanFailed, Scanner
from tollkey.keys.token import generate

ONE = generate("secret", True, "1AaBbCcDdEeFfGgH", Ids.seeded(1))
TWO = generate("secret", False, "1AaBbCcDdEeFfGgH", Ids.seeded(2))


def history(folder: Path, commits: str | None = None) -> list[tuple[str, int, int, str]]:
    return [_place(each) for each in Scanner().history(folder, commits)]


def _place(found: Finding) -> tuple[str, int, int, str]:
    return found.path, found.line, found.column, found.masked[-4:]


def commit(git: Git, message: str = "more") -> str:
    git("add", "-A")
    git("commit", "-q", "-m", message, "--allow-empty")
    return git("rev-parse", "HEAD")


def test_a_key_that_a_later_commit_removed_is_found_in_the_commit_that_added_it(git: Git, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"x = 1\ny = '{ONE}'\n")
    added = commit(git)
    (tmp_path / "a.py").write_text("x = 1\n")
    commit(git)
    assert list(Scanner().paths([tmp_path])) == []
    (found,) = Scanner().history(tmp_path)
    assert (found.commit, *_place(found)) == (added, "a.py", 2, 6, ONE[-4:])


def test_only_what_is_staged_is_found_before_a_commit(git: Git, tmp_path: Path) -> None:
    (tmp_path / "old").write_text(ONE)
    commit(git)
    (tmp_path / "new").write_text(f"\n {TWO}")
    (tmp_path / "old").write_text(f"{ONE}\n# a comment\n")
    assert list(Scanner().staged(tmp_path)) == []
    git("add", "new")
    assert [_place(each) for each in Scanner().staged(tmp_path)] == [("new", 2, 2, TWO[-4:])]


def test_staging_in_a_repository_without_commits_is_searched(git: Git, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(ONE)
    git("add", "a")
    assert len(list(Scanner().staged(tmp_path))) == 1


@pytest.mark.parametrize("name", ["with space.txt", "ünïcode.txt", 'quo"te.txt', "tab\there"])
def test_a_file_is_named_as_it_is_called(git: Git, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ONE)
    commit(git)
    assert history(tmp_path) == [(name, 1, 1, ONE[-4:])]


def test_lines_that_look_like_a_diff_do_not_confuse_the_place(git: Git, tmp_path: Path) -> None:
    lines = ["++ b/other", "-- a/other", "@@ -1 +900 @@", "commit 0123", "diff --git a/x b/x", ONE]
    (tmp_path / "a").write_text("\n".join(lines))
    commit(git)
    assert history(tmp_path) == [("a", 6, 1, ONE[-4:])]


def test_a_key_in_the_message_of_a_commit_is_found(git: Git, tmp_path: Path) -> None:
    commit(git, f"Fix\n\nIt was {ONE}.")
    assert history(tmp_path) == [("", 3, 8, ONE[-4:])]


def test_a_key_that_a_merge_itself_adds_is_found_on_every_branch_and_tag(git: Git, tmp_path: Path) -> None:
    commit(git)
    git("checkout", "-q", "-b", "side")
    (tmp_path / "side").write_text("side")
    commit(git)
    git("checkout", "-q", "main")
    (tmp_path / "main").write_text("main")
    commit(git)
    git("merge", "-q", "--no-commit", "side")
    (tmp_path / "merged").write_text(ONE)
    commit(git)
    git("checkout", "-q", "--detach")
    (tmp_path / "tagged").write_text(TWO)
    commit(git)
    git("tag", "v1")
    git("checkout", "-q", "main")
    assert sorted(history(tmp_path)) == [("merged", 1, 1, ONE[-4:]), ("tagged", 1, 1, TWO[-4:])]


def test_a_range_of_commits_leaves_out_earlier_ones(git: Git, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(ONE)
    first = commit(git)
    (tmp_path / "b").write_text(TWO)
    commit(git)
    assert history(tmp_path, f"{first}..HEAD") == [("b", 1, 1, TWO[-4:])]


@pytest.mark.parametrize("commits", ["--output=/tmp/x", "nowhere..HEAD"])
def test_a_range_that_git_does_not_know_stops_the_scan(git: Git, tmp_path: Path, commits: str) -> None:
    commit(git)
    with pytest.raises(ScanFailed):
        list(Scanner().history(tmp_path, commits))


def test_a_folder_that_is_no_repository_stops_the_scan(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match="git"):
        list(Scanner().staged(tmp_path))


def test_ignored_files_are_searched_on_request(git: Git, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(".env\n")
    (tmp_path / ".env").write_text(ONE)
    (tmp_path / "untracked").write_text(TWO)
    assert [Path(each.path).name for each in Scanner().paths([tmp_path])] == ["untracked"]
    assert [Path(each.path).name for each in Scanner().paths([tmp_path], ignored=True)] == [".env", "untracked"]
    assert [Path(each.path).name for each in Scanner().paths([tmp_path / ".env"])] == [".env"]


def test_a_repository_s_own_programs_are_not_run(git: Git, tmp_path: Path) -> None:
    git("config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    git("config", "diff.external", f"touch {tmp_path}/ran; false")
    (tmp_path / "a").write_text(ONE)
    git("-c", "core.fsmonitor=false", "add", "a")
    assert len(list(Scanner().paths([tmp_path]))) == 1
    assert len(list(Scanner().staged(tmp_path))) == 1
    assert not (tmp_path / "ran").exists()


def test_a_repository_that_lacks_objects_gets_no_command_executed_to_fetch_them(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git runs what the configuration of a partial clone names as its source."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ext:https")  # git prefers it to every setting
    for text in ("one", "two"):
        (tmp_path / "a.txt").write_text(text)
        commit(git)
    lost, mark = git("rev-parse", "HEAD~1:a.txt"), tmp_path / "executed"
    for name, value in (
        ("core.repositoryformatversion", "1"), ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", f"ext::sh -c touch% {mark}"), ("protocol.ext.allow", "always"),
    ):  # fmt: skip
        git("config", name, value)
    (tmp_path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(ScanFailed, match="not allowed"):
        history(tmp_path)
    assert not mark.exists()
