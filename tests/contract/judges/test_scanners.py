"""Secret scanners that others wrote find keys with the rules of ``tollkey scan --rules``; pre-commit runs the hook.

trufflehog is not on the Go module proxy: its rules are compared with its documented form, and Go's own ``regexp``,
which trufflehog uses, runs their expressions.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.conftest import ROOT
from tests.contract.judges.installing import KEPT, PROGRAMS, attempt, go_installed, needed, python_with, run
from tollkey.db import Ids
from tollkey.keys.scanning import rules_for
from tollkey.keys.token import BRAND, Brand, Kind, checksum, generate

ACME = Brand(publishable="acmepk", secret="acmesk", restricted="acmerk")
SECRETS: list[tuple[Kind, bool]] = [("secret", True), ("secret", False), ("restricted", True), ("restricted", False)]


def key(kind: Kind, livemode: bool, brand: Brand = ACME) -> str:
    return generate(kind, livemode, "1AaBbCcDdEeFfGgH", Ids.seeded(1), brand)


def sample() -> str:
    start = f"acmesk_live_51EXAMPLE{'0a' * 38}0"
    return start + checksum(start)


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A folder with one file for each kind of key and mode, and some that have no secret."""
    folder = tmp_path / "source"
    folder.mkdir()
    for kind, livemode in SECRETS:
        (folder / f"{kind}-{livemode}.py").write_text(f'KEY = "{key(kind, livemode)}"\n')
    (folder / "page.js").write_text(f'stripe("{key("publishable", True)}")\n')
    (folder / "documentation.md").write_text(f"    curl -u {sample()}:\n")
    return folder


def test_gitleaks_finds_our_keys_with_our_rules(leaky: Path, tmp_path: Path) -> None:
    gitleaks = go_installed("gitleaks", "github.com/zricethezav/gitleaks/v8@latest")
    rules, report = tmp_path / "rules.toml", tmp_path / "report.json"
    rules.write_text(rules_for([ACME], "gitleaks"))
    done = attempt(gitleaks, "dir", leaky, "--config", rules, "--report-format", "json", "--report-path", report)
    assert done.returncode == 1, done.stderr
    ours = [each for each in json.loads(report.read_text()) if each["RuleID"].startswith("tollkey-")]
    assert sorted(each["Secret"] for each in ours) == sorted(key(*each) for each in SECRETS)


def test_gitleaks_finds_our_live_keys_with_its_own_rules(tmp_path: Path) -> None:
    gitleaks = go_installed("gitleaks", "github.com/zricethezav/gitleaks/v8@latest")
    (tmp_path / "a.py").write_text(f'KEY = "{key("secret", True, BRAND)}"\n')
    report = tmp_path / "report.json"
    done = attempt(gitleaks, "dir", tmp_path / "a.py", "--report-format", "json", "--report-path", report)
    assert done.returncode == 1, done.stderr
    assert [each["RuleID"] for each in json.loads(report.read_text())] == ["stripe-access-token"]


def test_trufflehog_s_rules_have_its_form_and_go_finds_our_keys_with_them(leaky: Path, tmp_path: Path) -> None:
    rules = yaml.safe_load(rules_for([ACME], "trufflehog", "https://keys.acme.com/v1/leaks"))
    assert rules.keys() == {"detectors"}
    for detector in rules["detectors"]:
        assert detector.keys() == {"name", "description", "keywords", "regex", "exclude_words", "verify"}
        assert all(len(word) > 3 for word in detector["keywords"])
    (tmp_path / "main.go").write_text((PROGRAMS / "expressions.go").read_text())
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    found = json.loads(run(needed("go"), "run", tmp_path / "main.go", tmp_path / "rules.json", leaky))
    assert found == sorted(key(*each) for each in SECRETS)


def test_pre_commit_installs_the_hook_and_refuses_a_commit_with_a_key(tmp_path: Path) -> None:
    bin_ = python_with("pre-commit", "pre-commit") / "bin"
    source, work = tmp_path / "tollkey", tmp_path / "work"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", "tests", "__pycache__")
    )
    settings = {
        "GIT_CONFIG_GLOBAL": "/dev/null", "PRE_COMMIT_HOME": str(KEPT / "pre-commit" / "home"),
        **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return attempt("git", "-C", folder, *words, environ=settings)

    for folder in (source, work):
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
    git(source, "add", "-A")
    assert git(source, "commit", "-q", "-m", "all").returncode == 0
    revision = git(source, "rev-parse", "HEAD").stdout.strip()
    hook = {"repo": str(source), "rev": revision, "hooks": [{"id": "tollkey-scan"}]}
    (work / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [hook]}))
    run(bin_ / "pre-commit", "install", folder=work, environ=settings)
    (work / "a.py").write_text("x = 1\n")
    git(work, "add", "-A")
    done = git(work, "commit", "-m", "without a key")
    assert done.returncode == 0, done.stderr
    (work / "a.py").write_text(f"x = '{key('secret', True)}'\n")
    git(work, "add", "-A")
    done = git(work, "commit", "-m", "with a key")
    assert done.returncode == 1
    assert "live secret key acmesk_live_..." in done.stderr
    assert key("secret", True) not in done.stdout + done.stderr


def test_the_files_for_github_have_the_form_that_their_schemas_ask_for(tmp_path: Path) -> None:
    check = python_with("check-jsonschema", "check-jsonschema") / "bin" / "check-jsonschema"
    run(check, "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")
    hooks = python_with("pre-commit", "pre-commit") / "bin" / "pre-commit"
    run(hooks, "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
